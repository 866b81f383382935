//! The variables in other tools' texts: `${TAG:-latest}` of Compose, `<%= ENV["TAG"] %>` of Kamal.

/// Whose files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Docker Compose.
    Compose,
    /// Kamal.
    Kamal,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// A variable of whoever deploys, with what it is when it is not set.
    Variable(String, Option<String>),
}

impl Dialect {
    /// What it is called in comments.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compose => "compose",
            Self::Kamal => "kamal",
        }
    }
}

/// The parts of a text.
pub fn pieces(text: &str, dialect: Dialect) -> Vec<Piece> {
    match dialect {
        Dialect::Compose => of_compose(text),
        Dialect::Kamal => of_kamal(text),
    }
}

/// A text for a place that has no variables: each is what it is when it is not set, or else its name.
pub fn settled(text: &str, dialect: Dialect) -> String {
    let parts = pieces(text, dialect).into_iter();
    let texts = parts.map(|piece| match piece {
        Piece::Text(text) => text,
        Piece::Variable(name, default) => {
            default.unwrap_or_else(|| name.to_ascii_lowercase().replace('_', "-"))
        }
    });
    texts.collect()
}

fn of_compose(text: &str) -> Vec<Piece> {
    let mut pieces = Pieces::default();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        pieces.text(&rest[..at]);
        let behind = &rest[at + 1..];
        if let Some(after) = behind.strip_prefix('$') {
            pieces.text("$");
            rest = after;
        } else if let Some((inner, after)) = behind.strip_prefix('{').and_then(to_brace) {
            pieces.variable(inner);
            rest = after;
        } else {
            let end = behind
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(behind.len());
            if is_name(&behind[..end]) {
                pieces.push(Piece::Variable(behind[..end].to_owned(), None));
                rest = &behind[end..];
            } else {
                pieces.text("$");
                rest = behind;
            }
        }
    }
    pieces.text(rest);
    pieces.0
}

/// What stands before the brace that closes, and what behind it.
fn to_brace(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some((&text[..at], &text[at + 1..])),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    let starts = characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    starts && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn push(&mut self, piece: Piece) {
        self.0.push(piece);
    }

    fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(before)) => before.push_str(text),
            _ => self.push(Piece::Text(text.to_owned())),
        }
    }

    /// What stands in the braces: a name, and perhaps what is to be when it is not set.
    fn variable(&mut self, inner: &str) {
        let end = inner
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(inner.len());
        let (name, operator) = inner.split_at(end);
        let without_colon = operator.strip_prefix(':').unwrap_or(operator);
        match without_colon.chars().next() {
            _ if !is_name(name) => self.text(&format!("${{{inner}}}")),
            Some('-') => {
                let default = plain(&without_colon[1..]);
                self.push(Piece::Variable(name.to_owned(), Some(default)));
            }
            // With a question mark it is an error when it is not set.
            None | Some('?') => self.push(Piece::Variable(name.to_owned(), None)),
            // What is to be when it *is* set; without it nothing is.
            Some('+') => self.push(Piece::Variable(name.to_owned(), Some(String::new()))),
            Some(_) => self.text(&format!("${{{inner}}}")),
        }
    }
}

/// A default, with the defaults of the variables in it.
fn plain(text: &str) -> String {
    // Each round has fewer braces.
    let pieces = of_compose(text).into_iter();
    let texts = pieces.map(|piece| match piece {
        Piece::Text(text) => text,
        Piece::Variable(_, default) => default.unwrap_or_default(),
    });
    texts.collect()
}

fn of_kamal(text: &str) -> Vec<Piece> {
    let mut pieces = Pieces::default();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("<%=") {
        let Some((inside, after)) = behind.split_once("%>") else {
            break;
        };
        pieces.text(before);
        match of_ruby(inside.trim()) {
            Some((name, default)) => pieces.push(Piece::Variable(name, default)),
            None => pieces.text(&format!("<%={inside}%>")),
        }
        rest = after;
    }
    pieces.text(rest);
    pieces.0
}

/// `ENV["NAME"]`, `ENV.fetch("NAME", "default")`.
fn of_ruby(expression: &str) -> Option<(String, Option<String>)> {
    let rest = expression.strip_prefix("ENV")?.trim_start();
    let arguments = rest
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .or_else(|| rest.strip_prefix(".fetch(")?.strip_suffix(')'))?;
    let (name, default) = match arguments.split_once(',') {
        Some((name, default)) => (name, Some(default)),
        None => (arguments, None),
    };
    let text = |word: &str| {
        let word = word.trim();
        let quote = word.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let inside = word.strip_prefix(quote)?.strip_suffix(quote)?;
        Some(inside.to_owned())
    };
    let name = text(name).filter(|name| is_name(name))?;
    match default {
        None => Some((name, None)),
        Some(default) => Some((name, Some(text(default)?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, dialect: Dialect) -> String {
        let pieces = pieces(text, dialect).into_iter();
        let shown = pieces.map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Variable(name, None) => format!("[{name}]"),
            Piece::Variable(name, Some(default)) => format!("[{name}|{default}]"),
        });
        shown.collect()
    }

    #[test]
    fn variables_of_compose_are_found() {
        for (text, expected) in [
            ("app:${TAG:-latest}", "app:[TAG|latest]"),
            ("$A-$B", "[A]-[B]"),
            ("${A-}${B:?set it}", "[A|][B]"),
            ("${A:-${B:-x}/y}", "[A|x/y]"),
            ("${A:+yes}", "[A|]"),
            ("100$$ $ ${ $1 ${1}", "100$ $ ${ $1 ${1}"),
            ("no braces", "no braces"),
        ] {
            assert_eq!(shown(text, Dialect::Compose), expected, "{text}");
        }
    }

    #[test]
    fn a_place_without_variables_has_their_defaults_or_names() {
        let text = "<%= ENV['DEPLOY_HOST'] %>.<%= ENV.fetch('X', 'example') %>";
        assert_eq!(settled(text, Dialect::Kamal), "deploy-host.example");
        assert_eq!(settled("${A_B}-${C:-d}", Dialect::Compose), "a-b-d");
    }

    #[test]
    fn variables_of_kamal_are_found() {
        for (text, expected) in [
            ("<%= ENV[\"HOST\"] %>", "[HOST]"),
            ("a-<%= ENV.fetch('X', 'y') %>-b", "a-[X|y]-b"),
            ("<%= ENV.fetch(\"X\") %>", "[X]"),
            ("<%= File.read('x') %>", "<%= File.read('x') %>"),
            ("<%= ENV['X'", "<%= ENV['X'"),
            ("$HOME", "$HOME"),
        ] {
            assert_eq!(shown(text, Dialect::Kamal), expected, "{text}");
        }
    }
}
