//! What each reporter makes of recorded events. Nothing here waits or looks at a clock.

mod look;
mod pace;
mod recorded;
mod recordings;
mod screen;
mod secrets;
mod support;

use std::{
    io::{self, Write},
    time::Duration,
};

use self::{
    recorded::*,
    support::{Page, play},
};
use super::{Masks, Verbosity, drive, json, log_file, plain};
use crate::event::{
    Event, EventKind, Events, Outcome, OutputStream, PlanAction, PlanRow, ProbeSummary, Severity,
};

/// What plain output makes of events, each stream under its name.
fn plainly(events: &[Event], verbosity: Verbosity) -> String {
    let (out, err) = (Page::default(), Page::default());
    let mut reporter = plain(out.clone(), err.clone(), verbosity);
    play(&mut reporter, events);
    format!(
        "--- standard output\n{}--- standard error\n{}",
        out.text(),
        err.text()
    )
}

fn simple(command: &str, kinds: Vec<EventKind>) -> Vec<Event> {
    let mut events = vec![event(0, started(command, &["host-1", "host-2"]))];
    events.extend(kinds.into_iter().map(|kind| event(100, kind)));
    events
}

#[test]
fn plain_lines() {
    insta::assert_snapshot!(plainly(&deploy(), Verbosity::Normal));
}

#[test]
fn plain_lines_verbose() {
    insta::assert_snapshot!(plainly(&deploy(), Verbosity::Verbose));
}

#[test]
fn plain_lines_quiet() {
    insta::assert_snapshot!(plainly(&deploy(), Verbosity::Quiet));
}

#[test]
fn json_lines() {
    let page = Page::default();
    play(&mut json(page.clone()), &deploy());
    insta::assert_snapshot!(page.text());
    for (line, event) in page.text().lines().zip(deploy()) {
        assert_eq!(
            line,
            serde_json::to_string(&event).expect("an event serialises")
        );
    }
}

#[test]
fn the_log() {
    let page = Page::default();
    play(&mut log_file(page.clone()), &deploy());
    insta::assert_snapshot!(page.text());
}

fn serving(host: &str) -> EventKind {
    EventKind::HostState {
        row: row(host, Some("web"), Some("r42"), "serving", Severity::Good),
    }
}

/// Runs that change something, or would.
fn changing_runs() -> Vec<Vec<Event>> {
    let probe = EventKind::Probe {
        recipe: text("web"),
        summary: ProbeSummary {
            requests: 1_240,
            failed: 0,
            slowest: Duration::from_millis(84),
            p99: Duration::from_millis(31),
            first_failure: None,
        },
    };
    let release = |release: &str, description: &str| EventKind::Release {
        release: text(release),
        description: text(description),
    };
    let kept = EventKind::Plan {
        rows: vec![planned("host-1", "web", PlanAction::Keep, "web-r42")],
    };
    vec![
        simple(
            "deploy",
            vec![
                release("r42", ""),
                serving("host-1"),
                serving("host-2"),
                probe,
                finished(Outcome::Done, 12_345, None),
            ],
        ),
        simple(
            "deploy",
            vec![kept, finished(Outcome::NothingToDo, 930, None)],
        ),
        simple(
            "rollback",
            vec![
                release("r44", "r44 = r42 again"),
                finished(Outcome::Done, 8_100, None),
            ],
        ),
        simple("down", vec![finished(Outcome::Done, 4_000, None)]),
        simple("deploy", vec![finished(Outcome::Interrupted, 4_000, None)]),
    ]
}

