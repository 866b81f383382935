//! From the text of a YAML file to its tree.

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::{
    build::Builder,
    node::{Node, Value},
};
use crate::diagnostic::{Place, Problem, SourceFile};

/// Reads a file of one document; an empty one is `None`.
///
/// # Errors
///
/// What is no YAML, and what goes beyond the limits, with its place.
pub fn parse(file: &SourceFile) -> Result<Option<Node>, Problem> {
    let text = file.text();
    let mut builder = Builder::default();
    let mut documents = 0;
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| {
            let at = byte_at(text, error.marker().index());
            let fact = format!("not YAML: {}", error.info());
            Problem::error(fact).at(&file.place(at..at + 1), "here")
        })?;
        let place = place(file, &span);
        if let Some(tag) = event.tag()
            && !tag.is_yaml_core_schema()
        {
            let fact = format!("the tag `{}` is not understood", tag.original());
            let hint = "resolve it first; of a Compose file with `docker compose config`";
            return Err(Problem::error(fact).at(&place, "has it").hint(hint));
        }
        match event {
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    let fact = "a second document in the file";
                    return Err(Problem::error(fact).at(&place, "expected one alone"));
                }
            }
            Event::Alias(anchor) => builder.alias(anchor, &place)?,
            Event::Scalar(text, style, anchor, _) => {
                builder.scalar(value(&text, style), place, anchor)?;
            }
            Event::SequenceStart(_, anchor, _) => builder.list(place, anchor)?,
            Event::MappingStart(_, anchor, _) => builder.map(place, anchor)?,
            Event::SequenceEnd | Event::MappingEnd => builder.end()?,
            _ => {}
        }
    }
    let root = builder.root();
    Ok(root.filter(|node| !matches!(node.value, Value::Null)))
}

fn value(text: &str, style: ScalarStyle) -> Value {
    let is_null = matches!(text, "" | "~" | "null" | "Null" | "NULL");
    if style == ScalarStyle::Plain && is_null {
        Value::Null
    } else {
        Value::Text(text.to_owned())
    }
}

/// The bytes of what was found: of a list or a mapping, where it begins.
fn place(file: &SourceFile, span: &Span) -> Place {
    let text = file.text();
    let start = span.start.byte_offset();
    let start = start.unwrap_or_else(|| byte_at(text, span.start.index()));
    let end = span.end.byte_offset();
    let end = end.unwrap_or_else(|| byte_at(text, span.end.index()));
    let line = text.get(start..).and_then(|rest| rest.find(['\n', '\r']));
    let line = line.map_or(text.len(), |length| start + length);
    file.place(start..end.clamp(start, line.max(start)))
}

/// Where a character of the text begins.
fn byte_at(text: &str, character: usize) -> usize {
    let mut characters = text.char_indices();
    characters.nth(character).map_or(text.len(), |(at, _)| at)
}
