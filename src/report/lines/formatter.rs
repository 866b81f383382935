//! Formats events as lines. Plain output, the lines above the bars and the log file share its words.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    error::{error_lines, error_without_reason, push_titled},
    line::{Level, Line, LineOptions, Lines, Stream},
    look,
    phase::phase_name,
    plan,
    progress::{Progress, since},
    redraw::Redraw,
    run::Run,
    steps::{self, Step},
    table::table,
};
use crate::{
    event::{ErrorReport, Event, EventKind, Outcome, OutputStream, Phase, PlanRow},
    report::text::{Paint, clean, clean_lines, counted},
};

/// How long a step may be quiet before a line says that it still runs.
const QUIET: Duration = Duration::from_secs(30);

/// Follows a run and formats its events.
#[derive(Debug)]
pub(crate) struct LineFormatter {
    pub(crate) options: LineOptions,
    pub(crate) run: Run,
    pub(crate) progress: Progress,
    pub(crate) phase: Option<Phase>,
    pub(crate) started: Option<Timestamp>,
    /// When it should end, by what earlier releases took.
    pub(crate) ends: Option<Timestamp>,
    /// What stands on the screen that is drawn anew.
    redraw: Redraw,
}

impl LineFormatter {
    pub(crate) fn new(options: LineOptions) -> Self {
        Self {
            options,
            run: Run::default(),
            progress: Progress::default(),
            phase: None,
            started: None,
            ends: None,
            redraw: Redraw::default(),
        }
    }

    /// The lines for an event.
    pub(crate) fn event(&mut self, event: &Event) -> Vec<Line> {
        self.progress.event(event);
        self.remember(event);
        let mut lines = self.no_lines();
        match &event.kind {
            EventKind::Started {
                command,
                environment,
                hosts,
            } => {
                let hosts = counted(hosts.len(), "host");
                let line = format!("{} {} on {hosts}", clean(command), clean(environment));
                lines.push_progress(Level::Normal, line);
            }
            EventKind::Phase { phase } => lines.push_progress(Level::Normal, phase_name(*phase)),
            EventKind::Release {
                release,
                description,
            } => {
                let colon = if description.is_empty() { "" } else { ": " };
                let line = format!("release {}{colon}{}", clean(release), clean(description));
                lines.push(Level::Normal, Stream::Err, line);
            }
            EventKind::Plan { rows } => self.push_plan(&mut lines, rows),
            EventKind::StepStarted { .. }
            | EventKind::StepFinished { .. }
            | EventKind::StepFailed { .. }
            | EventKind::Waiting { .. } => self.push_step(&mut lines, event),
            EventKind::Note { message } => {
                for line in clean_lines(message) {
                    lines.push_prose(Level::Normal, Stream::Err, line, 2);
                }
            }
            EventKind::Warning {
                host,
                message,
                hint,
            } => self.push_warning(&mut lines, host.as_deref(), message, hint.as_deref()),
            EventKind::Result { lines: results } => {
                // One row stays one: who may write a record must not forge others in it.
                for line in results {
                    lines.push(Level::Quiet, Stream::Out, clean(line));
                }
            }
            EventKind::History { .. }
            | EventKind::Previews { .. }
            | EventKind::ReleaseDetails { .. }
            | EventKind::Comparison { .. }
            | EventKind::Status { .. } => self.push_look(&mut lines, event),
            EventKind::Output {
                host,
                container,
                stream,
                line,
            } => self.push_output(&mut lines, host, container.as_deref(), *stream, line),
            EventKind::HookOutput { on, line } => self.push_hook(&mut lines, on, line),
            EventKind::HostState { row: _ } => {}
            EventKind::Finished {
                outcome,
                took,
                error,
            } => self.push_end(&mut lines, *outcome, *took, error.as_ref()),
            EventKind::HostSteps { .. }
            | EventKind::Estimate { .. }
            | EventKind::Countdown { .. }
            | EventKind::Transfer { .. }
            | EventKind::Pull { .. }
            | EventKind::Question { .. }
            | EventKind::Answered
            | EventKind::Probe { .. } => self.push_as_json(&mut lines, &event.kind),
        }
        lines.into_vec()
    }

    /// A line for every step that has been quiet for long.
    pub(crate) fn tick(&mut self, now: Timestamp) -> Vec<Line> {
        let mut lines = self.no_lines();
        for host in self.progress.hosts_mut() {
            for open in &mut host.open {
                if since(open.last_shown, now) >= QUIET {
                    open.last_shown = now;
                    steps::push_still_running(&mut lines, &host.name, open, now);
                }
            }
        }
        lines.into_vec()
    }

    fn no_lines(&self) -> Lines {
        Lines::new(self.options, self.progress.name_width())
    }

    /// Keeps what later lines need.
    fn remember(&mut self, event: &Event) {
        let run = &mut self.run;
        match &event.kind {
            EventKind::Started {
                command,
                environment,
                hosts,
            } => {
                run.command.clone_from(command);
                run.environment.clone_from(environment);
                run.hosts = hosts.len();
                self.started = Some(event.at);
            }
            EventKind::Phase { phase } => self.phase = Some(*phase),
            EventKind::Estimate { rest } => self.ends = event.at.checked_add(*rest).ok(),
            EventKind::Release {
                release,
                description,
            } => {
                run.release = Some(release.clone());
                run.description.clone_from(description);
            }
            EventKind::Probe { recipe, summary } => run.keep_probe(recipe, summary),
            EventKind::HostState { row } => run.rows.push(row.clone()),
            _ => {}
        }
    }

