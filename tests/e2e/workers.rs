//! One process for each lab. It runs the scenarios that it is handed, one after the other, and answers each
//! with a line of JSON.

use std::{
    io::{BufRead, BufReader, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use libtest_mimic::Failed;
use serde::{Deserialize, Serialize};

use crate::{
    Scenario, lab,
    stage::{Measured, Measures, Stage},
};

/// Makes this program a worker when it is set.
const WORKER: &str = "SHIPIT_E2E_WORKER";

/// The networks of the labs, separated by spaces; the first lab's when it is not set.
const NETWORKS: &str = "SHIPIT_LAB_NETWORKS";

/// How a scenario ended on a worker.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    /// What it panicked with, if it did.
    failure: Option<String>,
    took: Duration,
    measured: Measured,
}

/// The names of scenarios that arrive on standard input, if this process is a worker.
pub fn asked_of_this_process() -> Option<impl Iterator<Item = String>> {
    let is_worker = std::env::var_os(WORKER).is_some();
    is_worker.then(|| std::io::stdin().lines().map_while(Result::ok))
}

/// Runs each scenario that is asked for, and answers.
pub fn work(story: &[(&str, Scenario)], asked: impl Iterator<Item = String>) {
    let message = remember_panics();
    let stage = Stage::default();
    for name in asked {
        let began = Instant::now();
        let failure = match story.iter().find(|(known, _)| *known == name) {
            None => Some(format!("there is no scenario `{name}`")),
            Some((_, scenario)) => catch_unwind(AssertUnwindSafe(|| scenario(&stage)))
                .err()
                .map(|_| {
                    let said = message.lock().expect("the message").take();
                    said.unwrap_or_else(|| "it panicked".to_owned())
                }),
        };
        let answer = Answer {
            failure,
            took: began.elapsed(),
            measured: stage.take_measured(),
        };
        let answer = serde_json::to_string(&answer).expect("JSON");
        println!("{answer}");
    }
}

/// Keeps what a panic says for the answer, instead of printing it into the list of scenarios.
fn remember_panics() -> Arc<Mutex<Option<String>>> {
    let message = Arc::new(Mutex::new(None));
    let kept = message.clone();
    std::panic::set_hook(Box::new(move |panic| {
        kept.lock()
            .expect("the message")
            .get_or_insert(panic.to_string());
    }));
    message
}

/// A worker process. It ends with its standard input, and so with this value.
#[derive(Debug)]
struct Worker {
    network: String,
    child: Child,
    asked: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    fn start(network: &str) -> std::io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(WORKER, "1")
            .env(lab::VARIABLE, network)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (asked, answers) = (child.stdin.take(), child.stdout.take());
        Ok(Self {
            network: network.to_owned(),
            child,
            asked,
            answers: BufReader::new(answers.ok_or_else(|| std::io::Error::other("no output"))?),
        })
    }

    /// Has it run one scenario.
    fn ask(&mut self, name: &str) -> Result<Answer, String> {
        let gone = |error: &dyn std::fmt::Display| format!("the worker is gone: {error}");
        let asked = self.asked.as_mut().ok_or("the worker is gone")?;
        writeln!(asked, "{name}")
            .and_then(|()| asked.flush())
            .map_err(|error| gone(&error))?;
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.answers.read_line(&mut line);
            if read.map_err(|error| gone(&error))? == 0 {
                return Err(gone(&"it ended in the middle of a scenario"));
            }
            // What a scenario itself prints is no answer.
            if let Ok(answer) = serde_json::from_str(&line) {
                return Ok(answer);
            }
            print!("{line}");
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.asked.take());
        let _ = self.child.wait();
    }
}

/// The workers that are free.
#[derive(Debug, Default)]
pub struct Workers {
    free: Mutex<Vec<Worker>>,
    freed: Condvar,
    count: usize,
}

impl Workers {
    /// One for each network; fails when a host of one does not answer.
    pub fn start() -> Result<Self, String> {
        let networks = std::env::var(NETWORKS).unwrap_or_else(|_| lab::FIRST.to_owned());
        let mut free = Vec::new();
        for network in networks.split_whitespace() {
            lab::reachable(network)?;
            let worker = Worker::start(network);
            free.push(worker.map_err(|error| format!("no worker for {network}: {error}"))?);
        }
        Ok(Self {
            count: free.len(),
            free: Mutex::new(free),
            freed: Condvar::new(),
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Runs a scenario on the next lab that is free, or on the first one.
    pub fn run(&self, name: &str, on_the_first: bool, measures: &Measures) -> Result<(), Failed> {
        let fits = |worker: &Worker| !on_the_first || worker.network == lab::FIRST;
        let mut worker = {
            let mut free = self.free.lock().expect("the workers");
            loop {
                if let Some(found) = free.iter().position(fits) {
                    break free.remove(found);
                }
                free = self.freed.wait(free).expect("the workers");
            }
        };
        let answer = worker.ask(name);
        self.free.lock().expect("the workers").push(worker);
        self.freed.notify_all();
        let Answer {
            failure,
            took,
            measured,
        } = answer?;
        measures.add(name, took, measured);
        failure.map_or(Ok(()), |failure| Err(Failed::from(failure)))
    }
}
