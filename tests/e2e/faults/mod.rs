//! The matrix of faults: what shipit says and leaves behind when the deployer, a host, the network, Docker, Consul
//! or a balancer fails in the middle of a deploy, under the request stream.
//!
//! `make faults` tries all of it and prints the table; a part runs with the other scenarios. Every row asks the
//! same of a deploy: that an independent observer finds what it said, that no request was lost unless the fault
//! itself loses some, and that the same deploy converges once the fault is lifted.

mod case;
mod hosts;
mod observer;
pub mod outside;
mod table;

use case::{At, Deploy, Fault, nothing, try_out};
use hosts::HostFault;
pub use table::{Faults, Row};

use crate::{
    Scenario,
    project::{Project, Running},
    stage::{Stage, other},
};

/// Has this program run the whole matrix, and nothing else: the number of moments of a rollout at which the
/// deployer is killed, in each order.
const VARIABLE: &str = "SHIPIT_FAULTS";

/// As many as `make test` has.
const FEW: usize = 3;

const MATRIX: &[(&str, Scenario)] = &[
    ("faults::two_deploys", two_deploys),
    ("faults::port_taken", port_taken),
    ("faults::signals", all_signals),
    ("faults::telling", |stage| of_hosts(stage, hosts::TELLING)),
    ("faults::further", |stage| of_hosts(stage, hosts::FURTHER)),
    ("faults::services", |stage| of_hosts(stage, hosts::SERVICES)),
    ("faults::sigkill_start_first", |stage| {
        kills(stage, START_FIRST, moments());
    }),
    ("faults::sigkill_stop_first", |stage| {
        kills(stage, STOP_FIRST, moments());
    }),
];

fn moments() -> usize {
    let number = std::env::var(VARIABLE).ok();
    number.and_then(|number| number.parse().ok()).unwrap_or(FEW)
}

/// The matrix, if it is asked for instead of the other scenarios.
pub fn asked_for() -> Option<&'static [(&'static str, Scenario)]> {
    std::env::var_os(VARIABLE).map(|_| MATRIX)
}

const START_FIRST: &str = "start-first";
const STOP_FIRST: &str = "stop-first";

/// The project with the app's order, and a deadline that does not make the matrix long.
fn project(stage: &Stage, order: &str) -> Project {
    let project = stage.copy(&format!("faults-{order}"));
    let recipe = "recipes/flask-nanoservice.toml";
    project.edit(recipe, "\"start-first\"", &format!("\"{order}\""));
    project.edit(recipe, "\"60s\"", "\"20s\"");
    project.edit(recipe, "\"2s\"", "\"500ms\"");
    project
}

/// The next deploy of the app: of the version that does not serve.
fn deploy<'a>(project: &'a Project, hosts: &'a [&'static str], version: &'a str) -> Deploy<'a> {
    Deploy {
        project,
        environment: "staging",
        recipe: observer::APP,
        hosts,
        version,
    }
}

/// Tries faults one after the other; fails with all that was wrong.
struct Matrix<'a> {
    stage: &'a Stage,
    failures: Vec<String>,
}

impl<'a> Matrix<'a> {
    fn new(stage: &'a Stage) -> Self {
        Self {
            stage,
            failures: Vec::new(),
        }
    }

    fn try_out(&mut self, deploy: &Deploy, fault: &Fault) {
        self.add(try_out(self.stage, deploy, fault));
    }

    /// Lays a fault in a deploy of the app.
    fn app(&mut self, order: &str, fault: &Fault) {
        let version = other(self.stage.now());
        let project = project(self.stage, order);
        self.try_out(&deploy(&project, &observer::app_hosts(), version), fault);
    }

    fn add(&mut self, row: Row) {
        self.failures.extend(row.failures());
        // The whole takes long, and a row is worth reading at once.
        eprintln!("{}", row.line());
        self.stage.add_fault(row);
    }

    #[track_caller]
    fn end(self) {
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n"));
    }
}

/// Kills the deployer at moments that are spread over a rollout, as an undisturbed one shows them.
fn kills(stage: &Stage, order: &str, moments: usize) {
    let version = other(stage.now());
    let undisturbed = project(stage, order).ok(&format!(
        "deploy staging --set version={version} --output json"
    ));
    let events = case::events_of_a_rollout(&undisturbed);
    let mut matrix = Matrix::new(stage);
    for number in 0..moments {
        let event = 1 + number * (events - 1) / moments;
        let fault = Fault {
            name: format!("SIGKILL at event {event} of {events}, {order}"),
            at: At::Event(event),
            lay: &|deploy| deploy.signal("KILL"),
            lift: &nothing,
            may_lose: false,
            signal: true,
            keeps_state: false,
        };
        matrix.app(order, &fault);
    }
    matrix.end();
}