/// Runs whose output is what was asked for.
fn showing_runs() -> Vec<Vec<Event>> {
    vec![
        simple(
            "exec",
            vec![
                prints("host-1", OutputStream::Stdout, "up 3 days"),
                prints("host-2", OutputStream::Stderr, "\x1b[2Jno\tsuch\x07 thing"),
                finished(Outcome::Done, 1_200, None),
            ],
        ),
        simple(
            "plan",
            vec![
                EventKind::Plan { rows: plan() },
                finished(Outcome::Done, 500, None),
            ],
        ),
        simple(
            "history",
            vec![
                EventKind::Result {
                    lines: vec![text("r42  2026-03-01 12:00  done")],
                },
                finished(Outcome::NothingToDo, 500, None),
            ],
        ),
        simple(
            "check",
            vec![serving("host-1"), finished(Outcome::NothingToDo, 500, None)],
        ),
        simple(
            "status",
            vec![serving("host-1"), finished(Outcome::NothingToDo, 500, None)],
        ),
    ]
}

#[test]
fn results() {
    let runs = changing_runs().into_iter().chain(showing_runs());
    let told: Vec<_> = runs
        .map(|events| {
            let normal = plainly(&events, Verbosity::Normal);
            let quiet = plainly(&events, Verbosity::Quiet);
            format!("{normal}--- and with -q\n{quiet}")
        })
        .collect();
    insta::assert_snapshot!(told.join("=====\n"));
}

#[test]
fn a_plan_for_many_hosts_stays_short() {
    let hosts: Vec<_> = (1..=300).map(|number| format!("web-{number:03}")).collect();
    let mut rows: Vec<_> = hosts
        .iter()
        .map(|host| PlanRow {
            reason: text("the image differs"),
            ..planned(host, "web", PlanAction::Replace, "web-r41")
        })
        .collect();
    rows.extend(
        hosts
            .iter()
            .map(|host| planned(host, "agent", PlanAction::Keep, "agent")),
    );
    let events = simple("plan", vec![EventKind::Plan { rows }]);
    insta::assert_snapshot!(plainly(&events, Verbosity::Normal));
}

#[test]
fn a_long_table_shows_what_is_not_good() {
    let mut kinds: Vec<_> = (1..=300)
        .map(|number| {
            let host = format!("web-{number:03}");
            let bad = number == 17;
            EventKind::HostState {
                row: if bad {
                    row(&host, Some("web"), None, "unreachable", Severity::Bad)
                } else {
                    row(&host, Some("web"), Some("r42"), "serving", Severity::Good)
                },
            }
        })
        .collect();
    kinds.push(finished(Outcome::Done, 90_000, None));
    insta::assert_snapshot!(plainly(&simple("deploy", kinds), Verbosity::Normal));
}

#[test]
fn what_is_quiet_for_long_is_still_running() {
    let (out, err) = (Page::default(), Page::default());
    let mut reporter = plain(out.clone(), err.clone(), Verbosity::Normal);
    reporter.event(&event(0, started("deploy", &["host-1", "a-longer-host"])));
    reporter.event(&event(
        0,
        begins("host-1", Some("web"), "see web-r42 ready"),
    ));
    reporter.event(&event(0, begins("a-longer-host", None, "send web:1.3")));
    reporter.event(&event(
        10_000,
        waits("host-1", "web", "Consul to report it passing", "critical"),
    ));
    reporter.event(&event(20_000, sends("a-longer-host", 45_200_000)));
    for second in [29, 30, 31, 59, 60, 61, 90] {
        reporter.tick(at(second * 1000));
    }
    insta::assert_snapshot!(err.text());
    assert_eq!(out.text(), "");
}

#[test]
fn a_closed_pipe_stops_nothing() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    play(&mut json(Closed), &deploy());
    play(&mut plain(Closed, Closed, Verbosity::Verbose), &deploy());
    play(&mut log_file(Closed), &deploy());
}

#[tokio::test]
async fn driving_masks_and_ends_when_the_senders_are_gone() {
    let (events, receiver) = Events::channel();
    let page = Page::default();
    let masks = Masks::new(["hunter2"]);
    events.send(prints("host-1", OutputStream::Stdout, "password=hunter2"));
    drop(events);
    drive(receiver, json(page.clone()), None, masks).await;
    let told: serde_json::Value = serde_json::from_str(&page.text()).expect("one line of JSON");
    assert_eq!(told["line"], "password=***");
}
