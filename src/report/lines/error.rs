//! The error that ended a run, as a block of lines.

use std::time::Duration;

use crate::{
    event::{ErrorReport, Evidence, Outcome},
    report::text::{Paint, Painter, clean, clean_lines, columns, precise_seconds, wrapped},
};

/// The error as a block: fact, causes, evidence, the table of hosts, a blank line, the hint. The fact and its causes are
/// broken between words where they are wider than the terminal.
pub(super) fn error_lines(
    error: &ErrorReport,
    table: Vec<String>,
    painter: Painter,
    width: Option<usize>,
) -> Vec<String> {
    let ErrorReport {
        message,
        causes,
        evidence,
        hint,
    } = error;
    let mut lines = Vec::new();
    push_titled(&mut lines, "", "error:", Paint::Bad, message, painter);
    for cause in causes {
        push_titled(&mut lines, "  ", "caused by:", Paint::Bad, cause, painter);
    }
    let facts = std::mem::take(&mut lines).into_iter();
    lines.extend(facts.flat_map(|line| wrapped(line, 4, width)));
    for Evidence {
        title,
        lines: shown,
    } in evidence
    {
        lines.push(String::new());
        lines.push(format!("  {}:", clean(title)));
        lines.extend(evidence_lines(shown, painter).map(|line| format!("    {line}")));
    }
    if !table.is_empty() {
        lines.push(String::new());
        lines.extend(table.into_iter().map(|line| format!("  {line}")));
    }
    if let Some(hint) = hint {
        lines.push(String::new());
        push_titled(&mut lines, "", "hint:", Paint::Progress, hint, painter);
    }
    lines
}

/// The error of a run that failed without saying why; none for a run that did not fail.
pub(super) fn error_without_reason(outcome: Outcome, after: Duration) -> Option<ErrorReport> {
    let what = match outcome {
        Outcome::Done | Outcome::NothingToDo | Outcome::BrokenPipe | Outcome::Exited(_) => {
            return None;
        }
        Outcome::Failed => "failed",
        Outcome::Usage => "the command line or the files are wrong",
        Outcome::NotReady => "not every host is ready; nothing was changed",
        Outcome::Locked => "someone else holds the lock; nothing was changed",
        Outcome::Reverted => "failed; every host was reverted",
        Outcome::Interrupted => "interrupted",
    };
    Some(ErrorReport {
        message: format!("{what} (after {})", precise_seconds(after)),
        ..ErrorReport::default()
    })
}

/// Lines of evidence, each behind a bar.
pub(super) fn evidence_lines(lines: &[String], painter: Painter) -> impl Iterator<Item = String> {
    let bar = painter.paint(Paint::Faint, "|");
    lines
        .iter()
        .flat_map(|line| clean_lines(line))
        .map(move |line| format!("{bar} {line}"))
}

/// A title and a text whose further lines stand below its first.
pub(super) fn push_titled(
    lines: &mut Vec<String>,
    indent: &str,
    title: &str,
    paint: Paint,
    text: &str,
    painter: Painter,
) {
    let below = " ".repeat(columns(title));
    let title = painter.paint(paint, title);
    let mut texts = clean_lines(text);
    let first = texts.next().unwrap_or_default();
    lines.push(format!("{indent}{title} {first}"));
    lines.extend(texts.map(|line| format!("{indent}{below} {line}")));
}
