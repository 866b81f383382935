//! What became of the requests of a probe.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::event::ProbeSummary;

/// What became of the requests so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub took: Vec<Duration>,
    pub requests: u64,
    pub failed: u64,
    pub first_failure: Option<String>,
}

impl Tally {
    /// Adds one request.
    pub fn add(&mut self, took: Duration, result: Result<(), String>) {
        self.requests += 1;
        self.took.push(took);
        if let Err(reason) = result {
            self.failed += 1;
            self.first_failure.get_or_insert(reason);
        }
    }

    /// The tally as it is shown.
    pub fn summary(&self) -> ProbeSummary {
        let mut took = self.took.clone();
        took.sort_unstable();
        // The nearest-rank percentile: the smallest value that 99 of 100 do not exceed.
        let rank = (took.len() * 99).div_ceil(100).saturating_sub(1);
        ProbeSummary {
            requests: self.requests,
            failed: self.failed,
            slowest: took.last().copied().unwrap_or_default(),
            p99: took.get(rank).copied().unwrap_or_default(),
            first_failure: self.first_failure.clone(),
        }
    }
}

/// The tally, for as long as it takes to add to it or to read it.
pub(super) fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    // A panic while it was held cannot leave half an addition that matters more than the count itself.
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tally_knows_the_slowest_the_percentile_and_the_first_failure() {
        let mut tally = Tally::default();
        for milliseconds in 1..=100 {
            let result = if milliseconds % 50 == 0 {
                Err(format!("failure {milliseconds}"))
            } else {
                Ok(())
            };
            tally.add(Duration::from_millis(milliseconds), result);
        }
        let summary = tally.summary();
        assert_eq!((summary.requests, summary.failed), (100, 2));
        assert_eq!(
            (summary.slowest, summary.p99),
            (Duration::from_millis(100), Duration::from_millis(99))
        );
        assert_eq!(summary.first_failure.as_deref(), Some("failure 50"));
        assert_eq!(Tally::default().summary(), ProbeSummary::default());
    }
}
