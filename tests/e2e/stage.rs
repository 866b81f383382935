//! What scenarios share: the deployed stack, and what was measured so far.

use std::{
    fmt::Write as _,
    sync::{Mutex, OnceLock},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    faults::{Faults, Row},
    lab,
    load::{Load, Tally},
    project::{Project, Run},
    table::{Deployed, Table},
};

/// What replacing one container may cost beside its own start, its health interval and its drain.
const OVERHEAD: Duration = Duration::from_secs(1);

/// The stack on this process's lab, and what the scenario in hand has measured.
#[derive(Debug, Default)]
pub struct Stage {
    project: OnceLock<Project>,
    settled: OnceLock<()>,
    measured: Mutex<Measured>,
}

/// What one scenario measured.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    table: Table,
    facts: Vec<String>,
    faults: Faults,
}

/// What all scenarios measured, on whichever lab.
#[derive(Debug, Default)]
pub struct Measures {
    all: Mutex<(Measured, Vec<(String, Duration)>)>,
}

impl Stage {
    /// The project as it is in the repository.
    pub fn project(&self) -> &Project {
        self.project.get_or_init(|| Project::new("staging"))
    }

    /// A copy of it, for a scenario that changes its files for itself alone.
    pub fn copy(&self, name: &str) -> Project {
        self.project().copy(name)
    }

    /// A copy for whatever is not about the rollout: both hosts at once, and no longer than it takes.
    pub fn quick(&self, name: &str) -> Project {
        let project = self.copy(name);
        let app = "recipes/flask-nanoservice.toml";
        project.edit(app, "max_parallel = 1", "max_parallel = \"100%\"");
        project.edit(app, "canary = 1", "canary = 0");
        project.edit(
            app,
            "min_healthy_time = \"2s\"",
            "min_healthy_time = \"0s\"",
        );
        project
    }

    /// Brings about that staging serves one version of the app on both hosts, and nothing else does.
    #[track_caller]
    pub fn serve(&self, version: &str) {
        self.quick("quick")
            .ok(&format!("deploy staging --set version={version}"));
        both_answer(version);
    }

    /// The version of the app that staging serves on both hosts: what it is, if it is one of the two that
    /// scenarios deploy forth and back, else brought about. What an earlier run left there is first brought
    /// in line with the files.
    #[track_caller]
    pub fn now(&self) -> &'static str {
        let version = self.serving();
        self.settled.get_or_init(|| self.serve(version));
        version
    }

    #[track_caller]
    fn serving(&self) -> &'static str {
        let answers = if lab::get(&lab::url()).is_ok() {
            lab::who_answers(2)
        } else {
            Vec::new()
        };
        for version in ["v1", "v2"] {
            let serves = |answer: &String| answer.ends_with(&format!("({version})"));
            if answers.len() == 2 && answers.iter().all(serves) {
                return version;
            }
        }
        self.serve("v1");
        "v1"
    }

    /// Does something while requests are sent, none of which may be lost, and makes a row of it. It
    /// returns the deploys that it made.
    #[track_caller]
    pub fn loses_nothing(&self, what: &str, act: impl FnOnce(&Load) -> Vec<Deployed>) {
        self.loses_nothing_at(lab::balancer(), what, act);
    }

    /// The same, with clients that know these balancers, each as `ADDRESS:PORT`.
    #[track_caller]
    pub fn loses_nothing_at(
        &self,
        balancers: &'static [&'static str],
        what: &str,
        act: impl FnOnce(&Load) -> Vec<Deployed>,
    ) {
        let began = lab::HOST_3.run("date -u +%FT%TZ");
        let tally = self.measure_at(balancers, what, act);
        assert!(tally.requests > 100, "only {} requests", tally.requests);
        assert_eq!(
            tally.lost(),
            0,
            "{what}: of {} requests were lost, the first after {:?}:\n{:#?}\n{}",
            tally.requests,
            tally.first_lost,
            tally.lost,
            lab::complaints_since(began.trim())
        );
    }

    /// The same, whatever becomes of the requests.
    pub fn measure(&self, what: &str, act: impl FnOnce(&Load) -> Vec<Deployed>) -> Tally {
        self.measure_at(lab::balancer(), what, act)
    }

    /// The same, with clients that know these balancers.
    pub fn measure_at(
        &self,
        balancers: &'static [&'static str],
        what: &str,
        act: impl FnOnce(&Load) -> Vec<Deployed>,
    ) -> Tally {
        let load = Load::start(balancers);
        // Slow requests are to be in flight before anything happens, and the stream is to see what comes
        // right after.
        std::thread::sleep(Duration::from_secs(1));
        let deploys = act(&load);
        std::thread::sleep(Duration::from_secs(1));
        let tally = load.stop();
        let mut measured = self.measured.lock().expect("the measures");
        measured.table.add(what, &tally, &deploys);
        tally
    }

    /// Keeps a measure to be shown at the end.
    pub fn tell(&self, fact: String) {
        self.measured.lock().expect("the measures").facts.push(fact);
    }

    /// Keeps a row of the matrix of faults.
    pub fn add_fault(&self, row: Row) {
        self.measured.lock().expect("the measures").faults.add(row);
    }

    /// What was measured since the last call.
    pub fn take_measured(&self) -> Measured {
        std::mem::take(&mut self.measured.lock().expect("the measures"))
    }
}

