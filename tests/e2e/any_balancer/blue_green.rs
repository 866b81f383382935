//! `order = "blue-green"`: no client sees the old version after the new one.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use super::{
    balancer::Balancer,
    way::{a_bad_version, kill_at, killed},
};
use crate::{
    lab::{self, APPS, Host},
    stage::{Stage, both_answer, deployed, failed, other},
};

/// How many clients ask, each one request after the other.
const CLIENTS: usize = 4;

/// Two versions may answer for so long where balancers take up what is new one after the other, or their old workers
/// still accept connections.
const MOMENT: Duration = Duration::from_secs(2);

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
    threads: Vec<JoinHandle<Vec<(Instant, String)>>>,
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
                        seen.push((Instant::now(), version));
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                seen
            })
        };
        let threads = (0..CLIENTS).map(|_| client()).collect();
        Self { stop, threads }
    }

    /// That each client saw the old version, and from some moment on the new one alone. Returns for how long both were
    /// seen by one.
    #[track_caller]
    fn saw(self, old: &str, new: &str) -> Duration {
        let mut longest = Duration::ZERO;
        for seen in self.end() {
            let first_new = seen.iter().position(|(_, version)| version == new);
            let first_new = first_new.unwrap_or_else(|| panic!("no {new} of {}", seen.len()));
            let last_old = seen.iter().rposition(|(_, version)| version == old);
            let last_old = last_old.unwrap_or_else(|| panic!("no {old} of {}", seen.len()));
            if last_old > first_new {
                longest = longest.max(seen[last_old].0 - seen[first_new].0);
            }
        }
        longest
    }

    #[track_caller]
    fn saw_only(self, version: &str) {
        for seen in self.end() {
            assert!(!seen.is_empty());
            let other = seen.iter().find(|(_, seen)| seen != version);
            assert_eq!(other, None, "it was {version}");
        }
    }

    fn end(self) -> Vec<Vec<(Instant, String)>> {
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

/// Each client's order through a deploy, a rollback, a bad version and deploys that are killed.
fn in_order(what: &str, endpoint: &'static str, act: impl FnOnce(), (old, new): (&str, &str)) {
    let clients = Clients::ask(endpoint);
    act();
    let both = clients.saw(old, new);
    println!("{what}: one client saw both versions for {both:?}");
    assert!(both <= MOMENT, "{what}: both versions for {both:?}");
}

pub fn with_a_written_list(stage: &Stage) {
    let it = Balancer::new("nginx", ("lb", "web"), 80);
    let (project, to) = (&it.project, it.endpoints());
    project.edit(
        "recipes/web.toml",
        "[drain]",
        "[rollout]\norder = \"blue-green\"\n\n[drain]",
    );
    project.ok("deploy lab --set version=v1");
    it.both_answer("v1");
    project
        .ok("plan lab --set version=v2")
        .says("blue-green: requests go to all new ones at once");

    stage.loses_nothing_at(to, &it.row("blue-green, a deploy and a rollback"), |_| {
        let mut deploys = Vec::new();
        let (forth, back) = (("v1", "v2"), ("v2", "v1"));
        in_order("a deploy", to[0], || deploys.push(it.deploy("v2")), forth);
        let rollback = || deploys.push((&project.ok("rollback lab")).into());
        in_order("a rollback", to[0], rollback, back);
        deploys
    });
    it.both_answer("v1");
    project.ok("check lab");

    let clients = Clients::ask(to[0]);
    a_bad_version(stage, &it);
    clients.saw_only("v1");

    let kills = || killed(stage, &it, &POINTS, "v2");
    in_order("killed deploys", to[0], kills, ("v1", "v2"));
    project.ok("down lab --yes");
}

pub fn with_consul(stage: &Stage) {
    let project = stage.copy("blue-green");
    project.edit(
        "recipes/flask-nanoservice.toml",
        "order = \"start-first\"\nmax_parallel = 1\ncanary = 1\nauto_promote = true\n",
        "order = \"blue-green\"\n",
    );
    let to = lab::balancer();
    let old = stage.now();
    let new = other(old);
    let deploy =
        |version: &str| deployed(&project, &format!("deploy staging --set version={version}")).0;
    project
        .ok(&format!("plan staging --set version={new}"))
        .says("both versions answer for a moment");
    stage.loses_nothing("blue-green with Consul, a deploy and a rollback", |_| {
        let mut deploys = Vec::new();
        in_order("a deploy", to[0], || deploys.push(deploy(new)), (old, new));
        let rollback = || deploys.push((&project.ok("rollback staging")).into());
        in_order("a rollback", to[0], rollback, (new, old));
        deploys
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
        vec![deploy(new)]
    });
    both_answer(new);
    project.ok("check staging");
}
