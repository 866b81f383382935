//! Text whose last holes are filled when the release, the container and its image are known.

use std::{
    cell::Cell,
    sync::{Arc, LazyLock},
};

use handlebars::{
    Handlebars, RenderContext, RenderErrorReason, Renderable, TemplateErrorReason, no_escape,
};
use serde_json::Value;

use super::{
    each,
    error::{TemplateError, expression_length, offset_of},
    helpers, limits, names, rounds,
};

/// A handlebars template together with everything it may name, checked when the files were loaded.
#[derive(Debug, Clone)]
pub struct Template {
    /// The text as the file has it.
    pub source: String,
    /// What it may name, but for [`LateValues`].
    pub context: Arc<Value>,
}

/// What only a deploy knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateValues {
    /// `{{release}}`: the release's number as `r42`.
    pub release: String,
    /// `{{container}}`: the name of the recipe's container on this host.
    pub container: String,
    /// `{{image}}`: the exact image of the recipe's container on this host, as `docker run` is told. A var of this
    /// name goes before it: there were some before this was known to templates.
    pub image: String,
}

impl LateValues {
    /// Stand-ins, to check a template before a deploy.
    pub fn dummy() -> Self {
        Self {
            release: "r1".to_owned(),
            container: "container".to_owned(),
            image: "image".to_owned(),
        }
    }
}

impl Template {
    /// Fills the last holes.
    ///
    /// # Errors
    ///
    /// None for a template that came out of a load: it was tried there with other [`LateValues`].
    pub fn render(&self, late: &LateValues) -> Result<String, TemplateError> {
        self.render_all(late, &Cell::default())
            .map_err(|mut errors| errors.swap_remove(0))
    }

    /// The same template, which can name this too.
    #[must_use]
    pub fn with(&self, name: &str, value: Value) -> Self {
        let mut context = (*self.context).clone();
        if let Some(context) = context.as_object_mut() {
            context.insert(name.to_owned(), value);
        }
        Self {
            source: self.source.clone(),
            context: Arc::new(context),
        }
    }

    /// Fills in a template that names no [`LateValues`].
    ///
    /// # Errors
    ///
    /// The first mistake in it.
    pub fn fill(&self) -> Result<String, TemplateError> {
        render(&self.source, (*self.context).clone(), &Cell::default())
            .map_err(|mut errors| errors.swap_remove(0))
    }

    /// The same, with every mistake that can be told apart; never an empty list. Adds what it took to `steps`.
    pub(in super::super) fn render_all(
        &self,
        late: &LateValues,
        steps: &Cell<usize>,
    ) -> Result<String, Vec<TemplateError>> {
        if !is_template(&self.source) {
            return Ok(self.source.clone());
        }
        let mut context = (*self.context).clone();
        if let Some(context) = context.as_object_mut() {
            context.insert("release".to_owned(), late.release.clone().into());
            context.insert("container".to_owned(), late.container.clone().into());
            let image = context.entry("image");
            image.or_insert_with(|| late.image.clone().into());
        }
        render(&self.source, context, steps)
    }
}

/// Whether a text has anything for handlebars to do. What has not is never parsed, so that it stays as it
/// is to the last backslash.
pub(in super::super) fn is_template(text: &str) -> bool {
    text.contains("{{")
}

/// Renders a template strictly: a name that is not in `context` is an error, also as a helper's argument. Adds what
/// it took to `steps`.
pub(in super::super) fn render(
    source: &str,
    context: Value,
    steps: &Cell<usize>,
) -> Result<String, Vec<TemplateError>> {
    static HANDLEBARS: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
        let mut handlebars = Handlebars::new();
        handlebars.set_strict_mode(true);
        handlebars.register_escape_fn(no_escape);
        helpers::register(&mut handlebars);
        rounds::register(&mut handlebars);
        each::register(&mut handlebars);
        handlebars
    });

    if !is_template(source) {
        return Ok(source.to_owned());
    }
    if let Some(error) = limits::beyond_limits(source) {
        return Err(vec![error]);
    }
    let mut template =
        handlebars::Template::compile(source).map_err(|error| vec![malformed(source, &error)])?;
    let unknown = names::unknown(&template, source, &context);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    rounds::count_in(&mut template);
    each::check_in(&mut template);
    let context = handlebars::Context::from(context);
    let mut output = rounds::Bounded::default();
    let mut render_context = RenderContext::new(None);
    let rendered = template.render(&HANDLEBARS, &context, &mut render_context, &mut output);
    steps.set(steps.get().saturating_add(output.pieces()));
    rendered.map_err(|error| vec![failed(source, &error)])?;
    Ok(output.into_text())
}

fn malformed(source: &str, error: &handlebars::TemplateError) -> TemplateError {
    let (line, column) = error.pos().unwrap_or((1, 1));
    let what = match error.reason() {
        TemplateErrorReason::MismatchingClosedHelper(opened, closed)
        | TemplateErrorReason::MismatchingClosedDecorator(opened, closed) => {
            format!("`{opened}` is closed by `{closed}`")
        }
        // The parser's own words are the names of its grammar's rules, which tell a user nothing.
        _ => "this is not a handlebars expression".to_owned(),
    };
    // The parser stops where it can go on no more; what is wrong is the expression that begins before.
    let stopped = offset_of(source, line, column);
    let mut reach = (stopped + 2).min(source.len());
    while !source.is_char_boundary(reach) {
        reach -= 1;
    }
    let offset = source[..reach].rfind("{{").unwrap_or(stopped);
    TemplateError {
        message: format!("malformed template: {what}"),
        offset,
        length: match expression_length(source, offset) {
            0 => source.len() - offset,
            length => length,
        },
        hint: Some(
            "`{{name}}` is filled in; for braces that are meant literally write `\\{{`".to_owned(),
        ),
    }
}

fn failed(source: &str, error: &handlebars::RenderError) -> TemplateError {
    let offset = offset_of(
        source,
        error.line_no.unwrap_or(1),
        error.column_no.unwrap_or(1),
    );
    let (message, hint) = match error.reason() {
        RenderErrorReason::MissingVariable(Some(name)) => {
            (format!("unknown name `{name}` in a template"), None)
        }
        RenderErrorReason::MissingVariable(None) => ("unknown name in a template".to_owned(), None),
        RenderErrorReason::HelperNotFound(name) => (
            format!("unknown helper `{name}` in a template"),
            Some(names::helper_hint(name)),
        ),
        // Nothing else is an error of the output.
        RenderErrorReason::IOError(error) => (format!("template too long: {error}"), None),
        other => (format!("template failed: {other}"), None),
    };
    TemplateError {
        message,
        offset,
        length: expression_length(source, offset),
        hint,
    }
}
