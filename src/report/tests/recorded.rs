//! A recorded deploy of the reference topology that fails: the app's new version is healthy on host-1 and
//! fails on host-2, and both hosts are reverted. What every reporter makes of it is in
//! `snapshots/`.

use std::time::Duration;

use jiff::Timestamp;

use crate::event::{
    Difference, ErrorReport, Event, EventKind, Evidence, HostRow, Outcome, OutputStream, Phase,
    PlanAction, PlanRow, ProbeSummary, Severity,
};

/// 2026-03-01 12:00:00 UTC.
const BEGIN: i64 = 1_772_366_400;

/// So many milliseconds after the beginning of the recorded runs.
pub(super) fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(BEGIN * 1000 + milliseconds).expect("a time of this century")
}

pub(super) fn event(milliseconds: i64, kind: EventKind) -> Event {
    Event {
        at: at(milliseconds),
        kind,
    }
}

pub(super) fn text(text: &str) -> String {
    text.to_owned()
}

pub(super) fn started(command: &str, hosts: &[&str]) -> EventKind {
    EventKind::Started {
        command: text(command),
        environment: text("staging"),
        hosts: hosts.iter().copied().map(text).collect(),
    }
}

pub(super) fn steps(host: &str, total: u64) -> EventKind {
    EventKind::HostSteps {
        host: text(host),
        total,
        waiting: Duration::ZERO,
    }
}

pub(super) fn begins(host: &str, recipe: Option<&str>, step: &str) -> EventKind {
    EventKind::StepStarted {
        host: text(host),
        recipe: recipe.map(text),
        step: text(step),
    }
}

pub(super) fn ends(
    host: &str,
    recipe: Option<&str>,
    step: &str,
    took: u64,
    detail: &str,
) -> EventKind {
    EventKind::StepFinished {
        host: text(host),
        recipe: recipe.map(text),
        step: text(step),
        took: Duration::from_millis(took),
        detail: (!detail.is_empty()).then(|| text(detail)),
    }
}

pub(super) fn waits(host: &str, recipe: &str, waits_for: &str, last_seen: &str) -> EventKind {
    EventKind::Waiting {
        host: text(host),
        recipe: Some(text(recipe)),
        waits_for: text(waits_for),
        last_seen: text(last_seen),
    }
}

pub(super) fn sends(host: &str, bytes: u64) -> EventKind {
    EventKind::Transfer {
        host: text(host),
        what: text("flask-nanoservice:1.3"),
        bytes,
        total: Some(120_000_000),
    }
}

pub(super) fn prints(host: &str, stream: OutputStream, line: &str) -> EventKind {
    EventKind::Output {
        host: text(host),
        container: None,
        stream,
        line: text(line),
    }
}

pub(super) fn row(
    host: &str,
    recipe: Option<&str>,
    release: Option<&str>,
    state: &str,
    severity: Severity,
) -> HostRow {
    HostRow {
        host: text(host),
        recipe: recipe.map(text),
        release: release.map(text),
        state: text(state),
        detail: None,
        severity,
    }
}

pub(super) fn finished(outcome: Outcome, took: u64, error: Option<ErrorReport>) -> EventKind {
    EventKind::Finished {
        outcome,
        took: Duration::from_millis(took),
        error,
    }
}

pub(super) fn planned(host: &str, recipe: &str, action: PlanAction, container: &str) -> PlanRow {
    PlanRow {
        host: text(host),
        recipe: text(recipe),
        action,
        container: (!container.is_empty()).then(|| text(container)),
        reason: String::new(),
        differences: Vec::new(),
        starts: Vec::new(),
        diff: Vec::new(),
        note: None,
    }
}

