//! What a hook reads from its standard input.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{model::HookEvent, text};

/// What a hook of shipit's gets on its standard input, as one JSON object. Secrets are masked. Keys may be added.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HookInput {
    /// What the hook runs on.
    pub on: HookEvent,
    /// One line for people: `alice@laptop deployed r42 to staging: web v1.3`.
    pub text: String,
    /// The environment's name.
    pub environment: String,
    /// What was typed: `deploy`, `rollback`, `restart`, `stop` or `start`.
    pub command: String,
    /// The release: `r42`. Null when it ended before it had a number.
    pub release: Option<String>,
    /// Who makes it, and from where: `alice@laptop`.
    pub by: String,
    /// What it is for, as `-m` said it.
    pub message: Option<String>,
    /// The git revision of the project, with `+` where files were changed.
    pub revision: Option<String>,
    /// When it began, RFC 3339 in UTC.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started: Timestamp,
    /// When it ended; null on `started`.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub finished: Option<Timestamp>,
    /// How many milliseconds it took; null on `started`.
    pub took_ms: Option<u64>,
    /// What changes, recipe by recipe; empty when it ended before that was known.
    pub recipes: Vec<HookRecipe>,
    /// The exit code that shipit ends with; null on `started`.
    pub exit_code: Option<u8>,
    /// Why it did not succeed; null otherwise.
    pub error: Option<String>,
    /// The causes of the error, outermost first.
    pub causes: Vec<String>,
}

/// A recipe that a release changes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HookRecipe {
    /// Its name.
    pub name: String,
    /// The version as it was typed: the image's tag. Null for what has no new container.
    pub version: Option<String>,
    /// The hosts where it changes.
    pub hosts: Vec<String>,
}

impl HookInput {
    /// The same with every text as `masked` gives it, and without what acts on a terminal: a hook may print it there,
    /// and what failed may be told in a host's words.
    #[must_use]
    pub fn masked(mut self, masked: &dyn Fn(&str) -> String) -> Self {
        let optional = [&mut self.message, &mut self.revision, &mut self.error];
        let one = [&mut self.text, &mut self.by];
        let of_recipes = self
            .recipes
            .iter_mut()
            .flat_map(|recipe| &mut recipe.version);
        let texts = optional.into_iter().flatten().chain(one);
        for text in texts.chain(&mut self.causes).chain(of_recipes) {
            *text = text::visible(&masked(text)).into_owned();
        }
        self.text = self.text.replace('\n', " ");
        self
    }
}

/// The JSON Schema of what a hook reads.
pub fn input_schema() -> serde_json::Value {
    schemars::schema_for!(HookInput).to_value()
}
