//! The resolving of a recipe's strings for one host, or for none.

use std::sync::Arc;

use serde_json::Value;

use super::{
    super::read::Project,
    context::{MOST_STEPS, Scope},
    escapes::within,
};
use crate::{
    diagnostic::{Place, Problem, Problems},
    model::{
        ImageSource, LateValues, Template,
        template::{self, TemplateError},
    },
};

/// Resolves a recipe's strings for one host, or for none.
pub(in super::super) struct Resolver<'a> {
    pub scope: &'a Scope<'a>,
    pub host: Option<usize>,
    pub problems: &'a mut Problems,
}

impl<'a> Resolver<'a> {
    pub(in super::super) fn project(&self) -> &'a Project {
        self.scope.world.project
    }

    pub(in super::super) fn default_source(&self) -> ImageSource {
        self.scope.world.default_source
    }

    /// The text with every name filled in.
    pub(in super::super) fn text(&mut self, text: &str, place: &Place) -> String {
        if !template::is_template(text) {
            return text.to_owned();
        }
        self.scope.world.note_words(text);
        let key = self.scope.shared_key(text, self.host);
        if let Some(known) = key.as_ref().and_then(|key| self.scope.known_text(key)) {
            return known;
        }
        if self.refuse_further(place) {
            return text.to_owned();
        }
        match template::render(
            text,
            self.scope.context(text, self.host),
            &self.scope.world.steps,
        ) {
            Ok(rendered) => {
                if let Some(key) = key {
                    self.scope.keep_text(key, rendered.clone());
                }
                rendered
            }
            Err(errors) => {
                self.report(errors, place, text);
                text.to_owned()
            }
        }
    }

    /// The same, refused when it is empty or has control characters: where a line break cannot be meant.
    pub(in super::super) fn line(&mut self, text: &str, place: &Place) -> String {
        let line = self.text(text, place);
        if line.is_empty() || line.contains(char::is_control) {
            let what = if line.is_empty() {
                "an empty text"
            } else {
                "a line break or another control character"
            };
            self.problems
                .push(Problem::error(what).at(place, "expected one line of text"));
        }
        line
    }

    /// A command, which may also name what only a deploy knows.
    pub(in super::super) fn command(&mut self, text: &str, place: &Place) -> Template {
        let (command, is_new) = self.late(text, place);
        if is_new {
            self.warn_of_unquoted(text, place);
        }
        if text.trim().is_empty() {
            self.problems
                .push(Problem::error("an empty command").at(place, "nothing to run"));
        }
        command
    }

    /// A word of a command that no shell reads, which may name the same.
    pub(in super::super) fn word(&mut self, text: &str, place: &Place) -> Template {
        self.late(text, place).0
    }

    /// A text that may name what only a deploy knows, and whether it is a template without a mistake that was not
    /// looked at before.
    fn late(&mut self, text: &str, place: &Place) -> (Template, bool) {
        let mut late = Template {
            source: text.to_owned(),
            context: Arc::default(),
        };
        if !template::is_template(text) {
            return (late, false);
        }
        self.scope.world.note_words(text);
        let key = self.scope.shared_key(text, self.host);
        let known = key.as_ref().and_then(|key| self.scope.known_command(key));
        if let Some(context) = known {
            late.context = context;
            return (late, false);
        }
        if self.refuse_further(place) {
            return (late, false);
        }
        late.context = Arc::new(self.scope.context(text, self.host));
        match late.render_all(&LateValues::dummy(), &self.scope.world.steps) {
            Ok(_) => {
                if let Some(key) = key {
                    let context = Arc::clone(&late.context);
                    self.scope.keep_command(key, context);
                }
                (late, true)
            }
            Err(errors) => {
                self.report(errors, place, text);
                (late, false)
            }
        }
    }

    /// A command that names something that only a deploy knows, as [`tried`](Self::tried).
    pub(in super::super) fn tried_command(
        &mut self,
        text: &str,
        place: &Place,
        trials: &[Vec<(&str, Value)>],
    ) -> Template {
        let before = self.problems.iter().count();
        let command = self.tried(text, place, trials);
        if self.problems.iter().count() == before {
            self.warn_of_unquoted(text, place);
        }
        if text.trim().is_empty() {
            self.problems
                .push(Problem::error("an empty command").at(place, "nothing to run"));
        }
        command
    }

    /// A template that names something that only a deploy knows. It must be right with each of `trials` for that.
    pub(in super::super) fn tried(
        &mut self,
        text: &str,
        place: &Place,
        trials: &[Vec<(&str, Value)>],
    ) -> Template {
        self.scope.world.note_words(text);
        let template = Template {
            source: text.to_owned(),
            context: Arc::new(self.scope.context(text, self.host)),
        };
        if self.refuse_further(place) {
            return template;
        }
        for trial in trials {
            let mut tried = template.clone();
            for (name, value) in trial {
                tried = tried.with(name, value.clone());
            }
            let context = (*tried.context).clone();
            if let Err(errors) = template::render(text, context, &self.scope.world.steps) {
                self.report(errors, place, text);
                break;
            }
        }
        template
    }

    /// A var in a script may come from `--set`, and so from whoever starts a pipeline.
    fn warn_of_unquoted(&mut self, script: &str, place: &Place) {
        let is_var = |name: &str| self.scope.is_var(name, self.host);
        for found in template::unquoted(script, &is_var) {
            self.problems.push(
                Problem::warning(found.message.clone())
                    .at(
                        &within(place, script, &found),
                        "the shell reads what it is set to",
                    )
                    .maybe_hint(found.hint),
            );
        }
    }

    /// Whether no further template is filled in, as those before took too long.
    fn refuse_further(&mut self, place: &Place) -> bool {
        let world = self.scope.world;
        let is_over = world.has_taken_too_long();
        // Where one template alone was too long, that was said.
        if is_over && world.steps.get() != usize::MAX {
            self.problems.push(
                Problem::error(format!(
                    "the templates of this environment take more than {MOST_STEPS} steps"
                ))
                .at(place, "this one and those before it")
                .hint(
                    "each host that is listed is a step, and each round; a template that names no `host` is filled in once for all hosts",
                ),
            );
        }
        is_over
    }

    /// The host, behind what is said of a place; nothing where there is none.
    pub(super) fn on_host(&self) -> String {
        self.host.map_or_else(String::new, |index| {
            let host = &self.scope.world.members.hosts[index].host;
            format!(", on `{}`", host.name)
        })
    }

    fn report(&mut self, errors: Vec<TemplateError>, place: &Place, source: &str) {
        let label = format!("here{}", self.on_host());
        for error in errors {
            let at = within(place, source, &error);
            // A backslash is an escape itself between double quotes.
            let is_escaping = place.text().starts_with('"');
            let hint = error.hint.map(|hint| {
                if is_escaping {
                    hint.replace("`\\{{`", "`\\\\{{`")
                } else {
                    hint
                }
            });
            self.problems.push(
                Problem::error(error.message)
                    .at(&at, label.clone())
                    .maybe_hint(hint),
            );
        }
    }
}

/// Whether a template stands where its text should, because something in it is wrong.
pub(in super::super) fn is_unresolved(written: &str, resolved: &str) -> bool {
    written == resolved && template::is_template(written)
}
