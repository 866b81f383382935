//! The image of a service. Any tag may be the first one to be deployed; a registry or a name cannot be guessed.

use std::{env, ops::Range};

use super::{
    variables::{Piece, pieces},
    writer::Writer,
};
use crate::{
    diagnostic::{Place, Problem},
    model::Reference,
};

/// The tag that a variable without a default stands for.
const LATEST: &str = "latest";

/// An image with its variables as vars of the recipe. `of` is whose it is.
///
/// # Errors
///
/// What docker would refuse, and a variable that nobody has given a value and that is no tag.
pub fn image(text: &str, place: &Place, of: &str, writer: &mut Writer) -> Result<String, Problem> {
    let mut pieces = pieces(text, writer.dialect());
    let (guessed, ranges) = filled(&pieces);
    let tag = tag_of(&guessed);
    for (piece, range) in pieces.iter_mut().zip(ranges) {
        let Piece::Variable(name, default @ None) = piece else {
            continue;
        };
        if !tag
            .as_ref()
            .is_some_and(|tag| tag.start <= range.start && range.end <= tag.end)
        {
            let value = env::var(&*name).ok().filter(|value| !value.is_empty());
            *default = Some(value.ok_or_else(|| without_value(name, place, of))?);
        }
    }
    let has_variables = pieces.iter().any(|it| matches!(it, Piece::Variable(..)));
    checked(&filled(&pieces).0, place, of).map_err(|problem| {
        let file = place.file.name();
        let hint = format!("a variable is its default here; write another one into `{file}`");
        problem.maybe_hint(has_variables.then_some(hint))
    })?;
    Ok(writer.fill(pieces, LATEST))
}

/// Whether docker would take an image.
///
/// # Errors
///
/// Why not.
pub fn checked(image: &str, place: &Place, of: &str) -> Result<(), Problem> {
    let Err(why) = Reference::checked(image) else {
        return Ok(());
    };
    let file = place.file.name();
    Err(Problem::error(format!("`{image}` is not an image: {why}"))
        .at(place, format!("the image of {of}"))
        .hint(format!("write one into `{file}`, such as `nginx:1.27`")))
}

fn without_value(name: &str, place: &Place, of: &str) -> Problem {
    let file = place.file.name();
    Problem::error(format!(
        "`{name}` has no value, and the image of {of} needs one"
    ))
    .at(place, "only a tag may be left open")
    .hint(format!(
        "set `{name}` in the environment, or write its value into `{file}`"
    ))
}

/// The image as it is when no variable is set, and where each piece stands in it.
fn filled(pieces: &[Piece]) -> (String, Vec<Range<usize>>) {
    let mut text = String::new();
    let mut ranges = Vec::new();
    for piece in pieces {
        let start = text.len();
        text += match piece {
            Piece::Text(text) | Piece::Variable(_, Some(text)) => text,
            Piece::Variable(_, None) => LATEST,
        };
        ranges.push(start..text.len());
    }
    (text, ranges)
}

/// Where the tag of an image stands.
fn tag_of(image: &str) -> Option<Range<usize>> {
    let reference = Reference::parse(image);
    let start = reference.repository.len() + 1;
    reference.tag.map(|tag| start..start + tag.len())
}
