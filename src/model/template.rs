//! Text whose last holes are filled when the release and the container are known.

use std::sync::Arc;

/// A handlebars template together with everything it may name, checked when the files were loaded.
#[derive(Debug, Clone)]
pub struct Template {
    /// The text as the file has it.
    pub source: String,
    /// What it may name, but for [`LateValues`].
    pub context: Arc<serde_json::Value>,
}

/// What only a deploy knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateValues {
    /// `{{release}}`: the release's number as `r42`.
    pub release: String,
    /// `{{container}}`: the name of the recipe's container on this host.
    pub container: String,
}

/// A template that names something that is not there, or is malformed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What is wrong, lowercase and without a full stop.
    pub message: String,
    /// The byte offset in the template's source where it stands.
    pub offset: usize,
}
