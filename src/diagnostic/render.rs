//! How a mistake is shown.

use std::fmt::Write as _;

use miette::{GraphicalReportHandler, GraphicalTheme};

use super::problem::Problem;

/// How [`Problems`] are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Boxes and colours, for a terminal.
    Colours,
    /// Boxes without colours (`NO_COLOR`).
    Boxes,
    /// ASCII only and narrow, for pipes and CI logs.
    Plain,
}

/// miette draws it; the words around the snippets are those of every other error of shipit.
pub(super) fn render(problem: &Problem, style: Style, width: usize) -> String {
    let mut theme = match style {
        Style::Colours => GraphicalTheme::unicode(),
        Style::Boxes => GraphicalTheme::unicode_nocolor(),
        Style::Plain => GraphicalTheme::none(),
    };
    theme.characters.error = "error:".into();
    theme.characters.warning = "warning:".into();
    theme.characters.advice = "note:".into();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width)
        .with_links(false);
    let mut text = String::new();
    let mut parts = std::iter::once(problem)
        .chain(&problem.elsewhere)
        .peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let handler = match problem.advice().filter(|_| is_last) {
            Some(hint) => handler.clone().with_footer(format!("hint: {hint}")),
            None => handler.clone(),
        };
        // Writing to a String does not fail; should miette itself fail, the fact is still worth showing.
        if handler.render_report(&mut text, part).is_err() {
            let _ = writeln!(text, "  error: {part}");
        }
    }
    text
}
