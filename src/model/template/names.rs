//! Names in a template that are not in scope.
//!
//! handlebars' strict mode stops at the first of them and lets `{{#if nmae}}` pass as false, so the names
//! are looked up here before it renders. Inside `{{#each}}` and `{{#with}}` names belong to the item, and
//! only strict mode looks at them.

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement, TemplateMapping};
use serde_json::Value;

use super::{
    error::{TemplateError, expression_length},
    helpers::HELPERS,
};
use crate::{config::suggest::nearest, text::list};

/// Every name of `template` that `context` lacks.
pub(super) fn unknown(template: &Template, source: &str, context: &Value) -> Vec<TemplateError> {
    let mut search = Search {
        source,
        context,
        found: Vec::new(),
    };
    search.template(template, false);
    search.found
}

/// What to write for braces that are another tool's, as a template has it.
const LITERAL_BRACES: &str = "for braces that are meant literally write `\\{{`";

/// What to write instead of an unknown helper.
pub(super) fn helper_hint(name: &str) -> String {
    match nearest(name, HELPERS) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the helpers are {}\n{LITERAL_BRACES}", list(HELPERS)),
    }
}

fn offset_of(source: &str, at: At<'_>) -> usize {
    super::error::offset_of(source, at.0, at.1)
}

struct Search<'a> {
    source: &'a str,
    context: &'a Value,
    found: Vec<TemplateError>,
}

/// The line and column of an expression. Its offset is only worth counting for a mistake.
type At<'a> = &'a TemplateMapping;

impl Search<'_> {
    /// `is_item` tells that names belong to an item.
    fn template(&mut self, template: &Template, is_item: bool) {
        for (element, at) in template.elements.iter().zip(&template.mapping) {
            match element {
                TemplateElement::Expression(helper)
                | TemplateElement::HtmlExpression(helper)
                | TemplateElement::HelperBlock(helper) => self.helper(helper, at, is_item),
                TemplateElement::DecoratorExpression(_)
                | TemplateElement::DecoratorBlock(_)
                | TemplateElement::PartialExpression(_)
                | TemplateElement::PartialBlock(_) => self.refuse(element, at),
                _ => {}
            }
        }
    }

    /// A partial that names itself would never end, and there is nothing that one could be for.
    fn refuse(&mut self, element: &TemplateElement, at: At<'_>) {
        let what = match element {
            TemplateElement::PartialExpression(_) | TemplateElement::PartialBlock(_) => "partial",
            _ => "decorator",
        };
        let offset = offset_of(self.source, at);
        self.found.push(TemplateError {
            message: format!("a {what} in a template"),
            offset,
            length: expression_length(self.source, offset),
            hint: Some(format!("there are no {what}s; a template is one string")),
        });
    }

    fn helper(&mut self, helper: &HelperTemplate, at: At<'_>, is_item: bool) {
        let name = helper.name.as_name().unwrap_or_default();
        if !is_item {
            self.call(helper, name, at);
        }
        let is_item_inside = is_item || matches!(name, "each" | "with");
        if let Some(inner) = &helper.template {
            self.template(inner, is_item_inside);
        }
        if let Some(inverse) = &helper.inverse {
            self.template(inverse, is_item);
        }
    }

    fn call(&mut self, helper: &HelperTemplate, name: &str, at: At<'_>) {
        let is_call = helper.block || !helper.params.is_empty() || !helper.hash.is_empty();
        if let Parameter::Subexpression(_) = helper.name {
            self.parameter(&helper.name, at);
        } else if HELPERS.contains(&name) {
            // A known one; strict mode checks how it is called.
        } else if is_call {
            let (offset, length) = self.locate(name, at);
            self.found.push(TemplateError {
                message: format!("unknown helper `{name}` in a template"),
                offset,
                length,
                hint: Some(helper_hint(name)),
            });
        } else {
            self.path(name, at);
        }
        for parameter in helper.params.iter().chain(helper.hash.values()) {
            self.parameter(parameter, at);
        }
    }

    fn parameter(&mut self, parameter: &Parameter, at: At<'_>) {
        match parameter {
            Parameter::Path(_) => {
                if let Some(name) = parameter.as_name() {
                    self.path(name, at);
                }
            }
            Parameter::Subexpression(inner) => {
                if let TemplateElement::Expression(helper) = inner.as_element() {
                    self.helper(helper, at, false);
                }
            }
            _ => {}
        }
    }

    /// Looks up a path of plain names; `@index`, `../x`, `this` and `[x y]` are left to strict mode.
    fn path(&mut self, path: &str, at: At<'_>) {
        let plain = |segment: &str| {
            !segment.is_empty()
                && segment != "this"
                && !segment.contains(['@', '[', ']', '/', '\'', '"'])
        };
        let segments: Vec<_> = path.split('.').collect();
        if !segments.iter().all(|segment| plain(segment)) {
            return;
        }
        let mut value = self.context;
        for (depth, segment) in segments.iter().enumerate() {
            if let Some(next) = child(value, segment) {
                value = next;
                continue;
            }
            let (offset, length) = self.locate(path, at);
            self.found.push(TemplateError {
                message: format!("unknown name `{path}` in a template"),
                offset,
                length,
                hint: hint(segment, &segments[..depth], value),
            });
            return;
        }
    }

    /// Where `word` stands in an expression, and how long it is.
    fn locate(&self, word: &str, at: At<'_>) -> (usize, usize) {
        let offset = offset_of(self.source, at);
        let expression = &self.source[offset..];
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "_-.".contains(c));
        expression
            .match_indices(word)
            .find(|(at, _)| {
                !is_part(expression[..*at].chars().next_back())
                    && !is_part(expression[at + word.len()..].chars().next())
            })
            .map_or(
                (offset, expression_length(self.source, offset)),
                |(at, _)| (offset + at, word.len()),
            )
    }
}

fn child<'a>(value: &'a Value, segment: &str) -> Option<&'a Value> {
    match value {
        Value::Object(object) => object.get(segment),
        Value::Array(items) => items.get(segment.parse::<usize>().ok()?),
        _ => None,
    }
}

fn hint(segment: &str, parents: &[&str], value: &Value) -> Option<String> {
    let object = value.as_object()?;
    let at_root = parents.is_empty();
    if at_root && matches!(segment, "release" | "container") {
        return Some(format!(
            "`{segment}` is known only to commands, such as `run`, `unless` and `upstreams`"
        ));
    }
    if at_root && segment == "host" {
        return Some(
            "there is no single host here: use a list, as in `{{address hosts}}`".to_owned(),
        );
    }
    let dotted = |name: &str| [parents, &[name]].concat().join(".");
    let known = object.keys().map(String::as_str);
    if let Some(near) = nearest(segment, known.clone()) {
        return Some(format!("did you mean `{}`?", dotted(near)));
    }
    if at_root {
        return Some(format!(
            "a var is set in the recipe's or the inventory's `[vars]`, or by `--set {segment}=VALUE`; known are {}\n{LITERAL_BRACES}",
            list(known)
        ));
    }
    Some(format!("`{}` has {}", parents.join("."), list(known)))
}
