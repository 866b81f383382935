//! The rows of `history`.

use super::{
    columns::{fits, in_columns},
    options::LookOptions,
};
use crate::{
    event::ReleaseRow,
    report::text::{Paint, clean, fit, whole_seconds},
};

/// How far what belongs to a release stands behind it.
const BELOW: &str = "         ";

/// With fewer columns than this, everything of a release stands below it.
const NARROW: usize = 60;

/// The releases: each a row of columns where they fit, else with what it changed below it.
pub(super) fn lines(releases: &[ReleaseRow], options: LookOptions) -> Vec<String> {
    if releases.is_empty() {
        return Vec::new();
    }
    let wide = rows(releases, options, true);
    match options.width {
        _ if fits(&wide, options.width) => below(wide, releases, options, false),
        Some(width) if width < NARROW => releases
            .iter()
            .flat_map(|release| stacked(release, options, width))
            .collect(),
        _ => below(rows(releases, options, false), releases, options, true),
    }
}

/// The heading and a row for each release.
fn rows(releases: &[ReleaseRow], options: LookOptions, is_wide: bool) -> Vec<String> {
    let mut heading = vec!["RELEASE", "OUTCOME", "WHEN (UTC)", "TOOK", "BY"];
    if is_wide {
        heading.extend(["REVISION", "WHAT"]);
    }
    let heading = heading.into_iter().map(str::to_owned).collect();
    let rows = releases.iter().map(|release| {
        let mut cells = vec![
            clean(&release.release),
            outcome(release, options),
            when(release),
            took(release),
            clean(&release.by),
        ];
        if is_wide {
            cells.push(release.revision.as_deref().map_or("-".to_owned(), clean));
            cells.push(what(release));
        }
        cells
    });
    in_columns(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
}

/// The rows, with the message below each release, and before that what it changed.
fn below(
    rows: Vec<String>,
    releases: &[ReleaseRow],
    options: LookOptions,
    with_what: bool,
) -> Vec<String> {
    let mut rows = rows.into_iter();
    let mut lines: Vec<_> = rows.next().into_iter().collect();
    for (row, release) in rows.zip(releases) {
        lines.push(row);
        let what = with_what.then(|| what(release));
        let more = what.into_iter().chain(message(release));
        lines.extend(more.map(|it| format!("{BELOW}{it}")));
    }
    lines.iter().map(|line| cut(line, options)).collect()
}

fn stacked(release: &ReleaseRow, options: LookOptions, width: usize) -> Vec<String> {
    let first = format!("{} {}", clean(&release.release), outcome(release, options));
    let when = match &*took(release) {
        "-" => when(release),
        took => format!("{}, {took}", when(release)),
    };
    let below = [when, clean(&release.by), what(release)];
    let below = below.into_iter().chain(message(release));
    let below = below.map(|line| fit(&format!("  {line}"), width).into_owned());
    [fit(&first, width).into_owned()]
        .into_iter()
        .chain(below)
        .collect()
}

fn cut(line: &str, options: LookOptions) -> String {
    match options.width {
        Some(width) => fit(line, width).into_owned(),
        None => line.to_owned(),
    }
}

/// The outcome in its colour.
pub(super) fn outcome(release: &ReleaseRow, options: LookOptions) -> String {
    let paint = match &*release.outcome {
        "succeeded" => Paint::Good,
        "failed" => Paint::Bad,
        _ => Paint::Notable,
    };
    options.painter.paint(paint, clean(&release.outcome))
}

/// When it began, in UTC.
pub(super) fn when(release: &ReleaseRow) -> String {
    release.began.strftime("%Y-%m-%d %H:%M").to_string()
}

fn took(release: &ReleaseRow) -> String {
    release.took.map_or("-".to_owned(), whole_seconds)
}

/// What it is: what was asked for, and what that changed.
pub(super) fn what(release: &ReleaseRow) -> String {
    let changes: Vec<_> = release.changes.iter().map(|it| clean(it)).collect();
    let changes = changes.join(", ");
    match (&*release.action, changes.is_empty()) {
        ("deploy", false) => changes,
        ("deploy", true) => "deploy, the same versions".to_owned(),
        (action, true) => clean(action),
        (action, false) => format!("{}: {changes}", clean(action)),
    }
}

fn message(release: &ReleaseRow) -> Option<String> {
    release
        .message
        .as_deref()
        .map(|it| format!("“{}”", clean(it)))
}
