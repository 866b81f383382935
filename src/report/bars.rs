//! A live bar per host on a terminal, with lines above for what is finished. The bars go to standard
//! error; lines go where plain output has them, so that a pipe gets the same from both.

use std::{fmt, io::Write, sync::Arc};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use jiff::Timestamp;

use super::{
    Reporter,
    layout::{self, BAR, LiveLine},
    narrator::{Line, Manner, Narrator, Stream},
    sink::Sink,
    style::Paint,
    terminal::Terminal,
    text::clean,
};
use crate::event::{Event, EventKind};

/// How the bars use the terminal.
#[derive(Debug)]
enum Stage {
    /// Bars are drawn.
    Live,
    /// The user is typing: nothing may be drawn, so lines wait here.
    Asking(Vec<Line>),
    /// The run ended and the bars are gone.
    Over,
}

/// A line that indicatif holds.
struct Slot {
    bar: ProgressBar,
    shown: Option<LiveLine>,
}

/// Draws a bar per host.
pub(super) struct Bars {
    narrator: Narrator,
    terminal: Terminal,
    /// The terminal's width when the bars were last drawn.
    width: usize,
    multi: MultiProgress,
    slots: Vec<Slot>,
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
        manner: Manner,
    ) -> Self {
        let terminal = Terminal::new(terminal);
        Self {
            narrator: Narrator::new(Manner {
                with_bars: true,
                ..manner
            }),
            width: terminal.columns(),
            multi: MultiProgress::with_draw_target(target(&terminal)),
            terminal,
            slots: Vec::new(),
            stage: Stage::Live,
            out: Sink::new(out),
            err: Sink::new(err),
        }
    }

    /// Brings the live lines to where the hosts are at `now`.
    fn refresh(&mut self, now: Timestamp) {
        let (rows, columns) = (self.terminal.rows(), self.terminal.columns());
        let lines = layout::lines(&self.narrator, rows, columns, now);
        let (slots, multi, manner) = (&mut self.slots, &self.multi, &self.narrator.manner);
        self.terminal.at_once(|| {
            for slot in slots.drain(lines.len().min(slots.len())..) {
                multi.remove(&slot.bar);
            }
            while slots.len() < lines.len() {
                let bar = multi.add(ProgressBar::no_length());
                slots.push(Slot { bar, shown: None });
            }
            for (slot, line) in slots.iter_mut().zip(lines) {
                if slot.shown.as_ref() != Some(&line) {
                    draw(&slot.bar, &line, *manner);
                    slot.shown = Some(line);
                }
            }
        });
    }

    /// Shows lines above the bars, or later if the user is being asked.
    fn print(&mut self, lines: Vec<Line>) {
        if let Stage::Asking(waiting) = &mut self.stage {
            waiting.extend(lines);
            return;
        }
        if lines.is_empty() {
            return;
        }
        let (out, err) = (&mut self.out, &mut self.err);
        let mut write = || {
            for Line { stream, text } in &lines {
                match stream {
                    Stream::Out => out.line(text),
                    Stream::Err => err.line(text),
                }
            }
        };
        match self.stage {
            Stage::Live => self.multi.suspend(write),
            Stage::Asking(_) | Stage::Over => write(),
        }
    }

    /// A terminal that became narrower has broken each drawn line into several, as indicatif fills lines
    /// to their end. It would clear too few of them, so they are cleared here and drawn anew.
    fn follow_width(&mut self) {
        let width = self.terminal.columns();
        if width < self.width && !self.slots.is_empty() {
            let rows = self.slots.len() * self.width.div_ceil(width);
            self.terminal.clear_upwards(rows.min(self.terminal.rows()));
            self.multi.set_draw_target(target(&self.terminal));
        }
        self.width = width;
    }

    fn clear(&mut self) {
        // The terminal swallows its errors, so that there is none here.
        let _ = self.multi.clear();
        for slot in self.slots.drain(..) {
            self.multi.remove(&slot.bar);
        }
    }

    fn ask(&mut self, question: &str) {
        self.clear();
        self.err.text(&format!("{} ", clean(question)));
        if !matches!(self.stage, Stage::Asking(_)) {
            self.stage = Stage::Asking(Vec::new());
        }
    }

    fn go_on(&mut self, stage: Stage) {
        if let Stage::Asking(waiting) = std::mem::replace(&mut self.stage, stage) {
            self.print(waiting);
        }
    }
}

impl Reporter for Bars {
    fn event(&mut self, event: &Event) {
        let live = matches!(self.stage, Stage::Live);
        if live {
            self.follow_width();
        }
        let lines = self.narrator.event(event);
        match &event.kind {
            EventKind::Finished { .. } => {
                self.clear();
                self.go_on(Stage::Over);
            }
            EventKind::Question { question } => self.ask(question),
            EventKind::Answered => self.go_on(Stage::Live),
            // Hundreds of hosts send thousands of events: those that print nothing wait for the tick.
            _ if live && !lines.is_empty() => self.refresh(event.at),
            _ => {}
        }
        self.print(lines);
    }

    fn tick(&mut self, now: Timestamp) {
        if !matches!(self.stage, Stage::Live) {
            return;
        }
        self.follow_width();
        self.refresh(now);
    }
}

/// Whatever ends the process in an orderly way leaves a clean screen.
impl Drop for Bars {
    fn drop(&mut self) {
        self.clear();
        self.go_on(Stage::Over);
    }
}

impl fmt::Debug for Bars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bars")
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

/// Drawn at every change: changes come with ticks and with lines to print, and no faster.
fn target(terminal: &Terminal) -> ProgressDrawTarget {
    ProgressDrawTarget::term_like(Box::new(terminal.clone()))
}

/// Gives a bar all it shows, and draws it once: of indicatif's setters, those that begin with `with_` do
/// not draw.
fn draw(bar: &ProgressBar, line: &LiveLine, manner: Manner) {
    let bar = bar.clone();
    match line {
        LiveLine::Host {
            name,
            done,
            total,
            has_bar,
            text,
        } => {
            let template = if *has_bar {
                let bar = format!("{{bar:{BAR}}}");
                let bar = manner.err.paint(Paint::Progress, bar);
                format!("{{prefix}} {bar} {{msg}}")
            } else {
                "{prefix} {msg}".to_owned()
            };
            bar.with_style(style(&template))
                .with_prefix(name.clone())
                .with_message(text.clone())
                .update(|state| {
                    // While the steps are not known, none of many is done.
                    state.set_len(total.unwrap_or(u64::MAX));
                    state.set_pos(total.map_or(0, |_| *done));
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
