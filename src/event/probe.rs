//! What a probe saw.

use std::time::Duration;

use serde::Serialize;

use super::milliseconds::as_milliseconds;

/// What became of the requests that were sent during a rollout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProbeSummary {
    /// How many were sent and answered or failed.
    pub requests: u64,
    /// How many failed: no answer, or a wrong status.
    pub failed: u64,
    /// The slowest one.
    #[serde(serialize_with = "as_milliseconds", rename = "slowest_ms")]
    pub slowest: Duration,
    /// The 99th percentile.
    #[serde(serialize_with = "as_milliseconds", rename = "p99_ms")]
    pub p99: Duration,
    /// Why the first that failed did.
    pub first_failure: Option<String>,
}
