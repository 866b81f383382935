//! A status at the width that there is: in columns, in narrower columns, or one below the other.

use jiff::Timestamp;

use super::{
    fold::Fold,
    words::{NOTHING, health, routed, since, state},
};
use crate::report::{
    lines::look::{
        columns::{fits, in_columns},
        options::LookOptions,
    },
    text::{Paint, clean, columns, fit},
};

const HEADING: [&str; 7] = [
    "RECIPE", "HOST", "VERSION", "STATE", "HEALTH", "ROUTED", "SINCE",
];

/// The columns that may be cut, by their place in the heading, and what is left of each at least.
const MAY_BE_CUT: [(usize, usize); 5] = [(0, 12), (1, 8), (2, 7), (4, 9), (5, 6)];

/// The columns that are left out where they say nothing of any container: projects without health checks or balancers.
const MAY_BE_EMPTY: [usize; 2] = [4, 5];

/// With fewer columns than this, everything of a container stands below it.
const NARROW: usize = 60;

/// The folded containers, so that no line is wider than the terminal.
pub(super) fn laid_out(folds: &[Fold<'_>], now: Timestamp, options: LookOptions) -> Vec<String> {
    if folds.is_empty() {
        return Vec::new();
    }
    let width = options.width.unwrap_or(usize::MAX);
    let mut rows = rows(folds, now, options);
    count_hosts(&mut rows, folds, width);
    let lines = in_columns(&rows);
    if fits(&lines, options.width) {
        return lines;
    }
    if width >= NARROW
        && let Some(lines) = squeezed(rows, width)
    {
        return lines;
    }
    let stacked = folds.iter().flat_map(|fold| stacked(fold, now, options));
    stacked.map(|line| fit(&line, width).into_owned()).collect()
}

fn rows(folds: &[Fold<'_>], now: Timestamp, options: LookOptions) -> Vec<Vec<String>> {
    let heading = HEADING.map(str::to_owned).to_vec();
    let row = |fold: &Fold<'_>| {
        let row = fold.first;
        vec![
            clean(&row.recipe),
            hosts_named(fold),
            row.version.as_deref().map_or(NOTHING.to_owned(), clean),
            state(row, options.painter),
            health(row, options.painter),
            routed(row, options.painter),
            since(row, now),
        ]
    };
    let mut rows: Vec<_> = [heading].into_iter().chain(folds.iter().map(row)).collect();
    for column in MAY_BE_EMPTY {
        if rows.iter().skip(1).all(|row| row[column] == NOTHING) {
            for row in &mut rows {
                row[column].clear();
            }
        }
    }
    rows
}

/// `host-1, host-2`; a host with several of them with how many.
fn hosts_named(fold: &Fold<'_>) -> String {
    let mut hosts = Vec::<(&str, usize)>::new();
    for host in &fold.hosts {
        match hosts.iter_mut().find(|(known, _)| known == host) {
            Some((_, number)) => *number += 1,
            None => hosts.push((host, 1)),
        }
    }
    let named = hosts.into_iter().map(|(host, number)| match number {
        1 => clean(host),
        more => format!("{} ×{more}", clean(host)),
    });
    named.collect::<Vec<_>>().join(", ")
}

/// Says how many hosts there are in place of their names, the longest first, until the lines fit.
fn count_hosts(rows: &mut [Vec<String>], folds: &[Fold<'_>], width: usize) {
    while !fits(&in_columns(rows), Some(width)) {
        let cells = rows.iter_mut().skip(1).map(|row| &mut row[1]).zip(folds);
        let longer = cells.filter_map(|(cell, fold)| {
            let counted = hosts_counted(fold)?;
            (columns(&counted) < columns(cell)).then_some((cell, counted))
        });
        match longer.max_by_key(|(cell, _)| columns(cell)) {
            Some((cell, counted)) => *cell = counted,
            None => return,
        }
    }
}

/// How many hosts these are; `None` for one.
fn hosts_counted(fold: &Fold<'_>) -> Option<String> {
    let mut hosts = fold.hosts.clone();
    hosts.dedup();
    match (hosts.len(), fold.is_all) {
        (0 | 1, _) => None,
        (2, true) => Some("both hosts".to_owned()),
        (more, true) => Some(format!("all {more} hosts")),
        (more, false) => Some(format!("{more} hosts")),
    }
}

/// The rows with the widest columns cut until the lines fit; `None` where even that is not enough.
fn squeezed(mut rows: Vec<Vec<String>>, width: usize) -> Option<Vec<String>> {
    loop {
        let lines = in_columns(&rows);
        let longest = lines.iter().map(|line| columns(line)).max()?;
        if longest <= width {
            return Some(lines);
        }
        let width_of = |place: usize| rows.iter().map(|row| columns(&row[place])).max();
        let wide = MAY_BE_CUT.into_iter().filter_map(|(place, least)| {
            let width = width_of(place)?;
            (width > least).then_some((width, place))
        });
        let (is_wide, widest) = wide.max()?;
        for row in &mut rows {
            row[widest] = fit(&row[widest], is_wide - 1).into_owned();
        }
    }
}

fn stacked(fold: &Fold<'_>, now: Timestamp, options: LookOptions) -> Vec<String> {
    let row = fold.first;
    let name = options.painter.paint(Paint::Strong, clean(&row.recipe));
    let version = row.version.as_deref().map(clean).unwrap_or_default();
    let state = state(row, options.painter);
    let state = match &*since(row, now) {
        NOTHING => state,
        since => format!("{state} {since}"),
    };
    let told = [health(row, options.painter), routed(row, options.painter)];
    let told = told.into_iter().filter(|it| it != NOTHING);
    let state: Vec<_> = [state].into_iter().chain(told).collect();
    vec![
        format!("{name} {version}").trim_end().to_owned(),
        format!("  {}", hosts_named(fold)),
        format!("  {}", state.join(", ")),
    ]
}