    /// A plan is shown when it was asked for, and before it is carried out; one that changes nothing
    /// is no news in a deploy.
    fn push_plan(&self, lines: &mut Lines, rows: &[PlanRow]) {
        let level = match plan::changes_anything(rows) {
            _ if self.run.is_about_plan() => Level::Quiet,
            true => Level::Normal,
            false => Level::Verbose,
        };
        let options = plan::PlanOptions {
            painter: self.options.out,
            complete: self.options.level >= Level::Verbose,
            width: self.options.width,
        };
        for line in plan::lines(rows, options) {
            lines.push(level, Stream::Out, line);
        }
    }

    fn push_step(&mut self, lines: &mut Lines, event: &Event) {
        match &event.kind {
            EventKind::StepStarted { host, recipe, step } => {
                steps::push_started(lines, Step::new(host, recipe.as_deref(), step));
            }
            EventKind::StepFinished {
                host,
                recipe,
                step,
                took,
                detail,
            } => {
                let step = Step::new(host, recipe.as_deref(), step);
                steps::push_finished(lines, step, *took, detail.as_deref());
            }
            EventKind::StepFailed {
                host,
                recipe,
                step,
                error,
                evidence,
            } => {
                let step = Step::new(host, recipe.as_deref(), step);
                steps::push_failed(lines, step, error, evidence);
            }
            EventKind::Waiting {
                host,
                recipe: _,
                waits_for,
                last_seen,
            } if lines.shows_progress(Level::Verbose) => {
                steps::push_waiting(lines, host, waits_for, last_seen);
                self.progress.mark_shown(host, event.at);
            }
            _ => {}
        }
    }

    /// What was asked for by those who only look. A status takes the rows of hosts with it that came before; where it is
    /// drawn anew it takes the place of the one before.
    fn push_look(&mut self, lines: &mut Lines, event: &Event) {
        let options = look::LookOptions {
            painter: self.options.out,
            width: self.options.width,
        };
        let mut shown = look::lines(&event.kind, event.at, options);
        if let EventKind::Status { form, .. } = &event.kind {
            let rows = std::mem::take(&mut self.run.rows);
            shown.extend(table(&rows, self.options.out, true));
            if form.redraws {
                self.redraw.take_place(&mut shown, self.options);
            }
        }
        for line in shown {
            lines.push(Level::Quiet, Stream::Out, line);
        }
    }

    /// A line that a command of the user's printed, or that a container logged. Each host has a colour.
    fn push_hook(&self, lines: &mut Lines, on: &str, line: &str) {
        let painter = self.options.err;
        let hook = painter.paint(Paint::Strong, format!("hook {}", clean(on)));
        let bar = painter.paint(Paint::Faint, "|");
        let text = format!("{hook} {bar} {}", clean(line));
        lines.push(Level::Normal, Stream::Err, text);
    }

    fn push_output(
        &self,
        lines: &mut Lines,
        host: &str,
        container: Option<&str>,
        stream: OutputStream,
        line: &str,
    ) {
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
        let paint = match self.progress.place(host) {
            Some(place) if self.run.is_about_output() => Paint::Host(place),
            _ => Paint::Strong,
        };
        let container =
            container.map_or_else(String::new, |name| painter.paint(paint, clean(name)) + "  ");
        let prefix = lines.prefix_in(host, paint, painter);
        let line = format!("{prefix}{container}{bar} {}", clean(line));
        lines.push(level, stream, line);
    }

    fn push_warning(
        &self,
        lines: &mut Lines,
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
        for text in texts {
            lines.push_prose(Level::Quiet, Stream::Err, text, "warning: ".len());
        }
        let mut texts = Vec::new();
        if let Some(hint) = hint {
            push_titled(&mut texts, "  ", "hint:", Paint::Progress, hint, painter);
        }
        for text in texts {
            lines.push(Level::Quiet, Stream::Err, text);
        }
    }

    fn push_end(
        &self,
        lines: &mut Lines,
        outcome: Outcome,
        took: Duration,
        error: Option<&ErrorReport>,
    ) {
        let LineOptions {
            level,
            with_bars: _,
            out,
            err,
            width,
            height: _,
        } = self.options;
        let run = &self.run;
        let complete = level >= Level::Verbose || run.is_about_hosts();
        let unexplained = error_without_reason(outcome, took);
        if let Some(error) = error.or(unexplained.as_ref()) {
            for line in run.probe_lines(err) {
                lines.push(Level::Normal, Stream::Err, line);
            }
            let rows = table(&run.rows, err, complete);
            for line in error_lines(error, rows, err, width) {
                lines.push(Level::Quiet, Stream::Err, line);
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
        for line in table(&run.rows, painter, complete) {
            lines.push(table_level, stream, line);
        }
        for line in run.probe_lines(painter) {
            lines.push(result_level, stream, line);
        }
        if let Some(result) = run.result(outcome, took) {
            lines.push(result_level, stream, painter.paint(Paint::Strong, result));
        }
    }

    /// What only the log has: the event as it is.
    fn push_as_json(&self, lines: &mut Lines, kind: &EventKind) {
        if self.options.level == Level::Everything {
            let text = serde_json::to_string(kind).unwrap_or_default();
            lines.push(Level::Everything, Stream::Err, clean(&text));
        }
    }
}
