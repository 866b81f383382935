//! The lines of a step: that it began, waits, still runs, finished or failed.

use std::{fmt::Write, time::Duration};

use jiff::Timestamp;

use super::{
    error::evidence_lines,
    line::{Level, Lines, Stream},
    progress::{OpenStep, since, title},
};
use crate::report::text::{Paint, clean, precise_seconds, whole_seconds};

/// A step of a host, with the recipe it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    host: &'a str,
    recipe: Option<&'a str>,
    name: &'a str,
}

impl<'a> Step<'a> {
    pub(super) fn new(host: &'a str, recipe: Option<&'a str>, name: &'a str) -> Self {
        Self { host, recipe, name }
    }

    fn title(self) -> String {
        clean(&title(self.recipe, self.name))
    }
}

/// `host-1  · start web-r42`.
pub(super) fn push_started(lines: &mut Lines, step: Step) {
    let mark = lines.err().paint(Paint::Faint, "·");
    let prefix = lines.prefix(step.host, lines.err());
    lines.push_progress(Level::Verbose, format!("{prefix}{mark} {}", step.title()));
}

/// `host-1  ✓ start web-r42: 192.0.2.1:32768 (1.2s)`.
pub(super) fn push_finished(lines: &mut Lines, step: Step, took: Duration, detail: Option<&str>) {
    let painter = lines.err();
    let mark = painter.paint(Paint::Good, "✓");
    let took = painter.paint(Paint::Faint, format!("({})", precise_seconds(took)));
    let detail = detail.map_or_else(String::new, |detail| format!(": {}", clean(detail)));
    let text = format!("{}{detail} {took}", step.title());
    lines.push_of_host(Level::Normal, step.host, &mark, &text);
}

/// `host-1  ✗ start web-r42: fact: cause`, and the evidence below.
pub(super) fn push_failed(lines: &mut Lines, step: Step, error: &[String], evidence: &[String]) {
    let painter = lines.err();
    let mark = painter.paint(Paint::Bad, "✗");
    let error: Vec<_> = error.iter().map(|part| clean(part)).collect();
    let text = format!("{}: {}", step.title(), error.join(": "));
    lines.push_of_host(Level::Normal, step.host, &mark, &text);
    let prefix = lines.prefix(step.host, painter);
    // The error at the end has it too, but only of the failure that decided the run.
    for line in evidence_lines(evidence, painter) {
        lines.push(Level::Verbose, Stream::Err, format!("{prefix}  {line}"));
    }
}

/// `host-1  … waiting for Consul to report it passing; last saw: critical`.
pub(super) fn push_waiting(lines: &mut Lines, host: &str, waits_for: &str, last_seen: &str) {
    let mark = lines.err().paint(Paint::Faint, "…");
    let prefix = lines.prefix(host, lines.err());
    let (waits_for, last_seen) = (clean(waits_for), clean(last_seen));
    lines.push_progress(
        Level::Verbose,
        format!("{prefix}{mark} waiting for {waits_for}; last saw: {last_seen}"),
    );
}

/// `host-1  … still running: send web:1.3 (30s, 45.20 MB of 120.00 MB)`.
pub(super) fn push_still_running(lines: &mut Lines, host: &str, open: &OpenStep, now: Timestamp) {
    let mark = lines.err().paint(Paint::Faint, "…");
    let prefix = lines.prefix(host, lines.err());
    let title = clean(&open.title());
    let time = whole_seconds(since(open.since, now));
    let mut line = format!("{prefix}{mark} still running: {title} ({time}");
    if let Some(transfer) = &open.transfer {
        let _ = write!(line, ", {}", transfer.describe(now));
    }
    line.push(')');
    if let Some((waits_for, last_seen)) = &open.waiting {
        let (waits_for, last_seen) = (clean(waits_for), clean(last_seen));
        let _ = write!(line, ", waiting for {waits_for}; last saw: {last_seen}");
    }
    lines.push_progress(Level::Normal, line);
}
