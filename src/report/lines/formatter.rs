//! Formats events as lines. Plain output, the lines above the bars and the log file share its words.

use std::{fmt::Write, time::Duration};

use jiff::Timestamp;

use super::{
    plan,
    progress::{OpenStep, Progress, since, title},
    run::{self, Run, evidence_lines, push_titled},
};
use crate::{
    event::{ErrorReport, Event, EventKind, Outcome, OutputStream, Phase},
    report::text::{Paint, Painter, bytes, clean, clean_lines, counted, pad, took, whole_seconds},
};

/// How long a step may be quiet before a line says that it still goes on.
const QUIET: Duration = Duration::from_secs(30);

/// The widest column of host names; longer ones push their line to the right.
const WIDEST_PREFIX: usize = 30;

/// Where a line belongs: results on standard output, all else on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Stream {
    Out,
    Err,
}

/// A line to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Line {
    pub(in crate::report) stream: Stream,
    pub(in crate::report) text: String,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum Level {
    Quiet,
    Normal,
    Verbose,
    /// What no one wants to see and everyone wants to have kept.
    Everything,
}

/// How lines are made.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct LineOptions {
    pub(in crate::report) level: Level,
    /// Whether bars show what goes on, so that lines need not.
    pub(in crate::report) with_bars: bool,
    pub(in crate::report) out: Painter,
    pub(in crate::report) err: Painter,
}

/// Follows a run and formats it.
#[derive(Debug)]
pub(in crate::report) struct LineFormatter {
    pub(in crate::report) options: LineOptions,
    pub(in crate::report) run: Run,
    pub(in crate::report) progress: Progress,
    pub(in crate::report) phase: Option<Phase>,
    pub(in crate::report) started: Option<Timestamp>,
}

impl LineFormatter {
    pub(in crate::report) fn new(options: LineOptions) -> Self {
        Self {
            options,
            run: Run::default(),
            progress: Progress::default(),
            phase: None,
            started: None,
        }
    }

    /// The lines for an event.
    pub(in crate::report) fn event(&mut self, event: &Event) -> Vec<Line> {
        self.progress.event(event);
        let mut lines = Vec::new();
        match &event.kind {
            EventKind::Started {
                command,
                environment,
                hosts,
            } => {
                self.run.command.clone_from(command);
                self.run.environment.clone_from(environment);
                self.run.hosts = hosts.len();
                self.started = Some(event.at);
                let hosts = counted(hosts.len(), "host");
                let line = format!("{} {} on {hosts}", clean(command), clean(environment));
                self.push_progress(&mut lines, Level::Normal, &line);
            }
            EventKind::Phase { phase } => {
                self.phase = Some(*phase);
                self.push_progress(&mut lines, Level::Normal, phase_name(*phase));
            }
            EventKind::Release {
                release,
                description,
            } => {
                self.run.release = Some(release.clone());
                self.run.description.clone_from(description);
                let colon = if description.is_empty() { "" } else { ": " };
                let line = format!("release {}{colon}{}", clean(release), clean(description));
                self.push(&mut lines, Level::Normal, Stream::Err, &line);
            }
            EventKind::Plan { rows } => self.plan(&mut lines, rows),
            EventKind::Note { message } => {
                for line in clean_lines(message) {
                    self.push(&mut lines, Level::Normal, Stream::Err, &line);
                }
            }
            EventKind::Warning {
                host,
                message,
                hint,
            } => self.warning(&mut lines, host.as_deref(), message, hint.as_deref()),
            EventKind::Result { lines: results } => {
                for line in results.iter().flat_map(|line| clean_lines(line)) {
                    self.push(&mut lines, Level::Quiet, Stream::Out, &line);
                }
            }
            EventKind::Output { host, stream, line } => {
                let level = if self.run.is_about_output() {
                    Level::Quiet
                } else {
                    Level::Normal
                };
                let (stream, painter) = match stream {
                    OutputStream::Stdout => (Stream::Out, self.options.out),
                    OutputStream::Stderr => (Stream::Err, self.options.err),
                };
                let bar = painter.paint(Paint::Faint, "|");
                let line = format!("{}{bar} {}", self.prefix(host, painter), clean(line));
                self.push(&mut lines, level, stream, &line);
            }
            EventKind::Probe { recipe, summary } => {
                self.run.keep_probe(recipe, summary);
                self.everything(&mut lines, &event.kind);
            }
            EventKind::HostState { row } => self.run.rows.push(row.clone()),
            EventKind::Finished {
                outcome,
                took,
                error,
            } => self.end(&mut lines, *outcome, *took, error.as_ref()),
            EventKind::HostSteps { .. }
            | EventKind::Transfer { .. }
            | EventKind::Question { .. }
            | EventKind::Answered => self.everything(&mut lines, &event.kind),
            EventKind::StepStarted { .. }
            | EventKind::StepFinished { .. }
            | EventKind::StepFailed { .. }
            | EventKind::Waiting { .. } => self.step(&mut lines, event),
        }
        lines
    }