fn signals(matrix: &mut Matrix, signal: &str, order: &str, twice: bool) {
    let times = if twice { "twice" } else { "once" };
    let fault = Fault {
        name: format!("SIG{signal} {times}, {order}"),
        at: At::Step("host-1", "to be ready"),
        lay: &|deploy: &Running| {
            deploy.signal(signal);
            if twice {
                std::thread::sleep(std::time::Duration::from_millis(300));
                deploy.signal(signal);
            }
        },
        lift: &nothing,
        may_lose: false,
        signal: true,
        keeps_state: false,
    };
    matrix.app(order, &fault);
}

fn all_signals(stage: &Stage) {
    let mut matrix = Matrix::new(stage);
    for order in [START_FIRST, STOP_FIRST] {
        for signal in ["INT", "TERM"] {
            for twice in [false, true] {
                signals(&mut matrix, signal, order, twice);
            }
        }
    }
    matrix.end();
}

fn of_hosts(stage: &Stage, faults: &[HostFault]) {
    let mut matrix = Matrix::new(stage);
    for fault in faults {
        let laid = Fault {
            name: fault.name.to_owned(),
            at: fault.at.clone(),
            lay: &|_| (fault.lay)(),
            lift: &fault.lift,
            may_lose: fault.may_lose,
            signal: false,
            keeps_state: fault.keeps_state,
        };
        matrix.app(START_FIRST, &laid);
    }
    matrix.end();
}

/// A port that is free when the plan is made, and taken when the container starts.
fn port_taken(stage: &Stage) {
    let version = stage.now();
    let project = stage.copy("faults-port");
    project.write(
        "inventory/fixed.toml",
        "extends = \"staging\"\nrecipes = [\"fixed\"]\n",
    );
    let publish = |port: &str| {
        project.write(
            "recipes/fixed.toml",
            &format!(
                "hosts = \"host-2\"\n\n[container]\nimage = \"shipit-lab/flask-nanoservice:{{{{version}}}}\"\n\
                publish = [\"{port}:5000\"]\n\n[ready]\nhttp = \"/\"\n\n\
                [rollout]\nmin_healthy_time = \"1s\"\nhealthy_deadline = \"20s\"\n"
            ),
        );
    };
    publish("18080");
    project.ok(&format!("deploy fixed --set version={version}"));
    publish("18081");
    let deploy = Deploy {
        project: &project,
        environment: "fixed",
        recipe: "fixed",
        hosts: &["host-2"],
        version,
    };
    let fault = Fault {
        name: "the port is taken after the plan, fixed port".to_owned(),
        at: At::Phase("deploy"),
        lay: &|_| {
            outside::on(
                crate::lab::HOST_2,
                "docker run --detach --name squatter --publish 18081:80 --entrypoint sleep \
                $(docker inspect --format '{{.Config.Image}}' registrator) 300 >/dev/null",
            );
        },
        lift: &|| outside::on(crate::lab::HOST_2, "docker rm --force squatter >/dev/null"),
        may_lose: false,
        signal: false,
        keeps_state: false,
    };
    let mut matrix = Matrix::new(stage);
    matrix.try_out(&deploy, &fault);
    project.ok("down fixed --yes");
    matrix.end();
}

/// A second deploy comes while one is under way: it is kept out, and the first one does not notice.
fn two_deploys(stage: &Stage) {
    let mut matrix = Matrix::new(stage);
    let second = std::cell::Cell::new(None);
    let bob = stage.copy("faults-bob").as_user("bob");
    let fault = Fault {
        name: "a second deploy meanwhile".to_owned(),
        at: At::Step("host-1", "to be ready"),
        lay: &|_| second.set(bob.shipit("deploy staging --set version=v3").code),
        lift: &nothing,
        may_lose: false,
        signal: false,
        keeps_state: false,
    };
    matrix.app(START_FIRST, &fault);
    if second.get() != Some(4) {
        let failure = format!("the second deploy: exit code {:?}, not 4", second.get());
        matrix.failures.push(failure);
    }
    matrix.end();
}

/// What `make test` tries of it.
pub fn some_kills(stage: &Stage) {
    kills(stage, START_FIRST, FEW);
}

pub fn some_kills_stop_first(stage: &Stage) {
    kills(stage, STOP_FIRST, FEW);
}

pub fn interrupted_twice(stage: &Stage) {
    let mut matrix = Matrix::new(stage);
    signals(&mut matrix, "INT", START_FIRST, true);
    matrix.end();
}

pub fn telling(stage: &Stage) {
    of_hosts(stage, hosts::TELLING);
}
