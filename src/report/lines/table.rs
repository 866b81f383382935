//! The table of hosts at the end of a run.

use crate::{
    event::{HostRow, Severity},
    report::text::{Paint, Painter, clean, columns, counted, pad},
};

/// With more rows than this, the table has only those that are not good, and a number for the rest.
const ROWS_SHOWN: usize = 30;

/// The table of hosts, one line a row. `complete` shows all of a long one.
pub(super) fn table(rows: &[HostRow], painter: Painter, complete: bool) -> Vec<String> {
    let brief = !complete && rows.len() > ROWS_SHOWN;
    let is_shown = |row: &&HostRow| !brief || row.severity != Severity::Good;
    let shown: Vec<_> = rows.iter().filter(is_shown).collect();
    let cells: Vec<_> = shown.iter().map(|row| cells_of(row)).collect();
    let mut widths = [0; CELLS];
    for cells in &cells {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = columns(cell).max(*width);
        }
    }
    let mut lines: Vec<_> = shown
        .iter()
        .zip(&cells)
        .map(|(row, cells)| row_line(row.severity, cells, widths, painter))
        .collect();
    let hidden = rows.len() - shown.len();
    if hidden > 0 {
        let line = match shown.len() {
            0 => format!("all {} are good", counted(hidden, "row")),
            _ => format!("{} are good", counted(hidden, "other row")),
        };
        lines.push(painter.paint(Paint::Faint, line));
    }
    lines
}

const CELLS: usize = 5;

fn cells_of(row: &HostRow) -> [String; CELLS] {
    let HostRow {
        host,
        recipe,
        release,
        state,
        detail,
        severity: _,
    } = row;
    let cell = |text: &Option<String>| text.as_deref().map(clean).unwrap_or_default();
    // A host without a release still has a place in its column.
    let release = release.as_deref().map_or_else(|| "–".to_owned(), clean);
    [
        clean(host),
        cell(recipe),
        release,
        clean(state),
        cell(detail),
    ]
}

fn row_line(
    severity: Severity,
    cells: &[String; CELLS],
    widths: [usize; CELLS],
    painter: Painter,
) -> String {
    let [_, _, _, state, detail] = cells;
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths).take(3) {
        if width > 0 {
            line.push_str(&pad(cell, width));
            line.push_str("  ");
        }
    }
    let paint = match severity {
        Severity::Good => Paint::Good,
        Severity::Notable => Paint::Notable,
        Severity::Bad => Paint::Bad,
    };
    let padded = if detail.is_empty() {
        state.clone()
    } else {
        pad(state, widths[3]) + "  "
    };
    line + &painter.paint(paint, padded) + detail
}
