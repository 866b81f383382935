//! Values that are one of a few words.

use schemars::JsonSchema;
use toml::{Spanned, de::DeValue};

use super::super::{from_toml::FromToml, key::Written, reader::Reader, suggest::did_you_mean};
use crate::diagnostic::Problem;

/// An enum of words.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
        pub enum $name {
            $($(#[$variant_meta])* #[schemars(rename = $word)] $variant,)*
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.written().serialize(serializer)
            }
        }

        impl Written for $name {
            fn written(&self) -> serde_json::Value {
                match self {
                    $(Self::$variant => $word.into(),)*
                }
            }
        }

        impl FromToml for $name {
            fn kind() -> String {
                let words = [$(concat!("`", $word, "`")),*];
                words.join(", ")
            }

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
    /// What to do with a host key that no `known_hosts` file has. A changed key is refused under each.
    HostKeyPolicy {
        /// Refuse it, as OpenSSH's `StrictHostKeyChecking yes`.
        Strict = "strict",
        /// Add it to `known_hosts`, as OpenSSH's `StrictHostKeyChecking accept-new`.
        AcceptNew = "accept-new",
    }
}

choice! {
    /// Where an image comes from.
    ImageSource {
        /// Each host pulls it from its registry.
        Registry = "registry",
        /// The deployer's own Docker has it; hosts that lack it get it over the SSH connection.
        Local = "local",
    }
}

choice! {
    /// What happens to a release that a hook runs on.
    HookEvent {
        /// It is about to begin.
        Started = "started",
        /// It succeeded.
        Succeeded = "succeeded",
        /// It failed.
        Failed = "failed",
        /// It failed, and every host was reverted.
        Reverted = "reverted",
        /// The user stopped it.
        Interrupted = "interrupted",
        /// Someone else has the lock.
        Locked = "locked",
    }
}

choice! {
    /// Where a command runs.
    TaskPlace {
        /// On the host.
        Host = "host",
        /// In a one-off container of the recipe's image.
        New = "new",
    }
}

choice! {
    /// Whether a request goes over TLS.
    Scheme {
        /// Without TLS.
        Http = "http",
        /// Over TLS.
        Https = "https",
    }
}

choice! {
    /// Which container comes first in an update, in Docker Swarm's words.
    Order {
        /// The new container serves before the old one stops.
        StartFirst = "start-first",
        /// The old container stops before the new one starts.
        StopFirst = "stop-first",
        /// All new containers are ready on every host before one is routed to; then the balancers are switched to them
        /// together, and the old ones stop. A failure switches back.
        BlueGreen = "blue-green",
    }
}
