//! `order = "blue-green"`: no client sees the old version after the new one.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    balancer::Balancer,
    way::{a_bad_version, kill_at, killed},
};
use crate::{
    lab::{self, APPS, Host},
    project::Project,
    stage::{Stage, both_answer, deployed, failed, other},
    table::Deployed,
};

/// How many clients ask, each one request after the other.
const CLIENTS: usize = 4;

/// For so long nginx's old workers may still answer beside the new ones. Four deploys, one host after the other, take
/// several times as long.
const MOMENT: Duration = Duration::from_secs(10);

/// Where deploys are killed.
const POINTS: [&str; 4] = [
    "to be ready",
    "switch requests",
    "to stop routing to",
    "stop ",
];

/// Clients that note which version answers them.
struct Clients {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<(Timestamp, String)>>>,
}

/// When one client's answers changed.
struct Change {
    first_new: Timestamp,
    last_old: Timestamp,
}

impl Clients {
    fn ask(endpoint: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let client = || {
            let stop = stop.clone();
            std::thread::spawn(move || {
                let mut seen = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    if let Some(version) = version_at(endpoint) {
                        seen.push((Timestamp::now(), version));
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                seen
            })
        };
        let threads = (0..CLIENTS).map(|_| client()).collect();
        Self { stop, threads }
    }

    /// That each client saw both versions. Returns when it saw what.
    #[track_caller]
    fn saw(self, old: &str, new: &str) -> Vec<Change> {
        let change = |seen: Vec<(Timestamp, String)>| {
            let mut of_new = seen.iter().filter(|(_, version)| version == new);
            let mut of_old = seen.iter().rev().filter(|(_, version)| version == old);
            let (first_new, last_old) = (of_new.next(), of_old.next());
            Change {
                first_new: first_new
                    .unwrap_or_else(|| panic!("no {new} of {}", seen.len()))
                    .0,
                last_old: last_old
                    .unwrap_or_else(|| panic!("no {old} of {}", seen.len()))
                    .0,
            }
        };
        self.end().into_iter().map(change).collect()
    }

    #[track_caller]
    fn saw_only(self, version: &str) {
        for seen in self.end() {
            assert!(!seen.is_empty());
            let other = seen.iter().find(|(_, seen)| seen != version);
            assert_eq!(other, None, "it was {version}");
        }
    }

    fn end(self) -> Vec<Vec<(Timestamp, String)>> {
        self.stop.store(true, Ordering::Relaxed);
        let ends = self.threads.into_iter().map(JoinHandle::join);
        ends.map(|seen| seen.expect("a client")).collect()
    }
}

/// The version in `Hello from HOST (VERSION)`. Losses are counted elsewhere.
fn version_at(endpoint: &str) -> Option<String> {
    let mut stream = TcpStream::connect(endpoint).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let request = format!("GET / HTTP/1.1\r\nHost: {endpoint}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, version) = answer.rsplit_once(" (")?;
    Some(version.split_once(')')?.0.to_owned())
}

/// For how long one client saw both versions, at the longest.
fn both(changes: &[Change]) -> Duration {
    let each = changes
        .iter()
        .map(|change| change.last_old.duration_since(change.first_new));
    each.filter_map(|both| Duration::try_from(both).ok())
        .max()
        .unwrap_or_default()
}

/// When the first step that begins so began.
#[track_caller]
fn began(events: &[Value], step: &str) -> Timestamp {
    let is_it = |event: &&Value| {
        event["event"] == "step-started"
            && event["step"]
                .as_str()
                .is_some_and(|it| it.starts_with(step))
    };
    let event = events
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("no `{step}` in {events:?}"));
    event["at"]
        .as_str()
        .and_then(|at| at.parse().ok())
        .unwrap_or_else(|| panic!("{event}"))
}

/// Carries out a deploy or a rollback. No client sees the new version before requests are switched to all of it at once,
/// nor the old one when it begins to be stopped.
#[track_caller]
fn in_order(
    project: &Project,
    line: &str,
    endpoint: &'static str,
    (old, new): (&str, &str),
) -> Deployed {
    let clients = Clients::ask(endpoint);
    let (run, events) = project.events(line);
    run.exits(0);
    let changes = clients.saw(old, new);
    println!(
        "{line}: one client saw both versions for {:?}",
        both(&changes)
    );
    let (switched, stopped) = (began(&events, "switch requests"), began(&events, "stop "));
    for Change {
        first_new,
        last_old,
    } in changes
    {
        assert!(
            switched <= first_new,
            "{new} at {first_new}, switched at {switched}"
        );
        assert!(
            last_old <= stopped,
            "{old} at {last_old}, stopped at {stopped}"
        );
    }
    Deployed::from_events(&run, &events)
}

pub fn with_a_written_list(stage: &Stage) {
    let it = Balancer::new("nginx", ("lb", "web"), 80);
    let (project, to) = (&it.project, it.endpoints());
    it.rolls_out("order = \"blue-green\"");
    project.ok("deploy lab --set version=v1");
    it.both_answer("v1");
    project
        .ok("plan lab --set version=v2")
        .says("blue-green: requests go to all new ones at once");

    stage.loses_nothing_at(to, &it.row("blue-green, a deploy and a rollback"), |_| {
        vec![
            in_order(project, "deploy lab --set version=v2", to[0], ("v1", "v2")),
            in_order(project, "rollback lab", to[0], ("v2", "v1")),
        ]
    });
    it.both_answer("v1");
    project.ok("check lab");

    let clients = Clients::ask(to[0]);
    a_bad_version(stage, &it);
    clients.saw_only("v1");

    let clients = Clients::ask(to[0]);
    killed(stage, &it, &POINTS, "v2");
    let mixed = both(&clients.saw("v1", "v2"));
    println!("killed deploys: one client saw both versions for {mixed:?}");
    assert!(mixed <= MOMENT, "both versions for {mixed:?}");
    project.ok("down lab --yes");
}

pub fn with_consul(stage: &Stage) {
    let project = stage.copy("blue-green");
    project.edit(
        "recipes/flask-nanoservice.toml",
        "order = \"start-first\"\nmax_parallel = 1\ncanary = 1\nauto_promote = true\nmin_healthy_time = \"2s\"\n",
        "order = \"blue-green\"\nmin_healthy_time = \"0s\"\n",
    );
    let to = lab::balancer();
    let old = stage.now();
    let new = other(old);
    project
        .ok(&format!("plan staging --set version={new}"))
        .says("both versions answer for a moment");
    stage.loses_nothing("blue-green with Consul, a deploy and a rollback", |_| {
        let line = format!("deploy staging --set version={new}");
        vec![
            in_order(&project, &line, to[0], (old, new)),
            in_order(&project, "rollback staging", to[0], (new, old)),
        ]
    });
    both_answer(old);

    let before = APPS.map(Host::app);
    let clients = Clients::ask(to[0]);
    stage.loses_nothing("blue-green with Consul, a bad version", |_| {
        let run = project.shipit("deploy staging --set version=crash");
        run.exits(5);
        failed(&run)
    });
    clients.saw_only(old);
    assert_eq!(APPS.map(Host::app), before);

    // Whoever is killed in the middle of the switch leaves both versions, until the next deploy goes on.
    let what = "blue-green with Consul, killed at 4 points, then a deploy";
    stage.loses_nothing(what, |_| {
        let line = format!("deploy staging --set version={new} -v");
        kill_at(&project, &line, "flask", &POINTS);
        vec![deployed(&project, &format!("deploy staging --set version={new}")).0]
    });
    both_answer(new);
    project.ok("check staging");
}
