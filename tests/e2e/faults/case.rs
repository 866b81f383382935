//! One row of the matrix: a deploy under the request stream, a fault in the middle of it, what it said held
//! against what is there, and the same deploy again once the fault is lifted.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    observer::{self, Asked, Said, Seen},
    outside,
    table::Row,
};
use crate::{
    lab,
    load::Load,
    project::{Project, Run, Running},
    stage::{self, Stage},
};

/// How long the lock of a silent deployer may last: docs/releases-and-locks.md says 60 s.
const LOCKED: Duration = Duration::from_secs(75);

/// A moment of a deploy, told by its events.
#[derive(Debug, Clone)]
pub enum At {
    /// A step begins on a host whose text has this in it.
    Step(&'static str, &'static str),
    /// So many events after the rollout began, of those that each rollout has.
    Event(usize),
    /// A phase begins.
    Phase(&'static str),
}

impl At {
    /// Reads a deploy's events until the moment has come; `false` when it ended before.
    fn wait(&self, deploy: &mut Running) -> bool {
        let (mut began, mut count) = (false, 0);
        deploy.wait_until(|line| {
            let Ok(event) = serde_json::from_str::<Value>(line) else {
                return false;
            };
            let kind = event["event"].as_str().unwrap_or_default();
            match self {
                Self::Step(host, step) => {
                    let has = |text: &Value| text.as_str().is_some_and(|text| text.contains(step));
                    kind == "step-started" && event["host"] == *host && has(&event["step"])
                }
                Self::Phase(phase) => kind == "phase" && event["phase"] == *phase,
                Self::Event(number) => {
                    began |= event["phase"] == "deploy";
                    count += usize::from(began && happens_in_each(kind));
                    count >= *number
                }
            }
        })
    }
}

/// The events whose number does not depend on how fast anything is.
fn happens_in_each(kind: &str) -> bool {
    [
        "phase",
        "step-started",
        "step-finished",
        "countdown",
        "host-state",
    ]
    .contains(&kind)
}

/// How many such events a rollout has.
pub fn events_of_a_rollout(run: &Run) -> usize {
    let events: Vec<Value> = events(run);
    let rest = events.iter().skip_while(|event| event["phase"] != "deploy");
    rest.filter(|event| happens_in_each(event["event"].as_str().unwrap_or_default()))
        .count()
}

fn events(run: &Run) -> Vec<Value> {
    let lines = run.text.lines();
    lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// What is deployed.
#[derive(Debug)]
pub struct Deploy<'a> {
    pub project: &'a Project,
    pub environment: &'static str,
    pub recipe: &'static str,
    pub hosts: &'a [&'static str],
    /// The version of the app.
    pub version: &'a str,
}

/// What happens to it.
pub struct Fault<'a> {
    pub name: String,
    pub at: At,
    /// Done to the deploy that runs, or to a host.
    pub lay: &'a dyn Fn(&Running),
    pub lift: &'a dyn Fn(),
    pub may_lose: bool,
    /// Whether the deploy itself is sent a signal.
    pub signal: bool,
    /// Whether what a host has is still there when the fault is lifted, so that it can be looked at then.
    pub keeps_state: bool,
}

/// Does nothing.
pub fn nothing() {}

/// Lays a fault, lifts it, and makes a row of what came of it. The lab is good again afterwards.
pub fn try_out(stage: &Stage, deploy: &Deploy, fault: &Fault) -> Row {
    let mut row = Row {
        fault: fault.name.clone(),
        noticed: None,
        requests: 0,
        lost: 0,
        may_lose: fault.may_lose,
        code: None,
        said: 0,
        wrong: Vec::new(),
        locked: None,
        next: Vec::new(),
    };
    let load = Load::start(lab::balancer());
    let tried = catch_unwind(AssertUnwindSafe(|| under_load(deploy, fault, &mut row)));
    if tried.is_err() {
        row.wrong
            .push("the row was broken off: see above".to_owned());
        (fault.lift)();
    }
    let tally = load.stop();
    (row.requests, row.lost) = (tally.requests, tally.lost());
    if !row.next.is_empty() || tried.is_err() {
        start_afresh(stage);
    }
    row
}

