//! Texts in lines that fit, behind their indents.

/// The width of what has to fit nowhere.
pub const UNLIMITED: usize = usize::MAX;

/// The widest column of names. Formatting knows none wider than 65,535, and nobody reads one.
const WIDEST: usize = 200;

/// Names, and beside each, `column` behind the indent, a text that goes on below itself. Where little is left for it,
/// it goes on below the name.
pub fn in_two_columns<'a>(
    rows: impl Iterator<Item = (&'a str, &'a str)>,
    column: usize,
    indent: &str,
    width: usize,
) -> String {
    let is_narrow = column > WIDEST || width < indent.len() + column + 30;
    let line = |(name, text): (&str, &str)| {
        if is_narrow {
            let below = format!("{indent}    ");
            return format!("{indent}{name}\n{}", filled(text, &below, &below, width));
        }
        let first = format!("{indent}{name:column$}");
        let below = " ".repeat(first.len());
        filled(text, &first, &below, width)
    };
    rows.map(line).collect()
}

/// A text in lines that fit, the first and the others behind their indents.
pub fn filled(text: &str, first: &str, below: &str, width: usize) -> String {
    let options = textwrap::Options::new(width)
        .initial_indent(first)
        .subsequent_indent(below)
        // A name that is broken cannot be copied.
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::fill(text, options) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_length_has_its_text_beside_it_or_below() {
        let long = "x".repeat(70_000);
        let rows = [("name", "text"), (&long, "another")];
        let shown = |column| in_two_columns(rows.into_iter(), column, "  ", UNLIMITED);
        assert_eq!(shown(6), format!("  name  text\n  {long}another\n"));
        let below = format!("  name\n      text\n  {long}\n      another\n");
        assert_eq!(shown(long.len() + 2), below);
    }
}