impl Measures {
    /// Adds what one scenario measured.
    pub fn add(&self, name: &str, took: Duration, measured: Measured) {
        let mut all = self.all.lock().expect("the measures");
        let (sum, times) = &mut *all;
        sum.table.extend(measured.table);
        sum.facts.extend(measured.facts);
        sum.faults.extend(measured.faults);
        times.push((name.to_owned(), took));
    }

    /// The table and the times.
    pub fn show(&self) -> String {
        let all = self.all.lock().expect("the measures");
        let (sum, times) = &*all;
        let Measured {
            table,
            facts,
            faults,
        } = sum;
        let mut text = table.show();
        let _ = write!(text, "\n\n{}\n", faults.show());
        for fact in facts {
            let _ = writeln!(text, "{fact}");
        }
        text.push('\n');
        for (name, took) in times {
            let _ = writeln!(text, "{name:<56}{:>7.1} s", took.as_secs_f64());
        }
        let all: Duration = times.iter().map(|(_, took)| *took).sum();
        let _ = writeln!(text, "{:<56}{:>7.1} s", "all", all.as_secs_f64());
        // Times are told, not judged: what else this machine does is not what is tested.
        if let Some(overhead) = table.overhead() {
            let met = if overhead < OVERHEAD {
                "met"
            } else {
                "NOT met"
            };
            let _ = writeln!(
                text,
                "the measure of an overhead below {OVERHEAD:?} a host (median {overhead:.2?}): {met}"
            );
        }
        text
    }
}

/// The other one of the two versions that scenarios deploy forth and back.
pub fn other(version: &str) -> &'static str {
    if version == "v1" { "v2" } else { "v1" }
}

/// Deploys with these words, which must succeed; for the table.
#[track_caller]
pub fn deployed(project: &Project, line: &str) -> (Deployed, Vec<Value>) {
    let (run, events) = project.events(line);
    run.exits(0);
    (Deployed::from_events(&run, &events), events)
}

/// The number of the release that a run's events tell of.
#[track_caller]
pub fn release(events: &[Value]) -> u64 {
    let release = events.iter().find(|event| event["event"] == "release");
    let text = release.and_then(|event| event["release"].as_str());
    text.and_then(|text| text.strip_prefix('r')?.parse().ok())
        .unwrap_or_else(|| panic!("no release in {events:?}"))
}

/// That both app hosts answer through the balancer with this version, and no one else does.
#[track_caller]
pub fn both_answer(version: &str) {
    let answers = lab::who_answers(2);
    assert_eq!(answers.len(), 2, "who answers: {answers:?}");
    let version = format!("({version})");
    assert!(
        answers.iter().all(|answer| answer.ends_with(&version)),
        "not all {version}: {answers:?}"
    );
    let passing = lab::passing("flask-nanoservice");
    assert_eq!(passing.len(), 2, "what Consul has: {passing:?}");
}

/// What a run that fails on purpose means for the table.
pub fn failed(run: &Run) -> Vec<Deployed> {
    vec![Deployed::from(run)]
}
