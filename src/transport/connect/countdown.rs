//! The connect timeout, which runs only while the other side is waited for.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{endpoint::Endpoint, error::ConnectError};

/// Time left to reach a host and log in. It stands still while a person is asked for a passphrase or by an
/// agent, and while other connections are let through first.
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

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_runs_only_while_the_other_side_is_waited_for() {
        let endpoint = Endpoint {
            user: "me".to_owned(),
            address: "web".to_owned(),
            port: 22,
            jumps: None,
        };
        let second = Duration::from_secs(1);
        let mut countdown = Countdown::new(endpoint, 10 * second);
        let answer = countdown.run("an answer", sleep(4 * second)).await;
        assert!(answer.is_ok());
        // A person types a passphrase.
        sleep(60 * second).await;
        let begun = Instant::now();
        assert!(countdown.run("an answer", ready(())).await.is_ok());
        let error = countdown.run("an answer", pending::<()>()).await;
        assert_eq!(begun.elapsed().as_secs(), 6);
        assert_eq!(
            error.expect_err("too late").to_string(),
            "me@web:22: timed out after 10 s waiting for an answer"
        );
    }
}