/// The plan of the recorded deploy.
pub(super) fn plan() -> Vec<PlanRow> {
    let difference = |field: &str, old: Option<&str>, new: Option<&str>| Difference {
        field: text(field),
        old: old.map(text),
        new: new.map(text),
    };
    let replaced = |host| PlanRow {
        reason: text("the image and the environment differ"),
        differences: vec![
            difference(
                "image",
                Some("flask-nanoservice:1.2"),
                Some("flask-nanoservice:1.3"),
            ),
            difference("env.WORKERS", None, Some("4")),
            difference("env.DEBUG", Some("1"), None),
        ],
        ..planned(
            host,
            "flask-nanoservice",
            PlanAction::Replace,
            "flask-nanoservice-r41",
        )
    };
    let balancer = PlanRow {
        reason: text("host-3 has none"),
        note: Some(text(
            "its port is fixed: requests fail while it is replaced",
        )),
        ..planned("host-3", "dr-con", PlanAction::Create, "dr-con-r42")
    };
    let keeps = |host, recipe| planned(host, recipe, PlanAction::Keep, recipe);
    vec![
        keeps("host-1", "consul"),
        keeps("host-2", "consul"),
        keeps("host-3", "consul"),
        keeps("host-1", "registrator"),
        keeps("host-2", "registrator"),
        balancer,
        replaced("host-1"),
        replaced("host-2"),
    ]
}

const APP: &str = "flask-nanoservice";
const HOSTS: [&str; 3] = ["host-1", "host-2", "host-3"];
const UNHEALTHY: &str = "Consul to report 192.168.50.102:32771 passing";

/// The recorded deploy.
pub(super) fn deploy() -> Vec<Event> {
    [before(), images(), rollout(), revert(), end()].concat()
}

fn phase(phase: Phase) -> EventKind {
    EventKind::Phase { phase }
}

fn before() -> Vec<Event> {
    let mut events = vec![
        event(0, started("deploy", &HOSTS)),
        event(1, phase(Phase::Connect)),
    ];
    for (host, delay) in HOSTS.into_iter().zip(0..) {
        events.push(event(2, begins(host, None, "connect")));
        events.push(event(60 + delay, ends(host, None, "connect", 58, "")));
    }
    events.extend([
        event(70, phase(Phase::Preflight)),
        event(
            90,
            EventKind::Warning {
                host: Some(text("host-2")),
                message: text("only 1.2 GB are free on the disk of docker"),
                hint: Some(text(
                    "`shipit exec staging --hosts host-2 -- docker image prune -f`",
                )),
            },
        ),
        event(95, phase(Phase::Plan)),
        event(100, EventKind::Plan { rows: plan() }),
        event(
            110,
            EventKind::Release {
                release: text("r42"),
                description: text("flask-nanoservice 1.2 → 1.3"),
            },
        ),
        event(111, steps("host-1", 4)),
        event(111, steps("host-2", 4)),
        event(111, steps("host-3", 2)),
    ]);
    events
}

fn images() -> Vec<Event> {
    let send = "send flask-nanoservice:1.3";
    vec![
        event(120, phase(Phase::Pull)),
        event(121, begins("host-1", Some(APP), send)),
        event(121, begins("host-2", Some(APP), send)),
        event(122, begins("host-3", Some("dr-con"), "pull dr-con")),
        event(1_000, sends("host-1", 45_200_000)),
        event(1_050, sends("host-2", 12_000_000)),
        event(
            1_900,
            ends(
                "host-3",
                Some("dr-con"),
                "pull dr-con",
                1_778,
                "already there",
            ),
        ),
        event(4_000, sends("host-1", 120_000_000)),
        event(4_100, ends("host-1", Some(APP), send, 3_979, "120.00 MB")),
        event(5_000, sends("host-2", 120_000_000)),
        event(5_121, ends("host-2", Some(APP), send, 5_000, "120.00 MB")),
    ]
}

