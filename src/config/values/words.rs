//! Values that are one of a few words.

use schemars::JsonSchema;
use toml::{Spanned, de::DeValue};

use super::super::{
    section::{FromToml, Reader},
    suggest::did_you_mean,
};
use crate::diagnostic::Problem;

/// An enum of words.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
        pub enum $name {
            $($(#[$variant_meta])* #[schemars(rename = $word)] $variant,)*
        }

        impl FromToml for $name {
            fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
                let DeValue::String(text) = value.get_ref() else {
                    reader.wrong_type(value, "a string");
                    return None;
                };
                match text.as_ref() {
                    $($word => Some(Self::$variant),)*
                    _ => {
                        unknown_word(text, value, &[$($word),*], reader);
                        None
                    }
                }
            }
        }
    };
}

fn unknown_word(text: &str, value: &Spanned<DeValue<'_>>, words: &[&str], reader: &mut Reader) {
    let place = reader.place(value.span());
    let choices = crate::text::list(words.iter().copied());
    let hint = did_you_mean(text, words.iter().copied());
    reader.problems.push(
        Problem::error(format!("`{text}` is not one of {choices}"))
            .at(&place, "unknown word")
            .maybe_hint(hint),
    );
}

choice! {
    /// What to do with a host key that no `known_hosts` file has.
    HostKeys {
        /// Refuse it.
        Strict = "strict",
        /// Add it to `known_hosts`. A changed key is refused all the same.
        AcceptNew = "accept-new",
    }
}

choice! {
    /// Where an image comes from.
    Source {
        /// Each host pulls it from its registry.
        Registry = "registry",
        /// The deployer's own Docker has it; hosts that lack it get it over the SSH connection.
        Local = "local",
    }
}

choice! {
    /// Which container comes first in an update.
    UpdateOrder {
        /// The new container serves before the old one stops.
        StartFirst = "start-first",
        /// The old container stops before the new one starts.
        StopFirst = "stop-first",
    }
}
