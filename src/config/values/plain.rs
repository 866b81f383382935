//! Strings, booleans and numbers.

use serde_json::Value;
use toml::{Spanned, de::DeValue};

use super::super::{
    from_toml::FromToml,
    key::{Limits, Ranged, Written},
    reader::Reader,
    slot::Plain,
};
use crate::diagnostic::Problem;

impl FromToml for String {
    fn kind() -> String {
        "string".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        let DeValue::String(text) = value.get_ref() else {
            reader.wrong_type(value, "a string");
            return None;
        };
        if text.contains('\0') {
            let place = reader.place(value.span());
            reader.problems.push(
                Problem::error("a NUL byte in a string")
                    .at(&place, "has a NUL byte")
                    .hint("neither a command line nor an environment variable can carry one"),
            );
            return None;
        }
        Some(text.clone().into_owned())
    }
}

impl FromToml for bool {
    fn kind() -> String {
        "boolean".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        if let DeValue::Boolean(flag) = value.get_ref() {
            return Some(*flag);
        }
        reader.wrong_type(value, "`true` or `false`");
        None
    }
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl FromToml for $type {
            fn kind() -> String {
                "number".to_owned()
            }

            fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
                let DeValue::Integer(number) = value.get_ref() else {
                    reader.wrong_type(value, "a number");
                    return None;
                };
                let read = <$type>::from_str_radix(number.as_str(), number.radix()).ok();
                if read.is_none() {
                    let place = reader.place(value.span());
                    reader.problems.push(
                        Problem::error(format!("`{number}` is out of range"))
                            .at(&place, format!("0 to {}", <$type>::MAX)),
                    );
                }
                read
            }
        }

        impl Ranged for $type {
            const IS_NUMBER: bool = true;

            fn amount(&self) -> u64 {
                u64::from(*self)
            }

            fn within(limits: Limits) -> String {
                match limits.most {
                    Some(most) => format!("{} to {most}", limits.least),
                    None => format!("at least {}", limits.least),
                }
            }
        }
    )*};
}
numbers!(u16, u32, u64);

/// Values that are written and meant as what they are.
macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Written for $type {
            fn written(&self) -> Value {
                self.clone().into()
            }
        }

        impl Plain<$type> for $type {
            fn meaning(&self) -> $type {
                self.clone()
            }
        }
    )*};
}
plain!(String, bool, u16, u32, u64);
