//! The declaration of a table of the files.
//!
//! [`section!`] makes the struct, its reader, its defaults and what is known of its keys from one
//! declaration: they cannot drift apart.

use super::{
    key::{Limits, Ranged},
    reader::Reader,
};
use crate::diagnostic::{Located, Problem};

/// Declares a table of the files: the one place where a key is.
///
/// The string is what the table is called in errors; `as` is what one and several are called in docs, if not
/// tables. `in spec_hash` says that its keys count in the hash of
/// a container's spec; `or` names a function that has a hint for what stands in the table's place.
///
/// A key is declared as
///
/// ```text
/// /// What it means, for the docs and for editors.
/// #[default(VALUE)]               the value that is meant when it is not written
/// #[default = "words"]            the same in words: what decides then
/// #[needed = "needed"]            it must be written; the docs say so in these words
/// #[range(1.., "message")]        the values it may have, and the error for others; `{}` is the value
/// #[hash(no)]                     does not count in the spec's hash though its table does
/// #[hash(keyed)]                  counts by what it stands for, which is hashed under a key
/// #[hash(always)]                 is in the hash and in records even where it has its default
/// #[docker(["--option"] = "…")]   docker's options that it stands for, and an example of the value
/// name: Kind => Meaning,
/// ```
///
/// and becomes an `Option<Located<Kind>>`, or a `Defaulted<Kind>` if it has a default. `Meaning` is for the
/// tables whose meaning is made from their declaration, too (`model::keys`); keys `beside` the others have
/// their meaning elsewhere.
macro_rules! section {
    (
        $(#[$($about:tt)*])*
        $called:literal $name:ident in $hash:ident { $($key:tt)* } beside { $($more:tt)* }
    ) => {
        $crate::config::section::section! {
            $(#[$($about)*])*
            $called $name in $hash { $($key)* $($more)* }
        }
    };
    (
        $(#[doc = $about:literal])*
        $called:literal $name:ident $(as $one:literal, $many:literal)? $(in $hash:ident)? $(or $instead:path)? {
            $(
                $(#[doc = $meaning:literal])*
                $(#[default($default:expr)])?
                $(#[default = $words:literal])?
                $(#[needed = $needed:literal])?
                $(#[range($range:expr, $outside:literal $(, $hint:literal)?)])?
                $(#[hash($rule:ident)])?
                $(#[docker([$($option:literal),+] = $example:literal)])?
                $field:ident: $type:ty $(=> $meant:ty)?,
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        pub struct $name {
            $(
                $(#[doc = $meaning])*
                pub $field: $crate::config::section::slot_type!($type $(, $default)?),
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $crate::config::section::empty_slot!($($default)?),)*
                }
            }
        }

        impl $crate::config::from_toml::Section for $name {
            fn from_table(
                table: &toml::de::DeTable<'_>,
                reader: &mut $crate::config::reader::Reader,
            ) -> Self {
                use $crate::config::{from_toml::FromToml, section::key_of, slot::Slot};
                let mut section = Self::default();
                for (key, value) in table {
                    match key.get_ref().as_ref() {
                        $(word if word == key_of(stringify!($field)) => {
                            section.$field.put(FromToml::located(value, reader));
                            $(
                                let hint = None$(.or(Some($hint)))?;
                                $crate::config::section::check_range(
                                    section.$field.written(), $range, $outside, hint, reader,
                                );
                            )?
                        })*
                        unknown => {
                            let known = [$(key_of(stringify!($field))),*];
                            reader.unknown_key(unknown, key.span(), $called, &known);
                        }
                    }
                }
                section
            }

            fn over(self, base: Self) -> Self {
                use $crate::config::slot::Slot;
                Self {
                    $($field: self.$field.over(base.$field),)*
                }
            }

            fn table() -> $crate::config::key::Table {
                use $crate::config::{from_toml::FromToml, key, section::key_of};
                let in_hash = false $(|| stringify!($hash) == "spec_hash")?;
                key::Table {
                    about: concat!($($about),*).trim().to_owned(),
                    keys: vec![$(key::Key {
                        name: key_of(stringify!($field)),
                        meaning: concat!($($meaning),*).trim().to_owned(),
                        value: <$type>::kind(),
                        shape: <$type>::SHAPE,
                        default: None$(.or(Some(<$type as key::Written>::written(&$default))))?,
                        default_in_words: None$(.or(Some($words)))?,
                        needed: None$(.or(Some($needed)))?,
                        range: None$(.or(Some(key::range::<$type>($range))))?,
                        in_spec_hash: in_hash $(&& stringify!($rule) != "no")?,
                        docker: None$(.or(Some(key::DockerOptions {
                            names: &[$($option),+],
                            example: $example,
                        })))?,
                    },)*],
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let values = [$(generator.subschema_for::<$type>()),*];
                let table = <Self as $crate::config::from_toml::Section>::table();
                $crate::config::property::table_schema(table, values)
            }
        }

        impl $crate::config::from_toml::FromToml for $name {
            const SHAPE: $crate::config::key::Shape = $crate::config::key::Shape::Table;

            fn kind() -> String {
                None$(.or(Some($one)))?.unwrap_or("table").to_owned()
            }

            fn kinds() -> String {
                None$(.or(Some($many)))?.unwrap_or("tables").to_owned()
            }

            fn from_toml(
                value: &toml::Spanned<toml::de::DeValue<'_>>,
                reader: &mut $crate::config::reader::Reader,
            ) -> Option<Self> {
                match value.get_ref() {
                    toml::de::DeValue::Table(table) => Some($crate::config::from_toml::Section::from_table(table, reader)),
                    _ => {
                        $(if let Some(hint) = $instead(value.get_ref()) {
                            reader.wrong_type_hinted(value, "a table", Some(hint));
                            return None;
                        })?
                        reader.wrong_type(value, "a table");
                        None
                    }
                }
            }
        }
    };
}
pub(crate) use section;

macro_rules! slot_type {
    ($type:ty) => { Option<$crate::diagnostic::Located<$type>> };
    ($type:ty, $default:expr) => { $crate::config::slot::Defaulted<$type> };
}
pub(crate) use slot_type;

macro_rules! empty_slot {
    () => {
        None
    };
    ($default:expr) => {
        $crate::config::slot::Defaulted::new($default)
    };
}
pub(crate) use empty_slot;

/// The key of a field: its name, also where that is a word of Rust's.
pub fn key_of(field: &'static str) -> &'static str {
    field.trim_start_matches("r#")
}

/// Says that a value is not one that its key may have.
pub(crate) fn check_range<T: Ranged>(
    found: Option<&Located<T>>,
    limits: impl Into<Limits>,
    message: &str,
    hint: Option<&str>,
    reader: &mut Reader,
) {
    let limits = limits.into();
    let Some(found) = found.filter(|found| !limits.contain(found.amount())) else {
        return;
    };
    let within = T::within(limits);
    let label = match limits.most {
        Some(_) => format!("expected {within}"),
        None => within,
    };
    reader.problems.push(
        Problem::error(message.replace("{}", &found.amount().to_string()))
            .at(&found.place, label)
            .maybe_hint(hint.map(str::to_owned)),
    );
}
