//! How deep and how long a template is.
//!
//! handlebars goes through a template by recursion, so a deep one would end the program. What is counted here
//! may be more than there is, never less.

use super::error::{TemplateError, expression_length};

/// The most blocks that may be open at once; an `else` counts as one until its block is closed.
const BLOCKS: usize = 100;

/// The most brackets that may be open at once in one expression.
const BRACKETS: usize = 32;

/// The most expressions, comments among them: handlebars counts lines from the top for each.
const EXPRESSIONS: usize = 5000;

/// The first expression beyond the limits.
pub(super) fn beyond_limits(source: &str) -> Option<TemplateError> {
    let mut open = vec![0];
    let mut depth = 0;
    // After what may be read in two ways, nothing is taken for a block's end any more.
    let mut is_certain = true;
    let (mut at, mut expressions) = (0, 0);
    while let Some(found) = source[at..].find("{{") {
        let start = at + found;
        if is_escaped(&source[..start]) {
            let braces = &source[start + 2..];
            at = source.len() - braces.strip_prefix("{{").unwrap_or(braces).len();
            continue;
        }
        expressions += 1;
        let inner = source[start + 2..].trim_start_matches(is_skipped);
        let is_too_long = expressions > EXPRESSIONS;
        if let Some(comment) = inner.strip_prefix('!').filter(|_| !is_too_long) {
            at = source.len() - after_comment(comment).len();
            continue;
        }
        let expression = Expression::read(inner);
        at = source.len() - expression.rest.len();
        is_certain &= expression.is_certain;
        if inner.starts_with('#') {
            open.push(1);
            depth += 1;
        } else if inner.starts_with('^') || inner.starts_with("else") {
            if let Some(block) = open.last_mut() {
                *block += 1;
            }
            depth += 1;
        } else if inner.starts_with('/') && is_certain {
            depth -= open.pop().unwrap_or_default();
        }
        let what = if depth > BLOCKS {
            format!("nested too deep: more than {BLOCKS} blocks and `else` within each other")
        } else if expression.brackets > BRACKETS {
            format!("nested too deep: more than {BRACKETS} brackets within each other")
        } else if is_too_long {
            format!("too long: more than {EXPRESSIONS} expressions")
        } else {
            continue;
        };
        return Some(TemplateError {
            message: format!("template {what}"),
            offset: start,
            length: expression_length(source, start),
            hint: None,
        });
    }
    None
}

/// Two backslashes stand for themselves.
fn is_escaped(before: &str) -> bool {
    before.ends_with('\\') && !before.ends_with("\\\\")
}

fn is_skipped(c: char) -> bool {
    c == '~' || c.is_ascii_whitespace()
}

/// What follows a comment. One that begins with two dashes may have braces in it.
fn after_comment(comment: &str) -> &str {
    let long = comment.trim_start().strip_prefix("--");
    let after_long = long.and_then(|text| text.split_once("--}}"));
    let after = after_long.or_else(|| comment.split_once("}}"));
    after.map_or("", |(_, rest)| rest)
}

/// An expression up to the first closing braces.
struct Expression<'a> {
    /// The most brackets that are open at once.
    brackets: usize,
    /// Whether it certainly ends there.
    is_certain: bool,
    rest: &'a str,
}

impl<'a> Expression<'a> {
    fn read(text: &'a str) -> Self {
        let (inside, rest) = text.split_once("}}").unwrap_or((text, ""));
        let (mut brackets, mut deepest) = (0_usize, 0);
        let mut quote = None;
        let mut characters = inside.chars();
        while let Some(c) = characters.next() {
            match (quote, c) {
                (Some(_), '\\') => {
                    characters.next();
                }
                (Some(open), _) if open == c => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                (None, '(' | '[' | '{') => {
                    brackets += 1;
                    deepest = deepest.max(brackets);
                }
                (None, ')' | ']' | '}') => brackets = brackets.saturating_sub(1),
                _ => {}
            }
        }
        // A quote in the brackets of a path is a plain character; a raw block has four braces.
        let is_path_quoted = inside.contains('[') && inside.contains(['"', '\'']);
        Self {
            brackets: deepest,
            is_certain: quote.is_none() && !is_path_quoted && !inside.starts_with("{{"),
            rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_brackets_have_a_limit() {
        let blocks =
            |count: usize, open: &str| format!("{}{}", open.repeat(count), "{{/if}}".repeat(count));
        let inside =
            |count: usize, text: &str| format!("{{{{#if a}}}}{}{{{{/if}}}}", text.repeat(count));
        let brackets = |count: usize| format!("{{{{count {}a", "(count ".repeat(count));
        for fits in [
            blocks(100, "{{#if a}}"),
            "{{#if a}}{{else if b}}{{else}}{{/if}}".repeat(1000),
            inside(99, "{{else if a}}"),
            inside(1000, "{{! {{#if a}}{{!-- {{#if a}} --}}"),
            brackets(32),
            "((((((((((".repeat(100),
            "\\{{#if a".repeat(1000),
            "{{a}}".repeat(5000),
        ] {
            assert_eq!(beyond_limits(&fits), None, "{fits}");
        }
        for deep in [
            blocks(101, "{{#if a}}"),
            blocks(101, "{{~ # if a}}"),
            inside(101, "{{else if a}}"),
            inside(101, "{{^}}"),
            brackets(33),
            "{{a}}".repeat(5001),
            "{{! a }}\n".repeat(5001),
            // None of these is a block's end.
            blocks(101, "{{#if a}}{{! {{/if}}"),
            blocks(101, "{{#if a}}{{! -- {{/if}} --}}"),
            blocks(101, "{{#if a}}\\{{/if}}"),
            blocks(101, "{{#if a}}\\{{{{/if}}"),
            blocks(101, "{{#if a}}\\\\{{#if a}}\\{{/if}}"),
            blocks(101, "{{#if '\"' \"}}{{/if}}\"}}"),
            blocks(101, "{{#if a.[\"] \"}}{{/if}}\"}}"),
            blocks(101, "{{#if a}}{{{{raw}}}}{{/if}}{{{{/raw}}}}"),
        ] {
            assert!(beyond_limits(&deep).is_some(), "{deep}");
        }
    }
}
