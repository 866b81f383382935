//! Masks secrets: every string of every event goes through here before any reporter sees it.

mod fields;
mod find;
mod form;
mod forms;
mod look;
mod preview;
mod release;
mod status;
mod strings;

use std::{
    borrow::Cow,
    sync::{Arc, PoisonError, RwLock},
};

use self::{
    find::Finder,
    strings::{for_each_line, for_each_string},
};
use super::text::strip_escapes;
use crate::event::Event;

/// What stands in a secret's place.
const MASK: &str = "***";

/// The values that must not be shown. Cheap to clone; all clones share the values, so that a secret that
/// becomes known during a run is masked from then on.
#[derive(Clone, Default)]
pub struct Masks {
    secrets: Arc<RwLock<Finder>>,
}

impl Masks {
    /// Masks for these secrets.
    pub fn new(secrets: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let masks = Self::default();
        for secret in secrets {
            masks.add(secret.as_ref());
        }
        masks
    }

    /// Adds a secret: its value and its lines, as they are, in base64, and escaped as in a URL or in JSON.
    pub fn add(&self, secret: &str) {
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        secrets.add(secret);
    }

    /// The text with `***` for every secret in it, and for what a cut has left of one.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        let masked = replace(&secrets, text);
        // A colour in the middle of a secret would hide it here and be removed for the terminal.
        let stripped = strip_escapes(&masked);
        if stripped != masked && !secrets.parts(&stripped).is_empty() {
            return Cow::Owned(replace(&secrets, &stripped).into_owned());
        }
        masked
    }

    /// Masks every string of an event.
    pub(super) fn mask_event(&self, event: &mut Event) {
        for_each_line(&mut event.kind, &mut |line| {
            let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
            if secrets.has_short_line(line.trim()) {
                MASK.clone_into(line);
            }
        });
        for_each_string(&mut event.kind, &mut |text| {
            if let Cow::Owned(masked) = self.mask(text) {
                *text = masked;
            }
        });
    }
}

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masks").finish_non_exhaustive()
    }
}

fn replace<'a>(secrets: &Finder, text: &'a str) -> Cow<'a, str> {
    let parts = secrets.parts(text);
    if parts.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for part in parts {
        masked.push_str(&text[end..part.start]);
        masked.push_str(MASK);
        end = part.end;
    }
    masked.push_str(&text[end..]);
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests;
