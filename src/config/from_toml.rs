//! What can be read from TOML.
//!
//! serde's derive stops at a file's first mistake, so values are read from `toml`'s own parse tree.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    key::{Shape, Table},
    reader::Reader,
};
use crate::diagnostic::Located;

/// A type that a TOML value can be read into. `None` means that it could not, and that the reader was
/// told why.
pub trait FromToml: Sized {
    /// Whether it is written as a table.
    const SHAPE: Shape = Shape::Value;

    /// What it is called in docs: `duration`, `list of strings`. Markdown.
    fn kind() -> String;

    /// The same, for several of them.
    fn kinds() -> String {
        format!("{}s", Self::kind())
    }

    /// Reads it.
    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self>;

    /// Reads it together with its place.
    fn located(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Located<Self>> {
        let place = reader.place(value.span());
        Self::from_toml(value, reader).map(|value| Located { value, place })
    }
}

/// A struct that is read from a table.
pub trait Section: Sized {
    /// Reads it; what cannot be read is left out and the reader told why.
    fn from_table(table: &DeTable<'_>, reader: &mut Reader) -> Self;

    /// This one, with what it does not say taken from `base`.
    #[must_use]
    fn over(self, base: Self) -> Self;

    /// What is known of its keys.
    fn table() -> Table;
}
