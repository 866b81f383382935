//! What the live part of a terminal shows, computed from the hosts' progress. No terminal is touched here.

use std::fmt::Write;

use jiff::Timestamp;

use crate::report::{
    lines::{Countdown, HostProgress, LineFormatter, OpenStep, WHOLE, phase_name, since},
    text::{Paint, Painter, clean, columns, count, counted, fit, pad, whole_seconds},
};

/// From this width on there is room for a bar beside the text.
const WIDE: usize = 60;

/// One live line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LiveLine {
    /// A host: name, bar, text.
    Host {
        name: String,
        /// How much of the bar is filled, of [`FULL`]; `None` where there is no room for a bar.
        filled: Option<u64>,
        text: String,
    },
    /// The run as a whole.
    Run(String),
}

/// The columns of a bar.
pub(super) const BAR: usize = 12;

/// The steps in which a bar is filled: halves of columns, so that a frame differs only where it can be seen.
pub(super) const FULL: u64 = 2 * BAR as u64;

/// The lines for a terminal of so many rows and columns, at most `rows - 1` of them: a line for every
/// host, or, where they do not fit, for those at work, and one for the run.
pub(super) fn lines(
    formatter: &LineFormatter,
    rows: usize,
    width: usize,
    now: Timestamp,
) -> Vec<LiveLine> {
    let hosts = formatter.progress.hosts();
    if hosts.is_empty() {
        return Vec::new();
    }
    // One row is the run's, and one above stays free for what is printed.
    let room = rows.saturating_sub(2);
    let everyone_fits = hosts.len() <= room;
    let shown: Vec<_> = hosts
        .iter()
        .filter(|host| everyone_fits || !host.open.is_empty() || host.failed.is_some())
        .take(room)
        .collect();
    let hidden = (!everyone_fits).then(|| hosts.len() - shown.len());
    let widths = Columns::new(formatter, hosts, width);
    let mut lines: Vec<_> = shown.iter().map(|host| widths.host(host, now)).collect();
    lines.push(LiveLine::Run(run_line(formatter, hidden, width, now)));
    lines
}

/// The widths of the columns of the hosts' lines.
struct Columns {
    painter: Painter,
    name: usize,
    count: usize,
    text: usize,
    has_bar: bool,
}

const TIME: usize = 7;

impl Columns {
    fn new(formatter: &LineFormatter, hosts: &[HostProgress], width: usize) -> Self {
        let has_bar = width >= WIDE;
        let name = formatter.progress.name_width().min((width / 4).max(8));
        let counts = hosts.iter().map(|host| columns(&count_of(host)));
        let count = counts.max().unwrap_or(0);
        let bar = if has_bar { BAR + 1 } else { 0 };
        // Name, bar, count and time are each set off by a space or two.
        let taken = name + 1 + bar + count + 2 + 1 + TIME;
        Self {
            painter: formatter.options.err,
            name,
            count,
            text: width.saturating_sub(taken),
            has_bar,
        }
    }

    fn host(&self, host: &HostProgress, now: Timestamp) -> LiveLine {
        let (paint, text, time) = match (host.open.last(), &host.failed) {
            (Some(open), _) => {
                let time = whole_seconds(since(open.since, now));
                (None, activity(host, open, self.text, now), time)
            }
            (None, Some(step)) => {
                let text = format!("✗ {}", clean(step));
                (Some(Paint::Bad), text, String::new())
            }
            (None, None) if host.countdown(now).is_some() => {
                let text = host.countdown(now).map(|it| passing(it, self.text, now));
                (None, text.unwrap_or_default(), String::new())
            }
            (None, None) if host.is_done() => (Some(Paint::Good), "✓ done".into(), String::new()),
            (None, None) => (Some(Paint::Faint), "–".into(), String::new()),
        };
        let text = pad(&fit(&text, self.text), self.text);
        let text = match paint {
            Some(paint) => self.painter.paint(paint, text),
            None => text,
        };
        let missing = self.count.saturating_sub(columns(&count_of(host)));
        let count = " ".repeat(missing) + &count_of(host);
        let time = self.painter.paint(Paint::Faint, format!("{time:>TIME$}"));
        let name = pad(&fit(&clean(&host.name), self.name), self.name);
        LiveLine::Host {
            name: self.painter.paint(Paint::Strong, name),
            filled: self
                .has_bar
                .then(|| host.share(now).unwrap_or(0) * FULL / WHOLE),
            text: format!("{count}  {text} {time}"),
        }
    }
}

