//! What is wrong in a template, and where.

/// A template that names something that is not there, or is malformed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What is wrong, lowercase and without a full stop.
    pub message: String,
    /// The byte offset in the template's source where it stands.
    pub offset: usize,
    /// How many bytes of the source are meant; 0 when that is not known.
    pub length: usize,
    /// What to write instead.
    pub hint: Option<String>,
}

/// The byte offset of a line and column as pest counts them: from 1, in characters.
pub(super) fn offset_of(source: &str, line: usize, column: usize) -> usize {
    let start: usize = source
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = &source[start..];
    let within = rest
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(rest.len(), |(index, _)| index);
    start + within
}

/// How long the `{{…}}` at `offset` is.
pub(super) fn expression_length(source: &str, offset: usize) -> usize {
    source
        .get(offset..)
        .and_then(|rest| rest.find("}}"))
        .map_or(0, |end| end + 2)
}
