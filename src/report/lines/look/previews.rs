//! The rows of `previews`.

use jiff::Timestamp;

use super::{
    columns::{fits, in_columns},
    options::LookOptions,
    status::ago,
};
use crate::{
    event::{PreviewRow, Severity},
    report::text::{Paint, clean, fit},
};

/// The previews at `now`: each a row of columns where they fit, else with what stands below it.
pub(super) fn lines(previews: &[PreviewRow], now: Timestamp, options: LookOptions) -> Vec<String> {
    if previews.is_empty() {
        return Vec::new();
    }
    let rows = rows(previews, now, options);
    if fits(&rows, options.width) {
        return rows;
    }
    let width = options.width.unwrap_or(usize::MAX);
    let each = previews.iter().flat_map(|preview| {
        let first = format!("{}  {}", clean(&preview.preview), state(preview, options));
        let versions = Some(versions(preview)).filter(|it| !it.is_empty());
        let by = preview.release.as_ref().map(|release| clean(&release.by));
        let when = [Some(when(preview, now)), by];
        let when: Vec<_> = when.into_iter().flatten().collect();
        let below = versions.into_iter().chain([when.join(" by ")]);
        let below = below.chain(preview.prune.as_deref().map(to_be_pruned));
        let below = below.map(|line| format!("  {line}"));
        [first].into_iter().chain(below).collect::<Vec<_>>()
    });
    each.map(|line| fit(&line, width).into_owned()).collect()
}

fn rows(previews: &[PreviewRow], now: Timestamp, options: LookOptions) -> Vec<String> {
    let heading = ["PREVIEW", "VERSION", "STATE", "RELEASED", "BY", ""];
    let heading = heading.map(str::to_owned).to_vec();
    let rows = previews.iter().map(|preview| {
        let release = preview.release.as_ref();
        vec![
            clean(&preview.preview),
            versions(preview),
            state(preview, options),
            when(preview, now),
            release.map_or("-".to_owned(), |release| clean(&release.by)),
            preview.prune.as_deref().map_or(String::new(), to_be_pruned),
        ]
    });
    in_columns(&[heading].into_iter().chain(rows).collect::<Vec<_>>())
}

/// The version where there is one recipe, else each recipe with its own.
fn versions(preview: &PreviewRow) -> String {
    match &preview.versions[..] {
        [only] => clean(&only.version),
        several => {
            let each = several
                .iter()
                .map(|it| format!("{} {}", clean(&it.recipe), clean(&it.version)));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

/// How many containers run, and how the newest release ended if that is worth a word.
fn state(preview: &PreviewRow, options: LookOptions) -> String {
    let PreviewRow {
        running, wanted, ..
    } = preview;
    let runs = match running {
        0 => "does not run".to_owned(),
        _ if running >= wanted => "runs".to_owned(),
        _ => format!("{running} of {wanted} run"),
    };
    let ended = preview.release.as_ref();
    let ended = ended.filter(|release| release.outcome != "succeeded");
    let ended =
        ended.map(|release| format!(" ({} {})", clean(&release.release), clean(&release.outcome)));
    let paint = match preview.severity {
        Severity::Good => Paint::Good,
        Severity::Notable => Paint::Notable,
        Severity::Bad => Paint::Bad,
    };
    let text = runs + &ended.unwrap_or_default();
    options.painter.paint(paint, text)
}

fn when(preview: &PreviewRow, now: Timestamp) -> String {
    match preview.since {
        Some(since) => format!("{} ago", ago(since, now)),
        None => "-".to_owned(),
    }
}

fn to_be_pruned(why: &str) -> String {
    format!("goes with --prune: {}", clean(why))
}
