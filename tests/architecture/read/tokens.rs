//! What can be read from tokens that only a macro understands.

use std::collections::HashSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::ext::IdentExt;

use super::syntax::line;

/// A path among tokens.
pub struct TokenPath {
    pub words: Vec<String>,
    pub line: usize,
    /// The name of a macro that is called.
    pub macro_call: bool,
}

/// The paths in code that is not parsed. What a single word of a macro's definition stands for is decided
/// where the macro is called, so such words can be left out.
pub fn paths(tokens: TokenStream, single_words: bool) -> Vec<TokenPath> {
    let mut found = Vec::new();
    find_paths(tokens, single_words, &mut found);
    found
}

fn find_paths(tokens: TokenStream, single_words: bool, found: &mut Vec<TokenPath>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let is = |at: Option<usize>, wanted: char| {
        let token = at.and_then(|at| tokens.get(at));
        matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == wanted)
    };
    let colons = |at: usize| is(Some(at), ':') && is(Some(at + 1), ':');
    let mut at = 0;
    while at < tokens.len() {
        if let TokenTree::Group(group) = &tokens[at] {
            find_paths(group.stream(), single_words, found);
        }
        let TokenTree::Ident(first) = &tokens[at] else {
            at += 1;
            continue;
        };
        let before = |back: usize| at.checked_sub(back);
        let member = is(before(1), '.') && !is(before(2), '.');
        let lifetime = is(before(1), '\'');
        let variable = is(before(1), '$') && first != "crate";
        let mut words = vec![first.unraw().to_string()];
        at += 1;
        while colons(at)
            && let Some(TokenTree::Ident(next)) = tokens.get(at + 2)
        {
            words.push(next.unraw().to_string());
            at += 3;
        }
        // `name: value` and `name = value` name a field or an argument.
        let label =
            (is(Some(at), ':') && !colons(at)) || (is(Some(at), '=') && !is(Some(at + 1), '='));
        let single = words.len() == 1;
        if member || lifetime || variable || (single && (label || !single_words)) {
            continue;
        }
        found.push(TokenPath {
            words,
            line: line(first.span()),
            macro_call: single && is(Some(at), '!') && !is(Some(at + 1), '='),
        });
    }
}

/// The paths in string literals: `#[serde(with = "crate::text::seconds")]`.
pub fn quoted_paths(tokens: TokenStream) -> Vec<TokenPath> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => found.extend(quoted_paths(group.stream())),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let path = text.trim_matches('"');
                let is_word = |c: char| c.is_alphanumeric() || "_:".contains(c);
                if path.contains("::") && path.chars().all(is_word) {
                    found.push(TokenPath {
                        words: path.split("::").map(str::to_owned).collect(),
                        line: line(literal.span()),
                        macro_call: false,
                    });
                }
            }
            _ => {}
        }
    }
    found
}

/// Every word that these tokens may define.
pub fn words(tokens: TokenStream, found: &mut HashSet<String>) {
    for token in tokens {
        match token {
            // What stands in parentheses is used, not defined.
            TokenTree::Group(group) if group.delimiter() != Delimiter::Parenthesis => {
                words(group.stream(), found);
            }
            TokenTree::Ident(word) => {
                found.insert(word.unraw().to_string());
            }
            _ => {}
        }
    }
}
