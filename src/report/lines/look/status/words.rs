//! What a container's row says, in words.

use std::{collections::BTreeMap, time::Duration};

use indicatif::HumanDuration;
use jiff::Timestamp;

use crate::{
    event::{InstanceRow, Severity},
    report::text::{Paint, Painter, clean},
};

/// Stands where nothing is known, or nothing is to be known.
pub(super) const NOTHING: &str = "–";

/// `running`, `exited (137)`, `missing`, in its colour.
pub(super) fn state(row: &InstanceRow, painter: Painter) -> String {
    let paint = match (&*row.state, row.severity) {
        ("running", Severity::Good | Severity::Bad) => Paint::Good,
        (_, Severity::Notable) => Paint::Notable,
        _ => Paint::Bad,
    };
    let exit_code = row.exit_code.filter(|_| row.state != "running");
    let exit_code = exit_code.map_or_else(String::new, |code| format!(" ({code})"));
    painter.paint(paint, clean(&row.state) + &exit_code)
}

/// What docker and Consul say of it, the shorter words alone.
pub(super) fn health(row: &InstanceRow, painter: Painter) -> String {
    let words = [&row.docker_health, &row.consul_health];
    let words = words.into_iter().flatten().map(|said| {
        let word = said.split(':').next().unwrap_or_default();
        let paint = match word {
            "healthy" | "passing" | "has a leader" => Paint::Good,
            "starting" | "unknown" => Paint::Notable,
            _ => Paint::Bad,
        };
        let word = if word == "has a leader" {
            "leader"
        } else {
            word
        };
        painter.paint(paint, clean(word))
    });
    or_nothing(&words.collect::<Vec<_>>())
}

/// The balancers that route to it; those that do not and those that cannot be asked are marked.
pub(super) fn routed(row: &InstanceRow, painter: Painter) -> String {
    let mut balancers = BTreeMap::<&str, Vec<Option<bool>>>::new();
    for route in &row.routes {
        balancers
            .entry(&route.balancer)
            .or_default()
            .push(route.routed);
    }
    let words = balancers.into_iter().map(|(balancer, routed)| {
        let name = clean(balancer);
        let yes = routed.iter().filter(|it| **it == Some(true)).count();
        if yes == routed.len() {
            painter.paint(Paint::Good, name)
        } else if routed.contains(&Some(false)) && yes > 0 {
            painter.paint(Paint::Bad, format!("{name} {yes}/{}", routed.len()))
        } else if routed.contains(&Some(false)) {
            painter.paint(Paint::Bad, format!("not {name}"))
        } else {
            painter.paint(Paint::Notable, format!("{name}?"))
        }
    });
    or_nothing(&words.collect::<Vec<_>>())
}

/// How long it is in its state.
pub(super) fn since(row: &InstanceRow, now: Timestamp) -> String {
    row.since
        .map_or_else(|| NOTHING.to_owned(), |since| ago(since, now))
}

/// How long ago something was, in the largest unit that says enough: `3 hours`. The clocks of hosts may differ.
pub(in super::super) fn ago(at: Timestamp, now: Timestamp) -> String {
    HumanDuration(age(at, now)).to_string()
}

/// How long ago something was.
pub(super) fn age(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or_default()
}

fn or_nothing(words: &[String]) -> String {
    if words.is_empty() {
        NOTHING.to_owned()
    } else {
        words.join(", ")
    }
}