fn rollout() -> Vec<Event> {
    let start = "start flask-nanoservice-r42";
    let ready = "see flask-nanoservice-r42 ready";
    let probe = |requests, failed| EventKind::Probe {
        recipe: text(APP),
        summary: ProbeSummary {
            requests,
            failed,
            slowest: Duration::from_millis(84),
            p99: Duration::from_millis(31),
            first_failure: None,
        },
    };
    vec![
        event(5_200, phase(Phase::Deploy)),
        event(5_201, begins("host-3", Some("dr-con"), "start dr-con-r42")),
        event(
            5_900,
            ends("host-3", Some("dr-con"), "start dr-con-r42", 699, "port 80"),
        ),
        event(6_000, begins("host-1", Some(APP), start)),
        event(
            6_200,
            prints(
                "host-1",
                OutputStream::Stdout,
                "migrating \x1b[32mok\x1b[0m",
            ),
        ),
        event(
            6_700,
            ends("host-1", Some(APP), start, 700, "192.168.50.101:32769"),
        ),
        event(6_701, begins("host-1", Some(APP), ready)),
        event(
            6_800,
            waits(
                "host-1",
                APP,
                "Consul to report 192.168.50.101:32769 passing",
                "not registered",
            ),
        ),
        event(9_300, ends("host-1", Some(APP), ready, 2_599, "")),
        event(
            9_310,
            begins("host-1", Some(APP), "stop flask-nanoservice-r41"),
        ),
        event(
            10_310,
            ends("host-1", Some(APP), "stop flask-nanoservice-r41", 1_000, ""),
        ),
        event(10_400, probe(612, 0)),
        event(10_500, begins("host-2", Some(APP), start)),
        event(
            11_200,
            ends("host-2", Some(APP), start, 700, "192.168.50.102:32771"),
        ),
        event(11_201, begins("host-2", Some(APP), ready)),
        event(
            11_300,
            waits("host-2", APP, UNHEALTHY, "critical: GET / returned 500"),
        ),
        event(25_000, probe(1_100, 0)),
    ]
}

fn revert() -> Vec<Event> {
    vec![
        event(
            71_201,
            EventKind::StepFailed {
                host: text("host-2"),
                recipe: Some(text(APP)),
                step: text("see flask-nanoservice-r42 ready"),
                error: vec![
                    text("not healthy within 60s"),
                    text("Consul check `service:flask-nanoservice` critical: GET / returned 500"),
                ],
                evidence: vec![text("KeyError: 'DATABASE_URL'")],
            },
        ),
        event(71_210, phase(Phase::Revert)),
        event(71_211, steps("host-1", 2)),
        event(
            71_220,
            begins("host-1", Some(APP), "start flask-nanoservice-r41"),
        ),
        event(
            72_000,
            ends(
                "host-1",
                Some(APP),
                "start flask-nanoservice-r41",
                780,
                "192.168.50.101:32768",
            ),
        ),
        event(
            72_010,
            begins("host-1", Some(APP), "stop flask-nanoservice-r42"),
        ),
        event(
            73_000,
            ends("host-1", Some(APP), "stop flask-nanoservice-r42", 990, ""),
        ),
        event(
            73_010,
            begins("host-2", Some(APP), "remove flask-nanoservice-r42"),
        ),
        event(
            73_400,
            ends("host-2", Some(APP), "remove flask-nanoservice-r42", 390, ""),
        ),
        event(
            73_500,
            EventKind::Probe {
                recipe: text(APP),
                summary: ProbeSummary {
                    requests: 1_240,
                    failed: 0,
                    slowest: Duration::from_millis(84),
                    p99: Duration::from_millis(31),
                    first_failure: None,
                },
            },
        ),
    ]
}

fn end() -> Vec<Event> {
    let state = |row| EventKind::HostState { row };
    let error = ErrorReport {
        message: text(
            "deploy of `flask-nanoservice` r42 stopped: `host-2` failed its health check",
        ),
        causes: vec![text(
            "Consul check `service:flask-nanoservice` critical for 60s: GET / returned 500",
        )],
        evidence: vec![Evidence {
            title: text("last lines of `flask-nanoservice-r42` on `host-2`"),
            lines: vec![
                text("  File \"/app/app.py\", line 7, in index"),
                text("\x1b[31mKeyError: 'DATABASE_URL'\x1b[0m"),
            ],
        }],
        hint: Some(text(
            "`shipit logs staging flask-nanoservice --release r42` shows all of it",
        )),
    };
    let detailed = HostRow {
        detail: Some(text("192.168.50.101:32768")),
        ..row(
            "host-1",
            Some(APP),
            Some("r41"),
            "serving (reverted)",
            Severity::Notable,
        )
    };
    vec![
        event(73_600, state(detailed)),
        event(
            73_600,
            state(row(
                "host-2",
                Some(APP),
                Some("r41"),
                "serving",
                Severity::Good,
            )),
        ),
        event(
            73_600,
            state(row(
                "host-3",
                Some("dr-con"),
                Some("r42"),
                "serving",
                Severity::Good,
            )),
        ),
        event(73_700, finished(Outcome::Reverted, 73_700, Some(error))),
    ]
}