    /// A line for every step that has been quiet for long.
    pub(in crate::report) fn tick(&mut self, now: Timestamp) -> Vec<Line> {
        let mut still = Vec::new();
        for host in self.progress.hosts_mut() {
            for open in &mut host.open {
                if since(open.last_shown, now) >= QUIET {
                    open.last_shown = now;
                    still.push((host.name.clone(), still_running(open, now)));
                }
            }
        }
        let mut lines = Vec::new();
        let painter = self.options.err;
        for (host, text) in still {
            let mark = painter.paint(Paint::Faint, "…");
            let line = format!("{}{mark} {text}", self.prefix(&host, painter));
            self.push_progress(&mut lines, Level::Normal, &line);
        }
        lines
    }

    fn step(&mut self, lines: &mut Vec<Line>, event: &Event) {
        let painter = self.options.err;
        match &event.kind {
            EventKind::StepStarted { host, recipe, step } => {
                let title = clean(&title(recipe.as_deref(), step));
                let mark = painter.paint(Paint::Faint, "·");
                let line = format!("{}{mark} {title}", self.prefix(host, painter));
                self.push_progress(lines, Level::Verbose, &line);
            }
            EventKind::StepFinished {
                host,
                recipe,
                step,
                took,
                detail,
            } => {
                let title = clean(&title(recipe.as_deref(), step));
                let mark = painter.paint(Paint::Good, "✓");
                let took = painter.paint(Paint::Faint, format!("({})", self::took(*took)));
                let detail = detail
                    .as_deref()
                    .map_or_else(String::new, |detail| format!(": {}", clean(detail)));
                let line = format!(
                    "{}{mark} {title}{detail} {took}",
                    self.prefix(host, painter)
                );
                self.push(lines, Level::Normal, Stream::Err, &line);
            }
            EventKind::StepFailed {
                host,
                recipe,
                step,
                error,
                evidence,
            } => {
                let title = clean(&title(recipe.as_deref(), step));
                let mark = painter.paint(Paint::Bad, "✗");
                let error: Vec<_> = error.iter().map(|part| clean(part)).collect();
                let error = error.join(": ");
                let line = format!("{}{mark} {title}: {error}", self.prefix(host, painter));
                self.push(lines, Level::Normal, Stream::Err, &line);
                // The error at the end has it too, but only of the failure that decided the run.
                for line in evidence_lines(evidence, painter) {
                    let line = format!("{}  {line}", self.prefix(host, painter));
                    self.push(lines, Level::Verbose, Stream::Err, &line);
                }
            }
            EventKind::Waiting {
                host,
                recipe: _,
                waits_for,
                last_seen,
            } if self.options.level >= Level::Verbose && !self.options.with_bars => {
                let waits_for = clean(waits_for);
                let mark = painter.paint(Paint::Faint, "…");
                let prefix = self.prefix(host, painter);
                let seen = clean(last_seen);
                let line = format!("{prefix}{mark} waiting for {waits_for}; last saw: {seen}");
                self.push_progress(lines, Level::Verbose, &line);
                for of_host in self.progress.hosts_mut() {
                    if of_host.name == *host {
                        of_host
                            .open
                            .iter_mut()
                            .for_each(|open| open.last_shown = event.at);
                    }
                }
            }
            _ => {}
        }
    }

    /// A plan is shown when it was asked for, and before it is carried out; one that changes nothing
    /// is no news in a deploy.
    fn plan(&self, lines: &mut Vec<Line>, rows: &[crate::event::PlanRow]) {
        let level = match plan::changes_anything(rows) {
            _ if self.run.is_about_plan() => Level::Quiet,
            true => Level::Normal,
            false => Level::Verbose,
        };
        let options = plan::PlanOptions {
            painter: self.options.out,
            complete: self.options.level >= Level::Verbose,
        };
        for line in plan::lines(rows, options) {
            self.push(lines, level, Stream::Out, &line);
        }
    }

