//! How much of a host's work is done, as a share that never falls.
//!
//! Steps, bytes and time are added up in one unit, a thousandth of a step. A step counts as much as a second of
//! waiting, and as what a network of middling speed sends in one.

use std::time::Duration;

/// A step.
const STEP: u64 = 1000;

/// So many bytes are one unit.
const BYTES: u64 = 10_000;

/// A layer, whose size docker does not say: that of a middling one.
const LAYER: u64 = 2_000;

/// What the bar's whole length is.
pub(crate) const WHOLE: u64 = 1 << 32;

/// An amount of work.
pub(crate) fn of_steps(steps: u64) -> u64 {
    steps.saturating_mul(STEP)
}

/// An amount of work.
pub(crate) fn of_bytes(bytes: u64) -> u64 {
    bytes / BYTES
}

/// An amount of work.
pub(crate) fn of_layers(layers: u64) -> u64 {
    layers.saturating_mul(LAYER)
}

/// An amount of work.
pub(crate) fn of_time(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The share of the work that is done.
///
/// How much work there is becomes known bit by bit. What was shown stays shown then, and what is left of the bar is
/// for what is left of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    /// What was shown when the amount last changed.
    shown: u64,
    /// What was done then.
    since: u64,
    /// The amount in all.
    total: u64,
}

impl Share {
    /// Of so much work, so much is done; nothing of it was shown.
    pub(crate) fn new(done: u64, total: u64) -> Self {
        Self {
            shown: 0,
            since: done,
            total,
        }
    }

    /// The share, as a part of [`WHOLE`].
    pub(crate) fn of(self, done: u64) -> u64 {
        let left = self.total.saturating_sub(self.since);
        let gone = done.saturating_sub(self.since).min(left);
        let moved = u128::from(WHOLE - self.shown) * u128::from(gone) / u128::from(left.max(1));
        self.shown + u64::try_from(moved).unwrap_or(0)
    }

    /// From here on there is another amount in all, or less of it is done.
    pub(crate) fn change(&mut self, done_before: u64, done: u64, total: u64) {
        if total != self.total || done < done_before {
            *self = Self {
                shown: self.of(done_before),
                since: done,
                total,
            };
        }
    }

    /// The amount in all.
    pub(crate) fn total(self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The share in hundredths.
    fn shown(share: Share, done: u64) -> u64 {
        (share.of(done) * 100 + WHOLE / 2) / WHOLE
    }

    #[test]
    fn what_was_shown_stays_and_the_rest_is_for_what_is_left() {
        let mut share = Share::new(0, 10);
        assert_eq!([shown(share, 0), shown(share, 5)], [0, 50]);
        // Ten more turn up.
        share.change(5, 5, 20);
        let shares = [5, 8, 20].map(|done| shown(share, done));
        assert_eq!(shares, [50, 60, 100]);
        // What was done is done again.
        share.change(8, 5, 20);
        let shares = [5, 20, 30].map(|done| shown(share, done));
        assert_eq!(shares, [60, 100, 100]);
    }

    proptest! {
        #[test]
        fn a_share_never_falls(changes in prop::collection::vec((0..100_u64, 0..200_u64, 0..300_u64), 1..30)) {
            let mut share = Share::new(0, 50);
            let (mut done, mut last) = (0, 0);
            for (more, next, total) in changes {
                let before = share.of(done + more);
                share.change(done + more, next, total);
                let after = share.of(next);
                prop_assert!(last <= before && before <= after && after <= WHOLE, "{last} {before} {after}");
                (done, last) = (next, after);
            }
        }
    }
}
