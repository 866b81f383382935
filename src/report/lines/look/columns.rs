//! Columns, as wide as what stands in them.

use crate::{
    report::text::{columns, pad},
    text,
};

/// What is between two columns.
const GAP: &str = "  ";

/// Rows of cells as lines. Cells may have colours. A column without a text is left out.
pub(super) fn in_columns(rows: &[Vec<String>]) -> Vec<String> {
    let most = rows.iter().map(Vec::len).max().unwrap_or_default();
    let mut widths = vec![0; most];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = columns(cell).max(*width);
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).filter(|(_, width)| **width > 0);
        let cells: Vec<_> = cells.map(|(cell, width)| pad(cell, *width)).collect();
        cells.join(GAP).trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Whether all lines fit; everything fits where there is no width.
pub(super) fn fits(lines: &[String], width: Option<usize>) -> bool {
    width.is_none_or(|width| lines.iter().all(|line| columns(line) <= width))
}

/// Pairs as lines behind an indent: the second one goes on below itself where it does not fit.
pub(super) fn in_pairs(
    pairs: &[(String, String)],
    indent: &str,
    width: Option<usize>,
) -> Vec<String> {
    let column = pairs.iter().map(|(name, _)| columns(name)).max();
    let column = column.unwrap_or_default() + GAP.len();
    let pairs = pairs.iter().map(|(name, text)| (&**name, &**text));
    let lines = text::in_two_columns(pairs, column, indent, width.unwrap_or(text::UNLIMITED));
    lines
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// A text in lines that fit.
pub(super) fn in_lines(text: &str, width: Option<usize>) -> Vec<String> {
    let lines = text::filled(text, "", "    ", width.unwrap_or(text::UNLIMITED));
    lines.lines().map(str::to_owned).collect()
}
