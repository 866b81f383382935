//! What each reporter makes of recorded events. Nothing here waits or looks at a clock.

mod recorded;
mod screen;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use proptest::prelude::*;

use self::recorded::*;
use super::*;
use crate::event::{
    Difference, ErrorReport, Event, EventKind, Events, Evidence, HostRow, Outcome, OutputStream,
    Phase, PlanAction, PlanRow, ProbeSummary, Severity,
};

/// A writer whose text can be read afterwards.
#[derive(Debug, Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut page = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        page.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn play(reporter: &mut BoxedReporter, events: &[Event]) {
    for event in events {
        reporter.tick(event.at);
        reporter.event(event);
    }
}

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
    drive(receiver, vec![json(page.clone())], masks).await;
    let told: serde_json::Value = serde_json::from_str(&page.text()).expect("one line of JSON");
    assert_eq!(told["line"], "password=***");
}

const SECRETS: [&str; 4] = ["hunter2", "pass\nphrase", "qu\"ote\\d", "hunter2hunter3"];

/// Text in which a secret may be, alone, among other things, or broken by a colour.
fn tainted() -> impl Strategy<Value = String> {
    let secret = prop::sample::select(&SECRETS[..]).prop_map(text);
    let broken = Just(text("hun\x1b[31mter2"));
    let noise = "[a-z \u{1b}é]{0,6}";
    prop::collection::vec(
        prop_oneof![secret, broken, noise.prop_map(|noise: String| noise)],
        1..4,
    )
    .prop_map(|parts| parts.concat())
}

/// The values that an event can hold, with the text in every string.
fn every_value(t: &str) -> (PlanRow, HostRow, ProbeSummary, ErrorReport) {
    let s = || text(t);
    let some = || Some(text(t));
    let difference = Difference {
        field: s(),
        old: some(),
        new: some(),
    };
    let plan_row = PlanRow {
        host: s(),
        recipe: s(),
        action: PlanAction::Replace,
        container: some(),
        reason: s(),
        differences: vec![difference],
        note: some(),
    };
    let host_row = HostRow {
        host: s(),
        recipe: some(),
        release: some(),
        state: s(),
        detail: some(),
        severity: Severity::Bad,
    };
    let summary = ProbeSummary {
        first_failure: some(),
        ..ProbeSummary::default()
    };
    let evidence = Evidence {
        title: s(),
        lines: vec![s()],
    };
    let error = ErrorReport {
        message: s(),
        causes: vec![s()],
        evidence: vec![evidence],
        hint: some(),
    };
    (plan_row, host_row, summary, error)
}

/// Every kind of event, with the text in every string.
fn every_kind(t: &str) -> Vec<EventKind> {
    let s = || text(t);
    let some = || Some(text(t));
    let (plan_row, host_row, summary, error) = every_value(t);
    vec![
        EventKind::Started {
            command: s(),
            environment: s(),
            hosts: vec![s()],
        },
        EventKind::Phase {
            phase: Phase::Deploy,
        },
        EventKind::Release {
            release: s(),
            description: s(),
        },
        EventKind::HostSteps {
            host: s(),
            total: 3,
        },
        EventKind::Plan {
            rows: vec![plan_row],
        },
        begins(t, Some(t), t),
        waits(t, t, t, t),
        EventKind::Transfer {
            host: s(),
            what: s(),
            bytes: 1,
            total: None,
        },
        prints(t, OutputStream::Stdout, t),
        ends(t, Some(t), t, 1, t),
        EventKind::StepFailed {
            host: s(),
            recipe: some(),
            step: s(),
            error: vec![s()],
            evidence: vec![s()],
        },
        EventKind::Warning {
            host: some(),
            message: s(),
            hint: some(),
        },
        EventKind::Note { message: s() },
        EventKind::Result { lines: vec![s()] },
        EventKind::Question { question: s() },
        EventKind::Answered,
        EventKind::Probe {
            recipe: s(),
            summary,
        },
        EventKind::HostState { row: host_row },
        finished(Outcome::Failed, 1, Some(error)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_sink_ever_has_a_secret(text in tainted()) {
        let masks = Masks::new(SECRETS);
        let (out, err, lines, log) =
            (Page::default(), Page::default(), Page::default(), Page::default());
        let (bars, screen) = screen::bars(60, 300, Verbosity::Verbose);
        let mut reporters = [
            plain(out.clone(), err.clone(), Verbosity::Verbose),
            json(lines.clone()),
            log_file(log.clone()),
            bars,
        ];
        let mut shown = String::new();
        for kind in every_kind(&text) {
            let mut event = event(0, kind);
            masks.mask_event(&mut event);
            for reporter in &mut reporters {
                reporter.event(&event);
                reporter.tick(event.at);
            }
        }
        for page in [out, err, lines, log] {
            shown += &page.text();
        }
        // What was drawn was seen, even where it is gone.
        shown += &screen.moves_since_last_check();
        for secret in ["hunter2", "phrase", "qu\"ote", "qu\\\"ote", "hunter3"] {
            prop_assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}
