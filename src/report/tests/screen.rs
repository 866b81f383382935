//! Bars on a terminal in memory.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use indicatif::{InMemoryTerm, TermLike};

use super::{
    recorded::*,
    support::{bars, options, play},
};
use crate::{
    event::{EventKind, Outcome, OutputStream},
    report::{BoxedReporter, Colour, Reporter, Verbosity, bars::Bars},
};

/// The screen at these times of the recorded deploy, and at its end.
fn frames(columns: u16) -> String {
    let (mut reporter, screen) = bars(70, columns, Verbosity::Normal);
    let mut frames = String::new();
    let mut events = deploy();
    for time in [50, 1_100, 7_000, 60_000, 72_500] {
        let rest = events.split_off(events.partition_point(|event| event.at <= at(time)));
        play(&mut reporter, &std::mem::replace(&mut events, rest));
        reporter.tick(at(time));
        reporter.tick(at(time));
        let contents = screen.contents();
        frames.extend([&*format!("--- after {time} ms\n"), &contents, "\n"]);
    }
    play(&mut reporter, &events);
    frames + "--- at the end\n" + &screen.contents()
}

#[test]
fn bars_80_columns() {
    insta::assert_snapshot!(frames(80));
}

#[test]
fn bars_40_columns() {
    insta::assert_snapshot!(frames(40));
}

#[test]
fn a_run_at_any_size_leaves_no_bar_behind() {
    for (rows, columns) in [(2, 4), (2, 10), (5, 20), (24, 59), (24, 60), (100, 300)] {
        let (mut reporter, screen) = bars(rows, columns, Verbosity::Normal);
        play(&mut reporter, &deploy());
        assert!(!screen.contents().contains('━'), "{rows}×{columns}");
    }
}

#[test]
fn more_hosts_than_rows_show_those_at_work() {
    let (mut reporter, screen) = bars(12, 80, Verbosity::Normal);
    let hosts: Vec<_> = (1..=300).map(|number| format!("web-{number:03}")).collect();
    let names: Vec<_> = hosts.iter().map(String::as_str).collect();
    reporter.event(&event(0, started("deploy", &names)));
    for host in &names {
        reporter.event(&event(1, steps(host, 2)));
    }
    for host in [&names[250], &names[7], &names[99]] {
        reporter.event(&event(2, begins(host, Some("web"), "start web-r42")));
    }
    for step in ["pull web", "start web-r42"] {
        reporter.event(&event(3, begins(names[0], Some("web"), step)));
        reporter.event(&event(4, ends(names[0], Some("web"), step, 1, "")));
    }
    reporter.tick(at(3_000));
    reporter.tick(at(3_100));
    insta::assert_snapshot!(screen.contents());
}

#[test]
fn a_tick_draws_each_bar_once_however_many_changed() {
    let (mut reporter, screen) = bars(50, 80, Verbosity::Normal);
    let hosts: Vec<_> = (1..=300).map(|number| format!("web-{number:03}")).collect();
    let names: Vec<_> = hosts.iter().map(String::as_str).collect();
    reporter.event(&event(0, started("deploy", &names)));
    for step in ["pull web", "start web-r42"] {
        for host in &names {
            reporter.event(&event(1, begins(host, None, step)));
        }
        screen.moves_since_last_check();
        reporter.tick(at(2));
        let drawn = screen.moves_since_last_check();
        assert_eq!(drawn.matches(step).count(), 48);
    }
}

#[test]
fn while_the_user_is_asked_the_screen_is_still() {
    let (mut reporter, screen) = bars(12, 60, Verbosity::Normal);
    reporter.event(&event(0, started("deploy", &["host-1"])));
    reporter.tick(at(10));
    let question = text("promote the canary? [y/N]");
    reporter.event(&event(20, EventKind::Question { question }));
    reporter.event(&event(30, prints("host-1", OutputStream::Stdout, "hello")));
    reporter.tick(at(40));
    assert_eq!(screen.contents(), "promote the canary? [y/N]");
    // The user types, and the terminal echoes it.
    screen.write_str("y\r\n").expect("memory takes it");
    reporter.event(&event(50, EventKind::Answered));
    reporter.tick(at(60));
    reporter.tick(at(70));
    insta::assert_snapshot!(screen.contents());
}

/// A terminal in memory whose width changes, as one that does not break its lines anew.
#[derive(Debug)]
struct Resized {
    screen: InMemoryTerm,
    columns: Arc<AtomicU16>,
}

impl TermLike for Resized {
    fn width(&self) -> u16 {
        self.columns.load(Ordering::Relaxed)
    }
    fn height(&self) -> u16 {
        self.screen.height()
    }
    fn move_cursor_up(&self, rows: usize) -> io::Result<()> {
        self.screen.move_cursor_up(rows)
    }
    fn move_cursor_down(&self, rows: usize) -> io::Result<()> {
        self.screen.move_cursor_down(rows)
    }
    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.screen.move_cursor_right(columns)
    }
    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.screen.move_cursor_left(columns)
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.screen.write_line(text)
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.screen.write_str(text)
    }
    fn clear_line(&self) -> io::Result<()> {
        self.screen.clear_line()
    }
    fn flush(&self) -> io::Result<()> {
        self.screen.flush()
    }
}

#[test]
fn bars_follow_a_terminal_that_becomes_narrower() {
    let screen = InMemoryTerm::new(20, 80);
    let columns = Arc::new(AtomicU16::new(80));
    let terminal = Resized {
        screen: screen.clone(),
        columns: columns.clone(),
    };
    let sink = || Box::new(io::sink());
    let options = options(Verbosity::Normal, Colour::Always);
    let mut bars = Bars::new(Arc::new(terminal), sink(), sink(), options);
    bars.event(&event(0, started("deploy", &["host-1", "host-2"])));
    bars.event(&event(
        0,
        begins("host-1", Some("web"), "start web-r42 with a long name"),
    ));
    bars.tick(at(10));
    assert!(screen.contents().contains("host-2"));
    columns.store(40, Ordering::Relaxed);
    bars.tick(at(20));
    bars.tick(at(30));
    let live = screen.contents();
    assert_eq!(live.matches("host-1").count(), 1, "{live}");
    bars.event(&event(50, finished(Outcome::Done, 50, None)));
    assert_eq!(screen.contents(), "");
}

/// A terminal that was closed: every write fails.
#[derive(Debug)]
struct Gone;

impl TermLike for Gone {
    fn width(&self) -> u16 {
        0
    }
    fn height(&self) -> u16 {
        0
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn write_line(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn write_str(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn clear_line(&self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_closed_terminal_stops_nothing() {
    let sink = || Box::new(io::sink());
    let options = options(Verbosity::Normal, Colour::Always);
    let bars = Bars::new(Arc::new(Gone), sink(), sink(), options);
    play(&mut (Box::new(bars) as BoxedReporter), &deploy());
}
