//! One process for each lab. It runs the scenarios that it is handed, one after the other, and answers each
//! with a line of JSON.

use std::{
    collections::BTreeMap,
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

/// The networks of the labs, each as `NETWORK@KIND`, separated by spaces; the first of the usual kind when it
/// is not set.
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
    kind: String,
    child: Child,
    asked: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    fn start(network: &str, kind: &str) -> std::io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(WORKER, "1")
            .env(lab::VARIABLE, network)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (asked, answers) = (child.stdin.take(), child.stdout.take());
        Ok(Self {
            network: network.to_owned(),
            kind: kind.to_owned(),
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

/// The workers, and the scenarios that wait for one.
#[derive(Debug, Default)]
pub struct Workers {
    queue: Mutex<Queue>,
    freed: Condvar,
    kinds: Vec<String>,
}

#[derive(Debug, Default)]
struct Queue {
    free: Vec<Worker>,
    /// By their turn.
    waiting: BTreeMap<usize, Where>,
}

impl Queue {
    /// A free worker for this turn, unless it is for an earlier one.
    fn take(&mut self, turn: usize) -> Option<Worker> {
        let place = &self.waiting[&turn];
        let is_mine = |worker: &Worker| {
            let mut earlier = self.waiting.range(..turn).map(|(_, place)| place);
            place.fits(worker) && !earlier.any(|place| place.fits(worker))
        };
        let found = self.free.iter().position(is_mine)?;
        self.waiting.remove(&turn);
        Some(self.free.remove(found))
    }
}

/// Which of the labs a scenario may run on.
#[derive(Debug, Clone)]
pub enum Where {
    /// On whichever is free.
    Anywhere,
    /// On the one with the addresses that the repository's files name.
    TheFirst,
    /// On one whose hosts are of this kind.
    Kind(String),
}

impl Where {
    fn fits(&self, worker: &Worker) -> bool {
        match self {
            Self::Anywhere => true,
            Self::TheFirst => worker.network == lab::FIRST,
            Self::Kind(kind) => worker.kind == *kind,
        }
    }
}

impl Workers {
    /// One for each network; fails when a host of one does not answer.
    pub fn start() -> Result<Self, String> {
        let labs = std::env::var(NETWORKS).unwrap_or_else(|_| lab::FIRST.to_owned());
        let (mut free, mut kinds) = (Vec::new(), Vec::new());
        for lab in labs.split_whitespace() {
            let (network, kind) = lab.split_once('@').unwrap_or((lab, lab::USUAL));
            lab::reachable(network)?;
            let worker = Worker::start(network, kind);
            free.push(worker.map_err(|error| format!("no worker for {network}: {error}"))?);
            kinds.push(kind.to_owned());
        }
        kinds.sort();
        kinds.dedup();
        let waiting = BTreeMap::new();
        Ok(Self {
            queue: Mutex::new(Queue { free, waiting }),
            freed: Condvar::new(),
            kinds,
        })
    }

    /// Whether one of them fits, now that none is at work yet.
    pub fn have(&self, place: &Where) -> bool {
        let queue = self.queue.lock().expect("the workers");
        queue.free.iter().any(|worker| place.fits(worker))
    }

    /// The different kinds of hosts that they have.
    pub fn kinds(&self) -> &[String] {
        &self.kinds
    }

    /// Runs a scenario on the next lab that is free and fits. Those with an earlier `turn` come before it.
    pub fn run(
        &self,
        name: &str,
        turn: usize,
        place: &Where,
        measures: &Measures,
    ) -> Result<(), Failed> {
        let mut worker = {
            let mut queue = self.queue.lock().expect("the workers");
            queue.waiting.insert(turn, place.clone());
            loop {
                if let Some(worker) = queue.take(turn) {
                    break worker;
                }
                queue = self.freed.wait(queue).expect("the workers");
            }
        };
        // The one behind this may have waited for it alone.
        self.freed.notify_all();
        let answer = worker.ask(name);
        self.queue.lock().expect("the workers").free.push(worker);
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
