//! The connect timeout, which runs only while the other side is waited for.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{connect_error::ConnectError, destination::Endpoint};

/// Time left to reach a host and log in. It stands still while a person is asked for a passphrase, and
/// while other connections are let through first.
#[derive(Debug)]
pub(super) struct Countdown {
    endpoint: Endpoint,
    whole: Duration,
    left: Duration,
}

impl Countdown {
    pub(super) fn new(endpoint: Endpoint, whole: Duration) -> Self {
        Self {
            endpoint,
            whole,
            left: whole,
        }
    }

    /// Waits for `future` with what is left.
    pub(super) async fn run<T>(
        &mut self,
        what: &'static str,
        future: impl Future<Output = T>,
    ) -> Result<T, ConnectError> {
        let begun = Instant::now();
        let result = timeout(self.left, future).await;
        self.left = self.left.saturating_sub(begun.elapsed());
        result.map_err(|_| ConnectError::Timeout {
            endpoint: Box::new(self.endpoint.clone()),
            what,
            after: self.whole,
        })
    }
}
