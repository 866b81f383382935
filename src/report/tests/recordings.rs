//! What commands printed with `--output json` on the hosts of a lab, as it is on terminals of 120, 80 and 40 columns and
//! in a pipe. A recording is made anew with `shipit restart lab shop --output json`, and so on.

use std::time::Duration;

use serde_json::Value;

use super::support::{Page, bars, play, wide_as};
use crate::{
    event::{Difference, Event, EventKind, HostRow, Outcome, Phase, PlanAction, PlanRow, Severity},
    report::Verbosity,
};

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn perhaps(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(text).collect()
}

fn milliseconds(value: &Value) -> Duration {
    Duration::from_millis(value.as_u64().expect("a number"))
}

/// The one of these whose word in JSON this is.
fn word<T: serde::Serialize + Copy>(value: &Value, all: &[T]) -> T {
    let is_it = |one: &&T| serde_json::to_value(one).is_ok_and(|it| it == *value);
    let found = all.iter().find(is_it);
    *found.unwrap_or_else(|| panic!("{value} is none of them"))
}

fn phase(value: &Value) -> Phase {
    use Phase::{Connect, Deploy, Lock, Observe, Plan, Preflight, Prune, Pull, Record};
    word(
        value,
        &[
            Connect, Preflight, Lock, Observe, Plan, Pull, Deploy, Record, Prune,
        ],
    )
}

fn plan_row(row: &Value) -> PlanRow {
    use PlanAction::{Keep, Replace, Start, Stop};
    let difference = |value: &Value| Difference {
        field: text(&value["field"]),
        old: perhaps(&value["old"]),
        new: perhaps(&value["new"]),
    };
    let differences = row["differences"].as_array().expect("a list");
    PlanRow {
        host: text(&row["host"]),
        recipe: text(&row["recipe"]),
        action: word(&row["action"], &[Replace, Start, Stop, Keep]),
        container: perhaps(&row["container"]),
        reason: text(&row["reason"]),
        differences: differences.iter().map(difference).collect(),
        starts: Vec::new(),
        diff: Vec::new(),
        note: perhaps(&row["note"]),
    }
}

fn host_row(row: &Value) -> HostRow {
    use Severity::{Bad, Good, Notable};
    HostRow {
        host: text(&row["host"]),
        recipe: perhaps(&row["recipe"]),
        release: perhaps(&row["release"]),
        state: text(&row["state"]),
        detail: perhaps(&row["detail"]),
        severity: word(&row["severity"], &[Good, Notable, Bad]),
    }
}

fn kind(event: &Value) -> EventKind {
    let host = || text(&event["host"]);
    let recipe = || perhaps(&event["recipe"]);
    match text(&event["event"]).as_str() {
        "started" => EventKind::Started {
            command: text(&event["command"]),
            environment: text(&event["environment"]),
            hosts: texts(&event["hosts"]),
        },
        "phase" => EventKind::Phase {
            phase: phase(&event["phase"]),
        },
        "release" => EventKind::Release {
            release: text(&event["release"]),
            description: text(&event["description"]),
        },
        "plan" => EventKind::Plan {
            rows: event["rows"]
                .as_array()
                .expect("rows")
                .iter()
                .map(plan_row)
                .collect(),
        },
        "host-steps" => EventKind::HostSteps {
            host: host(),
            total: event["total"].as_u64().expect("a number"),
            waiting: milliseconds(&event["waiting_ms"]),
        },
        "estimate" => EventKind::Estimate {
            rest: milliseconds(&event["rest_ms"]),
        },
        "step-started" => EventKind::StepStarted {
            host: host(),
            recipe: recipe(),
            step: text(&event["step"]),
        },
        "step-finished" => EventKind::StepFinished {
            host: host(),
            recipe: recipe(),
            step: text(&event["step"]),
            took: milliseconds(&event["took_ms"]),
            detail: perhaps(&event["detail"]),
        },
        "waiting" => EventKind::Waiting {
            host: host(),
            recipe: recipe(),
            waits_for: text(&event["waits_for"]),
            last_seen: text(&event["last_seen"]),
        },
        "countdown" => EventKind::Countdown {
            host: host(),
            recipe: recipe(),
            waits_for: text(&event["waits_for"]),
            lasts: milliseconds(&event["lasts_ms"]),
        },
        "warning" => EventKind::Warning {
            host: perhaps(&event["host"]),
            message: text(&event["message"]),
            hint: perhaps(&event["hint"]),
        },
        "result" => EventKind::Result {
            lines: texts(&event["lines"]),
        },
        "host-state" => EventKind::HostState {
            row: host_row(&event["row"]),
        },
        "finished" => EventKind::Finished {
            outcome: word(&event["outcome"], &[Outcome::Done, Outcome::NothingToDo]),
            took: milliseconds(&event["took_ms"]),
            error: None,
        },
        other => panic!("no recording has `{other}` yet"),
    }
}

/// Every event of a recording comes out as the same JSON.
fn events(recording: &str) -> Vec<Event> {
    let read = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("JSON");
        let event = Event {
            at: text(&value["at"]).parse().expect("a time"),
            kind: kind(&value),
        };
        let again = serde_json::to_value(&event).expect("JSON");
        assert_eq!(again, value, "it was read as it is");
        event
    };
    recording.lines().map(read).collect()
}

/// The end of a recording at each width.
fn at_all_widths(recording: &str) -> String {
    let events = events(recording);
    let mut all = String::new();
    for columns in [120, 80, 40] {
        let (mut reporter, screen) = bars(60, columns, Verbosity::Normal);
        play(&mut reporter, &events);
        all.extend([
            &*format!("--- {columns} columns\n"),
            &screen.contents(),
            "\n",
        ]);
    }
    let page = Page::default();
    let mut reporter = wide_as(None, page.clone());
    play(&mut reporter, &events);
    all + "--- a pipe\n" + &page.text()
}

macro_rules! recordings {
    ($($command:ident)*) => {$(
        #[test]
        fn $command() {
            let recording = include_str!(concat!("recordings/", stringify!($command), ".jsonl"));
            insta::assert_snapshot!(at_all_widths(recording));
        }
    )*};
}
recordings! { restart stop start prune setup }
