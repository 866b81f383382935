//! Time that has to pass.

use std::time::Duration;

use jiff::Timestamp;

use super::transfer::since;
use crate::report::text::whole_seconds;

/// Time that has to pass.
#[derive(Debug)]
pub(crate) struct Countdown {
    recipe: Option<String>,
    pub(crate) waits_for: String,
    began: Timestamp,
    lasts: Duration,
}

impl Countdown {
    pub(crate) fn new(
        recipe: Option<&str>,
        waits_for: &str,
        began: Timestamp,
        lasts: Duration,
    ) -> Self {
        Self {
            recipe: recipe.map(str::to_owned),
            waits_for: waits_for.to_owned(),
            began,
            lasts,
        }
    }

    /// Whether it is for this.
    pub(crate) fn is_for(&self, recipe: Option<&str>, waits_for: &str) -> bool {
        self.recipe.as_deref() == recipe && self.waits_for == waits_for
    }

    /// Whether it has passed.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        since(self.began, now) >= self.lasts
    }

    /// What has passed of it.
    pub(crate) fn passed(&self, now: Timestamp) -> Duration {
        since(self.began, now).min(self.lasts)
    }

    /// `3s of 10s`.
    pub(crate) fn describe(&self, now: Timestamp) -> String {
        let [passed, lasts] = [self.passed(now), self.lasts].map(whole_seconds);
        format!("{passed} of {lasts}")
    }
}