    fn warning(
        &self,
        lines: &mut Vec<Line>,
        host: Option<&str>,
        message: &str,
        hint: Option<&str>,
    ) {
        let painter = self.options.err;
        let text = match host {
            Some(host) => format!("{}: {message}", clean(host)),
            None => message.to_owned(),
        };
        let mut texts = Vec::new();
        push_titled(&mut texts, "", "warning:", Paint::Notable, &text, painter);
        if let Some(hint) = hint {
            push_titled(&mut texts, "  ", "hint:", Paint::Progress, hint, painter);
        }
        for text in texts {
            self.push(lines, Level::Quiet, Stream::Err, &text);
        }
    }

    fn end(
        &self,
        lines: &mut Vec<Line>,
        outcome: Outcome,
        took: Duration,
        error: Option<&ErrorReport>,
    ) {
        let LineOptions {
            level,
            with_bars: _,
            out,
            err,
        } = self.options;
        let run = &self.run;
        let complete = level >= Level::Verbose || run.is_about_hosts();
        let unexplained = run::error_of(outcome, took);
        if let Some(error) = error.or(unexplained.as_ref()) {
            for line in run.probe_lines(err) {
                self.push(lines, Level::Normal, Stream::Err, &line);
            }
            for line in run.error_lines(error, err, complete) {
                self.push(lines, Level::Quiet, Stream::Err, &line);
            }
            return;
        }
        // Where a command's output is the result, what we say about it must not get into a pipe.
        let (stream, painter, result_level) = if run.is_about_output() || run.is_about_plan() {
            (Stream::Err, err, Level::Normal)
        } else {
            (Stream::Out, out, Level::Quiet)
        };
        let table_level = if run.is_about_hosts() {
            Level::Quiet
        } else {
            Level::Normal
        };
        for line in run.table(painter, complete) {
            self.push(lines, table_level, stream, &line);
        }
        for line in run.probe_lines(painter) {
            self.push(lines, result_level, stream, &line);
        }
        if let Some(result) = run.result(outcome, took) {
            let line = painter.paint(Paint::Strong, result);
            self.push(lines, result_level, stream, &line);
        }
    }

    /// What only the log has: the event as it is.
    fn everything(&self, lines: &mut Vec<Line>, kind: &EventKind) {
        if self.options.level == Level::Everything {
            let text = serde_json::to_string(kind).unwrap_or_default();
            self.push(lines, Level::Everything, Stream::Err, &clean(&text));
        }
    }

    fn push(&self, lines: &mut Vec<Line>, level: Level, stream: Stream, text: &str) {
        if self.options.level >= level {
            let text = text.to_owned();
            lines.push(Line { stream, text });
        }
    }

    /// Adds a line that bars make needless.
    fn push_progress(&self, lines: &mut Vec<Line>, level: Level, text: &str) {
        if !self.options.with_bars {
            self.push(lines, level, Stream::Err, text);
        }
    }

    /// The host's name in a column as wide as the inventory's names.
    fn prefix(&self, host: &str, painter: Painter) -> String {
        let width = self.progress.name_width().min(WIDEST_PREFIX);
        let name = clean(host);
        pad(&painter.paint(Paint::Strong, name), width) + "  "
    }
}

/// What a phase is called while it lasts.
pub(in crate::report) fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => "connecting",
        Phase::Preflight => "checking the hosts",
        Phase::Lock => "taking the lock",
        Phase::Observe => "looking at what runs",
        Phase::Plan => "planning",
        Phase::Pull => "getting the images",
        Phase::Deploy => "deploying",
        Phase::Revert => "reverting",
        Phase::Record => "recording the release",
        Phase::Prune => "removing what is no longer needed",
    }
}

fn still_running(open: &OpenStep, now: Timestamp) -> String {
    let title = clean(&open.title());
    let mut text = format!(
        "still running: {title} ({}",
        whole_seconds(since(open.since, now))
    );
    if let Some(transfer) = &open.transfer {
        let _ = write!(text, ", {}", sent(transfer.bytes, transfer.total));
    }
    text.push(')');
    if let Some((waits_for, last_seen)) = &open.waiting {
        let (waits_for, last_seen) = (clean(waits_for), clean(last_seen));
        let _ = write!(text, ", waiting for {waits_for}; last saw: {last_seen}");
    }
    text
}

/// `45.20 MB of 120.00 MB`.
pub(in crate::report) fn sent(sent: u64, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("{} of {}", bytes(sent), bytes(total)),
        None => bytes(sent),
    }
}