fn under_load(deploy: &Deploy, fault: &Fault, row: &mut Row) {
    let line = format!(
        "deploy {} --set version={}",
        deploy.environment, deploy.version
    );
    let before = observer::look(deploy.environment);
    let mut running = deploy.project.start(&format!("{line} --output json"));
    let came = fault.at.wait(&mut running);
    let laid = (Instant::now(), jiff::Timestamp::now());
    if came {
        (fault.lay)(&running);
    } else {
        row.wrong.push(format!("it ended before {:?}", fault.at));
    }
    let run = running.finish();
    row.code = run.code;
    row.noticed = noticed(&run, laid.1).filter(|_| !fault.signal);
    let said = said(&run);
    row.said = said.rows.len();
    let asked = Asked {
        recipe: deploy.recipe,
        hosts: deploy.hosts,
        version: deploy.version,
        signal: fault.signal,
    };
    let mut wrong = seen_wrong(deploy, &said, &asked, &before);
    (fault.lift)();
    outside::wait_until_all_answer();
    if fault.keeps_state && !wrong.is_empty() {
        wrong = seen_wrong(deploy, &said, &asked, &before);
    }
    if !wrong.is_empty() {
        eprintln!("{}: {wrong:#?}\n{}", fault.name, run.text);
    }
    row.wrong.extend(wrong);

    let next = next_deploy(deploy.project, &format!("{line} --output json"), row);
    let said = self::said(&next);
    if next.code == Some(0) {
        let asked = Asked {
            signal: false,
            ..asked
        };
        let wrong = seen_wrong(deploy, &said, &asked, &before);
        row.next.extend(wrong);
    } else {
        row.next
            .push(format!("exit code {:?}: {}", next.code, error(&next)));
    }
    if !row.next.is_empty() {
        eprintln!(
            "{}, the next deploy: {:#?}\n{}",
            fault.name, row.next, next.text
        );
    }
}

/// The same deploy again, once the lock of the one before has ended: the host of a deployer that went silent
/// notices that only after a while.
fn next_deploy(project: &Project, line: &str, row: &mut Row) -> Run {
    let began = Instant::now();
    loop {
        let run = project.shipit(line);
        if run.code != Some(4) || began.elapsed() > LOCKED {
            return run;
        }
        thread::sleep(Duration::from_secs(1));
        row.locked = Some(began.elapsed());
    }
}

/// What is wrong with what was said. Consul's checks and the balancer's list may be a moment behind, so a
/// mismatch is one that stays.
fn seen_wrong(deploy: &Deploy, said: &Said, asked: &Asked, before: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    for _ in 0..3 {
        let seen = observer::look(deploy.environment);
        wrong = observer::mismatches(said, asked, &seen, before);
        if wrong.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(1500));
    }
    wrong
}

fn said(run: &Run) -> Said {
    let events = events(run);
    let rows = events.iter().filter(|event| event["event"] == "host-state");
    Said {
        rows: rows.map(|event| event["row"].clone()).collect(),
        code: run.code,
    }
}

fn error(run: &Run) -> String {
    let events = events(run);
    let last = events.last().map(|event| event["error"]["message"].clone());
    last.and_then(|message| message.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// How long after the fault came the first word of it: a step that failed, a warning, the beginning of a
/// revert, an error at the end.
fn noticed(run: &Run, laid: jiff::Timestamp) -> Option<Duration> {
    events(run).iter().find_map(|event| {
        let at: jiff::Timestamp = event["at"].as_str()?.parse().ok()?;
        let tells = match event["event"].as_str()? {
            "step-failed" | "warning" => true,
            "phase" => event["phase"] == "revert",
            "finished" => !event["error"].is_null(),
            _ => false,
        };
        let after = at.duration_since(laid).try_into().ok()?;
        tells.then_some(after)
    })
}

/// Brings the lab to a good state whatever it is in.
fn start_afresh(stage: &Stage) {
    let project = stage.quick("start-afresh");
    let deployed = project.shipit("deploy staging --set version=v1");
    if deployed.code != Some(0) {
        lab::clear();
        project.ok("deploy staging --set version=v1");
    }
    stage::both_answer("v1");
}
