//! Strings, booleans and numbers.

use toml::{Spanned, de::DeValue};

use super::super::section::{FromToml, Reader};
use crate::diagnostic::Problem;

impl FromToml for String {
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
    )*};
}
numbers!(u16, u32, u64);
