//! A live bar per host on a terminal, with lines above for what is finished. The bars go to standard
//! error; lines go where plain output has them, so that a pipe gets the same from both.

mod layout;
mod terminal;

use std::{fmt, io::Write, sync::Arc};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use jiff::Timestamp;

use self::{
    layout::{BAR, FULL, LiveLine},
    terminal::Terminal,
};
use super::{
    lines::{Line, LineFormatter, LineOptions, Stream},
    reporter::Reporter,
    sink::Sink,
    text::{Paint, clean},
};
use crate::event::{Event, EventKind};

/// How the bars use the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Bars are drawn.
    Drawing,
    /// The user is typing: nothing may be drawn, so lines wait.
    Prompting,
    /// The run ended and the bars are gone.
    Finished,
}

/// Draws a bar per host.
///
/// All drawing is done in frames, at ticks: indicatif draws every bar for each one that changes, and with
/// hundreds of hosts at work that would be more than a terminal can take.
pub(super) struct Bars {
    formatter: LineFormatter,
    terminal: Terminal,
    multi: MultiProgress,
    slots: Vec<ProgressBar>,
    /// What the bars show.
    frame: Vec<LiveLine>,
    /// The terminal's width when they were drawn.
    width: usize,
    /// Lines for the next frame to put above the bars.
    waiting: Vec<Line>,
    stage: Stage,
    out: Sink,
    err: Sink,
}

impl Bars {
    /// Bars on a terminal; lines go to the two writers, which may show on the same terminal.
    pub(super) fn new(
        terminal: Arc<dyn TermLike>,
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        options: LineOptions,
    ) -> Self {
        let terminal = Terminal::new(terminal);
        Self {
            formatter: LineFormatter::new(LineOptions {
                with_bars: true,
                ..options
            }),
            multi: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
            slots: Vec::new(),
            frame: Vec::new(),
            width: terminal.columns(),
            terminal,
            waiting: Vec::new(),
            stage: Stage::Drawing,
            out: Sink::new(out),
            err: Sink::new(err),
        }
    }

    /// Shows waiting lines and where the hosts are at `now`.
    fn show(&mut self, now: Timestamp) {
        let (rows, columns) = (self.terminal.rows(), self.terminal.columns());
        let frame = layout::lines(&self.formatter, rows, columns, now);
        if frame == self.frame && columns == self.width && self.waiting.is_empty() {
            return;
        }
        self.clear();
        self.print();
        self.draw(frame);
        self.width = columns;
    }

    /// Takes the bars off the screen.
    ///
    /// A terminal that became narrower has broken each of their lines into several, as indicatif fills
    /// lines to their end.
    fn clear(&mut self) {
        let broken_into = self.width.div_ceil(self.terminal.columns());
        let rows = (self.frame.len() * broken_into).min(self.terminal.rows());
        self.terminal.clear_upwards(rows);
        self.frame.clear();
    }

    /// Writes the waiting lines where the bars were.
    fn print(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let _ = self.terminal.flush();
        for Line { stream, text } in self.waiting.drain(..) {
            match stream {
                Stream::Out => self.out.line(&text),
                Stream::Err => self.err.line(&text),
            }
        }
    }

    /// Draws the bars below what is on the screen, all at once: they are filled on a hidden target, and
    /// only the last one draws on the terminal.
    fn draw(&mut self, frame: Vec<LiveLine>) {
        self.multi.set_draw_target(self.terminal.hidden_target());
        for bar in self.slots.drain(frame.len().min(self.slots.len())..) {
            self.multi.remove(&bar);
        }
        while self.slots.len() < frame.len() {
            self.slots.push(self.multi.add(ProgressBar::no_length()));
        }
        for (bar, line) in self.slots.iter().zip(&frame) {
            fill(bar, line, self.formatter.options);
        }
        let target = ProgressDrawTarget::term_like(Box::new(self.terminal.clone()));
        self.multi.set_draw_target(target);
        if let Some(bar) = self.slots.last() {
            bar.tick();
        }
        let _ = self.terminal.flush();
        self.frame = frame;
    }

    /// Leaves the screen without bars and with every line.
    fn leave(&mut self, stage: Stage) {
        if self.stage == Stage::Drawing {
            self.clear();
            self.draw(Vec::new());
        }
        self.stage = stage;
        self.print();
    }
}

impl Reporter for Bars {
    fn event(&mut self, event: &Event) {
        let lines = self.formatter.event(event);
        self.waiting.extend(lines);
        match &event.kind {
            EventKind::Finished { .. } => self.leave(Stage::Finished),
            EventKind::Question { question } => {
                self.leave(Stage::Prompting);
                self.err.text(&format!("{} ", clean(question)));
            }
            EventKind::Answered if self.stage == Stage::Prompting => self.stage = Stage::Drawing,
            _ => {}
        }
    }

    fn tick(&mut self, now: Timestamp) {
        if self.stage == Stage::Drawing {
            self.show(now);
        }
    }
}

/// A process that ends in an orderly way leaves a clean screen.
impl Drop for Bars {
    fn drop(&mut self) {
        self.leave(Stage::Finished);
    }
}

impl fmt::Debug for Bars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bars")
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

/// Fills a bar with its line.
fn fill(bar: &ProgressBar, line: &LiveLine, options: LineOptions) {
    let bar = bar.clone();
    match line {
        LiveLine::Host { name, filled, text } => {
            let template = if filled.is_some() {
                let bar = format!("{{bar:{BAR}}}");
                let bar = options.err.paint(Paint::Progress, bar);
                format!("{{prefix}} {bar} {{msg}}")
            } else {
                "{prefix} {msg}".to_owned()
            };
            bar.with_style(style(&template))
                .with_prefix(name.clone())
                .with_message(text.clone())
                .update(|state| {
                    state.set_len(FULL);
                    state.set_pos(filled.unwrap_or(0));
                });
        }
        LiveLine::Run(text) => bar
            .with_style(style("{msg}"))
            .with_message(text.clone())
            .tick(),
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
