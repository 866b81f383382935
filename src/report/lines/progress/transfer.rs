//! Bytes and layers on their way: how many; of bytes also how fast, and how long it takes yet.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;

use super::work;
use crate::{
    report::text::{bytes_of, rate, whole_seconds},
    text::count,
};

/// The time over which the rate is taken: long enough to be steady, short enough to follow a network.
const WINDOW: Duration = Duration::from_secs(10);

/// From so much time on there is a rate.
const SHORTEST: Duration = Duration::from_secs(1);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes that are sent to a host.
    Bytes,
    /// Layers that a host pulls.
    Layers,
}

/// An image on its way to a host.
#[derive(Debug)]
pub(crate) struct Transfer {
    pub(crate) what: String,
    unit: Unit,
    there: u64,
    total: Option<u64>,
    /// How much was there at earlier times of the window, oldest first.
    seen: VecDeque<(Timestamp, u64)>,
}

impl Transfer {
    pub(crate) fn new(
        what: &str,
        unit: Unit,
        at: Timestamp,
        there: u64,
        total: Option<u64>,
    ) -> Self {
        Self {
            what: what.to_owned(),
            unit,
            there,
            total,
            seen: [(at, there)].into(),
        }
    }

    /// So much is there by now.
    pub(crate) fn moved(&mut self, at: Timestamp, there: u64, total: Option<u64>) {
        // What is sent anew has a rate of its own.
        if there < self.there {
            self.seen.clear();
        }
        (self.there, self.total) = (there, total);
        self.seen.push_back((at, there));
        while self.seen.len() > 2 && since(self.seen[1].0, at) >= WINDOW {
            self.seen.pop_front();
        }
    }

    /// The work that is done, of what is known in all.
    pub(crate) fn work(&self) -> u64 {
        self.amount(self.total.map_or(0, |total| self.there.min(total)))
    }

    /// The work in all, as far as it is known.
    pub(crate) fn total_work(&self) -> u64 {
        self.amount(self.total.unwrap_or(0))
    }

    fn amount(&self, units: u64) -> u64 {
        match self.unit {
            Unit::Bytes => work::of_bytes(units),
            Unit::Layers => work::of_layers(units),
        }
    }

    /// Bytes a second. It falls while nothing moves.
    fn rate(&self, now: Timestamp) -> Option<u64> {
        let &(then, there) = self.seen.front()?;
        let time = since(then, now);
        let moved = u128::from(self.there.checked_sub(there)?) * 1000;
        let is_known = self.seen.len() > 1 && time >= SHORTEST;
        is_known.then(|| u64::try_from(moved / time.as_millis()).unwrap_or(u64::MAX))
    }

    /// `45.20 MB of 120.00 MB, 9.10 MB/s, 8s left`, as far as it is known; or `3 of 7 layers`.
    pub(crate) fn describe(&self, now: Timestamp) -> String {
        if self.unit == Unit::Layers {
            let total = self.total.unwrap_or(self.there);
            return format!(
                "{} of {}",
                self.there,
                count(usize::try_from(total).unwrap_or(usize::MAX), "layer")
            );
        }
        let mut parts = vec![bytes_of(self.there, self.total)];
        if let Some(speed) = self.rate(now) {
            parts.push(rate(speed));
            let rest = self.total.and_then(|total| total.checked_sub(self.there));
            let left = rest.and_then(|rest| rest.checked_div(speed));
            let left = left.map(|left| whole_seconds(Duration::from_secs(left)));
            parts.extend(left.map(|left| format!("{left} left")));
        }
        parts.join(", ")
    }
}

/// The time from `then` to `now`; zero when the clock went back.
pub(crate) fn since(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).expect("a time")
    }

    #[test]
    fn a_transfer_says_how_fast_it_is_and_how_long_it_takes_yet() {
        let mut transfer = Transfer::new("web:1", Unit::Bytes, at(0), 1_000_000, Some(101_000_000));
        assert_eq!(transfer.describe(at(500)), "1.00 MB of 101.00 MB");
        transfer.moved(at(2_000), 21_000_000, Some(101_000_000));
        let described = "21.00 MB of 101.00 MB, 10.00 MB/s, 8s left";
        assert_eq!(transfer.describe(at(2_000)), described);
        // It stands still.
        let described = "21.00 MB of 101.00 MB, 2.00 MB/s, 40s left";
        assert_eq!(transfer.describe(at(10_000)), described);
        // What was long ago does not count.
        transfer.moved(at(60_000), 61_000_000, Some(101_000_000));
        transfer.moved(at(70_000), 81_000_000, Some(101_000_000));
        let described = "81.00 MB of 101.00 MB, 2.00 MB/s, 10s left";
        assert_eq!(transfer.describe(at(70_000)), described);
        // It begins anew.
        transfer.moved(at(71_000), 1_000_000, Some(101_000_000));
        assert_eq!(transfer.describe(at(71_000)), "1.00 MB of 101.00 MB");
    }

    #[test]
    fn layers_are_counted_and_have_no_rate() {
        let mut pull = Transfer::new("web:1", Unit::Layers, at(0), 0, Some(1));
        assert_eq!(pull.describe(at(5_000)), "0 of 1 layer");
        pull.moved(at(6_000), 3, Some(7));
        assert_eq!(pull.describe(at(9_000)), "3 of 7 layers");
        assert_eq!(pull.total_work(), work::of_layers(7));
        assert_eq!(pull.work(), work::of_layers(3));
    }

    #[test]
    fn one_whose_end_is_not_known_and_one_that_stands_still_say_less() {
        let mut transfer = Transfer::new("web:1", Unit::Bytes, at(0), 0, None);
        transfer.moved(at(2_000), 4_000_000, None);
        assert_eq!(transfer.describe(at(2_000)), "4.00 MB, 2.00 MB/s");
        let mut still = Transfer::new("web:1", Unit::Bytes, at(0), 9_000, Some(1_000_000));
        assert_eq!(still.describe(at(5_000)), "9.00 kB of 1.00 MB");
        still.moved(at(5_000), 9_000, Some(1_000_000));
        assert_eq!(still.describe(at(5_000)), "9.00 kB of 1.00 MB, 0 B/s");
    }
}
