//! Columns, as wide as what stands in them.

use crate::report::text::{columns, pad};

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
