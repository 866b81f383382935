//! The files as they are written: read from TOML with the place of every value, unknown keys refused.
//!
//! What the values mean, and whether they fit together, is [`crate::model`]'s part.

mod from_toml;
pub mod inventory;
pub mod key;
mod property;
mod reader;
pub mod recipe;
mod reference;
mod schema;
mod section;
pub mod slot;
pub mod suggest;
pub mod values;

use std::{collections::HashMap, path::Path};

use toml::de::DeTable;

pub use from_toml::{FromToml, Section};
pub use reader::Reader;
pub use reference::{explain, key_table, tables};
pub use schema::{inventory_schema, recipe_schema};

use crate::{
    diagnostic::{Problem, Problems, SourceFile},
    files,
};

/// A file that was read.
#[derive(Debug, Clone)]
pub struct File<T> {
    /// Its text.
    pub source: SourceFile,
    /// What could be read of it.
    pub content: T,
    /// What could not.
    pub problems: Problems,
    /// Whether it is TOML at all; if not, what is missing in `content` may be missing because of that.
    pub is_toml: bool,
}

/// Reads a file; `name` is what it is called in errors.
///
/// # Errors
///
/// When there is no text to read. Everything else is in [`File::problems`].
pub fn read<T: Section>(path: &Path, name: &str) -> Result<File<T>, std::io::Error> {
    Ok(parse(SourceFile::new(name, files::read_text(path)?)))
}

/// Reads a file's text.
pub fn parse<T: Section>(source: SourceFile) -> File<T> {
    let (table, errors) = DeTable::parse_recoverable(source.text());
    let mut reader = Reader {
        file: source.clone(),
        problems: Problems::new(),
    };
    let content = T::from_table(table.get_ref(), &mut reader);
    let mut problems = reader.problems;
    if !errors.is_empty() {
        // What was read after a syntax error may be nonsense, so only the syntax is worth showing.
        problems = Problems::new();
        // One slip ends what it is in, too, at the same place; the innermost comes last.
        let start = |error: &toml::de::Error| error.span().map(|span| span.start);
        let mut last = HashMap::new();
        for (index, error) in errors.iter().enumerate() {
            last.insert(start(error), index);
        }
        let innermost = errors
            .iter()
            .enumerate()
            .filter(|(index, error)| last.get(&start(error)) == Some(index));
        for (_, error) in innermost {
            problems.push(not_toml(error, &source));
        }
    }
    File {
        source,
        content,
        problems,
        is_toml: errors.is_empty(),
    }
}

fn not_toml(error: &toml::de::Error, source: &SourceFile) -> Problem {
    let span = error.span();
    // The parser has two ways to say so, and a place for one of them.
    if error.message().contains("recurs") {
        let problem = Problem::error("not TOML that can be read: nested too deep");
        return match span {
            Some(span) => problem.at(&source.place(span), "here"),
            None => problem.at(&source.place(0..0), "somewhere in this file"),
        };
    }
    let place = source.place(span.unwrap_or_default());
    Problem::error(format!("not TOML: {}", error.message())).at(&place, "here")
}
