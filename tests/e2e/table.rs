//! The one table of what was lost, and what each deploy took.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{lab, load::Tally, project::Run};

/// What the recipe lets pass on purpose while it replaces a container: `min_healthy_time`, `drain.wait`.
const HEALTHY: Duration = Duration::from_secs(2);
const DRAIN: Duration = Duration::from_secs(1);

/// A row.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    what: String,
    tally: Tally,
    deploys: Vec<Duration>,
    overheads: Vec<Duration>,
}

/// The rows so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Adds a scenario: its requests, and the deploys that were made meanwhile.
    pub fn add(&mut self, what: &str, tally: &Tally, deploys: &[Deployed]) {
        self.rows.push(Row {
            what: what.to_owned(),
            tally: tally.clone(),
            deploys: deploys.iter().map(|deployed| deployed.took).collect(),
            overheads: deploys
                .iter()
                .flat_map(|deployed| deployed.overheads.clone())
                .collect(),
        });
    }

    /// Adds the rows of another table.
    pub fn extend(&mut self, other: Self) {
        self.rows.extend(other.rows);
    }

    /// The median overhead of all replacements.
    pub fn overhead(&self) -> Option<Duration> {
        let all = self.rows.iter().flat_map(|row| &row.overheads);
        median(all.copied().collect())
    }

    pub fn show(&self) -> String {
        let mut text = format!(
            "{:<52}{:>9}{:>6}{:>9}{:>12}{:>10}\n",
            "scenario", "requests", "lost", "deploys", "time of one", "overhead"
        );
        for row in &self.rows {
            let one = mean(&row.deploys).map_or_else(String::new, seconds);
            let overhead = median(row.overheads.clone());
            let _ = writeln!(
                text,
                "{:<52}{:>9}{:>6}{:>9}{one:>12}{:>10}",
                row.what,
                row.tally.requests,
                row.tally.lost(),
                if row.deploys.is_empty() {
                    String::new()
                } else {
                    row.deploys.len().to_string()
                },
                overhead.map_or_else(String::new, seconds)
            );
            for (reason, number) in &row.tally.lost {
                let _ = writeln!(text, "    {number} × {reason}");
            }
        }
        let requests: u64 = self.rows.iter().map(|row| row.tally.requests).sum();
        let resent: u64 = self.rows.iter().map(|row| row.tally.resent).sum();
        let _ = write!(
            text,
            "{requests} requests in all; {resent} GETs were sent once more, as their kept connection had been closed"
        );
        text
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn median(mut durations: Vec<Duration>) -> Option<Duration> {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied()
}

fn mean(durations: &[Duration]) -> Option<Duration> {
    let number = u32::try_from(durations.len())
        .ok()
        .filter(|number| *number > 0)?;
    Some(durations.iter().sum::<Duration>() / number)
}

/// What is kept of one deploy.
#[derive(Debug)]
pub struct Deployed {
    /// How long all of it took.
    took: Duration,
    /// What each replacement took beside what is not ours.
    overheads: Vec<Duration>,
}

impl Deployed {
    pub fn from_events(run: &Run, events: &[Value]) -> Self {
        Self {
            took: run.took,
            overheads: overheads(events),
        }
    }
}

impl From<&Run> for Deployed {
    fn from(run: &Run) -> Self {
        Self {
            took: run.took,
            overheads: Vec::new(),
        }
    }
}

/// What each replacement of an app container took beside what is not ours: `docker run`, the app until it
/// answers and Consul's check has seen that, `min_healthy_time`, `drain.wait`, the connections that were
/// still open, and `docker stop`. What stays is ours, waiting for the balancer included.
fn overheads(events: &[Value]) -> Vec<Duration> {
    let mut hosts = BTreeMap::<&str, Vec<&Value>>::new();
    for event in events {
        if event["recipe"] == "flask-nanoservice"
            && let Some(host) = event["host"].as_str()
        {
            hosts.entry(host).or_default().push(event);
        }
    }
    hosts
        .values()
        .filter_map(|events| overhead(events))
        .collect()
}

fn overhead(events: &[&Value]) -> Option<Duration> {
    let step = |event: &Value| event["step"].as_str().unwrap_or_default().to_owned();
    let finished = |named: &str| {
        events
            .iter()
            .find(|event| event["event"] == "step-finished" && step(event).starts_with(named))
    };
    let took = |named: &str| {
        let milliseconds = finished(named)?["took_ms"].as_u64()?;
        Some(Duration::from_millis(milliseconds))
    };
    // Only whole replacements, one container in the place of one other.
    let starts =
        |event: &&&Value| event["event"] == "step-started" && step(event).starts_with("start ");
    if events.iter().filter(starts).count() != 1 {
        return None;
    }
    let (first, last) = (events.first()?, finished("keep ")?);
    let started = at(finished("start ")?)?;
    let ready = events.iter().rev().find(|event| {
        event["event"] == "waiting"
            && event["waits_for"]
                .as_str()
                .is_some_and(|gate| gate.ends_with("to be ready"))
            && event["last_seen"]
                .as_str()
                .is_some_and(|seen| seen.starts_with(&lab::here("192.168.50.")))
    })?;
    let not_ours = took("start ")?
        + at(ready)?.checked_sub(started)?
        + HEALTHY
        + DRAIN
        + took("wait for the connections of ")?
        + took("stop ")?;
    at(last)?.checked_sub(at(first)?)?.checked_sub(not_ours)
}

/// When an event happened, as a time that can be subtracted from others.
fn at(event: &Value) -> Option<Duration> {
    let at: Timestamp = event["at"].as_str()?.parse().ok()?;
    Duration::try_from(at.as_duration()).ok()
}