fn count_of(host: &HostProgress) -> String {
    match host.total {
        Some(total) => format!("{}/{}", host.done, total.max(host.done)),
        None => String::new(),
    }
}

/// What a step does now, in so many columns: what time passes for, what it waits for and last saw, else what it
/// sends, else its name.
fn activity(host: &HostProgress, open: &OpenStep, width: usize, now: Timestamp) -> String {
    let steps = host.open.len();
    match (host.countdown(now), &open.waiting, &open.transfer) {
        (Some(countdown), _, _) => passing(countdown, width, now),
        (None, Some((waits_for, last_seen)), _) => {
            two_parts(&format!("waiting for {waits_for}"), last_seen, width)
        }
        (None, None, Some(transfer)) => two_parts(&transfer.what, &transfer.describe(now), width),
        (None, None, None) if steps > 1 => {
            two_parts(&open.title(), &format!("and {} more", steps - 1), width)
        }
        (None, None, None) => fit(&clean(&open.title()), width).into_owned(),
    }
}

/// `waiting for web-r42 to be ready: 3s of 10s`.
fn passing(countdown: &Countdown, width: usize, now: Timestamp) -> String {
    let head = format!("waiting for {}", countdown.waits_for);
    two_parts(&head, &countdown.describe(now), width)
}

/// Two texts in so many columns. The second is the one that changes and must not be cut off: it gets at least half of
/// the room.
fn two_parts(head: &str, tail: &str, width: usize) -> String {
    let (head, tail) = (clean(head), clean(tail));
    let room = width.saturating_sub(2);
    let head = fit(&head, room.saturating_sub(columns(&tail).min(room / 2))).into_owned();
    let tail = fit(&tail, room.saturating_sub(columns(&head))).into_owned();
    format!("{head}: {tail}")
}

/// `deploy staging r42: getting the images · 12s · 1,240 requests, 0 failed`.
fn run_line(
    formatter: &LineFormatter,
    hidden: Option<usize>,
    width: usize,
    now: Timestamp,
) -> String {
    let run = &formatter.run;
    let mut parts = vec![format!("{} {}", run.command, run.environment)];
    if let Some(release) = &run.release {
        let _ = write!(parts[0], " {release}");
    }
    if let Some(phase) = formatter.phase {
        let _ = write!(parts[0], ": {}", phase_name(phase));
    }
    if let Some(started) = formatter.started {
        parts.push(whole_seconds(since(started, now)));
    }
    let left = formatter.ends.map(|ends| since(now, ends));
    // Where it takes longer than before, nobody knows how long.
    if let Some(left) = left.filter(|left| !left.is_zero()) {
        parts.push(format!("about {} left", whole_seconds(left)));
    }
    if hidden.is_some() {
        parts.push(tally(formatter.progress.hosts()));
    }
    for (_, summary) in &run.probes {
        let (requests, failed) = (count(summary.requests), count(summary.failed));
        parts.push(format!("{requests} requests, {failed} failed"));
    }
    let line = clean(&parts.join(" · "));
    formatter.options.err.paint(Paint::Faint, fit(&line, width))
}

/// `300 hosts: 3 at work, 285 waiting, 11 done, 1 failed`.
fn tally(hosts: &[HostProgress]) -> String {
    let [mut working, mut waiting, mut done, mut failed] = [0_u64; 4];
    for host in hosts {
        let of = if !host.open.is_empty() {
            &mut working
        } else if host.failed.is_some() {
            &mut failed
        } else if host.is_done() {
            &mut done
        } else {
            &mut waiting
        };
        *of += 1;
    }
    let all = [
        (working, "at work"),
        (waiting, "waiting"),
        (done, "done"),
        (failed, "failed"),
    ];
    let parts = all.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<_> = parts
        .map(|(number, words)| format!("{} {words}", count(*number)))
        .collect();
    format!("{}: {}", counted(hosts.len(), "host"), parts.join(", "))
}
