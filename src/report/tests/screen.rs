//! Bars on a terminal in memory.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use indicatif::{InMemoryTerm, TermLike};

use super::{
    recorded::*,
    support::{bars, options, play},
};
use crate::{
    event::{Event, EventKind, Outcome, OutputStream},
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

/// How many columns of the host's bar are filled at each of these times, while these events come.
fn filled(events: &[Event], times: impl IntoIterator<Item = i64>) -> Vec<usize> {
    let (mut reporter, screen) = bars(10, 100, Verbosity::Quiet);
    let mut events = events.iter().peekable();
    let mut filled = Vec::new();
    for time in times {
        while let Some(event) = events.next_if(|event| event.at <= at(time)) {
            reporter.event(event);
        }
        reporter.tick(at(time));
        let columns = screen.contents().matches(['━', '╸']).count();
        filled.push(columns);
    }
    filled
}

#[test]
fn bytes_move_a_bar() {
    let mut events = vec![
        event(0, started("deploy", &["host-1"])),
        event(0, steps("host-1", 12)),
        event(0, begins("host-1", None, "send web:1.3")),
    ];
    let parts = (0..=12_000).step_by(1_000).zip(0..);
    let megabytes =
        parts.map(|(time, part): (_, u64)| event(time, sends("host-1", part * 10_000_000)));
    events.extend(megabytes);
    // 120 MB are 12 of 24 units; the step itself is another, and each second has its share.
    let columns = filled(&events, (0..=12).map(|second| second * 1_000));
    assert_eq!(columns, [0, 0, 1, 2, 2, 3, 4, 4, 4, 5, 5, 6, 7]);
}

#[test]
fn time_that_has_to_pass_moves_a_bar_and_a_bar_never_goes_back() {
    let counts = |milliseconds| {
        event(
            milliseconds,
            EventKind::Countdown {
                host: text("host-1"),
                recipe: Some(text("web")),
                waits_for: text("web-r42 to be ready"),
                lasts: Duration::from_secs(10),
            },
        )
    };
    let host_steps = |total, waiting| EventKind::HostSteps {
        host: text("host-1"),
        total,
        waiting: Duration::from_secs(waiting),
    };
    let events = [
        event(0, started("deploy", &["host-1"])),
        event(0, host_steps(2, 10)),
        event(0, begins("host-1", Some("web"), "wait for web-r42")),
        counts(0),
        // It breaks, after half of the time, and begins anew.
        event(
            5_000,
            waits("host-1", "web", "web-r42 to be ready", "critical"),
        ),
        counts(6_000),
        event(
            16_000,
            ends("host-1", Some("web"), "wait for web-r42", 1, ""),
        ),
        // There is more to do than was known.
        event(17_000, host_steps(3, 10)),
        event(18_000, begins("host-1", Some("web"), "stop web-r41")),
        event(19_000, ends("host-1", Some("web"), "stop web-r41", 1, "")),
    ];
    let columns = filled(&events, (0..=19).map(|second| second * 1_000));
    assert_eq!(
        columns,
        [
            0, 1, 2, 4, 4, 5, 5, 6, 7, 7, 8, 8, 9, 10, 10, 11, 12, 12, 12, 12
        ]
    );
    assert!(columns.is_sorted());
}

#[test]
fn what_moves_says_how_long_it_takes_yet() {
    let (mut reporter, screen) = bars(10, 100, Verbosity::Normal);
    for event in [
        event(0, started("deploy", &["host-1", "host-2", "host-3"])),
        event(0, begins("host-1", None, "send web:1.3")),
        event(
            0,
            begins("host-2", Some("web"), "wait for web-r42 to be ready"),
        ),
        event(
            1_000,
            EventKind::Estimate {
                rest: Duration::from_secs(75),
            },
        ),
        event(1_000, sends("host-1", 0)),
        event(3_000, sends("host-1", 40_000_000)),
    ] {
        reporter.event(&event);
    }
    for (host, waits_for, lasts) in [
        ("host-2", "web-r42 to be ready", 10),
        ("host-3", "the last requests to web-r41", 5),
    ] {
        let countdown = EventKind::Countdown {
            host: text(host),
            recipe: Some(text("web")),
            waits_for: text(waits_for),
            lasts: Duration::from_secs(lasts),
        };
        reporter.event(&event(1_000, countdown));
    }
    reporter.tick(at(4_000));
    insta::assert_snapshot!(screen.contents(), @r"
    host-1 ────────────   flask-nanoservice:1.3: 40.00 MB of 120.00 MB, 13.33 MB/s, 6s left           4s
    host-2 ────────────   waiting for web-r42 to be ready: 3s of 10s                                  4s
    host-3 ────────────   waiting for the last requests to web-r41: 3s of 5s
    deploy staging · 4s · about 1m 12s left
    ");
    // What takes longer than ever before has no end that is known.
    reporter.tick(at(77_000));
    assert!(
        !screen.contents().contains("about"),
        "{}",
        screen.contents()
    );
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
