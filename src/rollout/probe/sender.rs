//! Sends the requests of a probe at a steady rate.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};

use super::tally::{Tally, lock};
use crate::event::{EventKind, Events};

/// How many requests are under way at most. A balancer that answers late shall be seen, not buried; and what
/// goes through a host takes no place of the session's channels, which the rollout's own gates need, so
/// nothing else bounds it.
const UNDER_WAY: usize = 64;

/// Sends requests at a steady rate and counts what becomes of them.
pub(super) struct Sender {
    pub recipe: String,
    pub rate: u32,
    pub tally: Arc<Mutex<Tally>>,
    pub failed: watch::Sender<u64>,
    pub events: Events,
}

impl Sender {
    /// Sends until it is `stopped`. A request that would be one too many is not sent: nothing is known of
    /// it, so it counts neither as a request nor as a failure, and the rate is lower for as long. Nor does one
    /// of which `ask` knows nothing.
    pub async fn send<A>(self, mut stopped: watch::Receiver<bool>, ask: impl Fn() -> A)
    where
        A: Future<Output = Option<Result<(), String>>> + Send + 'static,
    {
        let mut clock = tokio::time::interval(Duration::from_secs(1) / self.rate);
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut reported = Instant::now();
        let mut warned_of_bound = false;
        let mut requests = JoinSet::new();
        loop {
            tokio::select! {
                _ = clock.tick() => {}
                _ = stopped.wait_for(|stop| *stop) => break,
            }
            while let Some(Ok((took, result))) = requests.try_join_next() {
                self.count(took, result);
            }
            if requests.len() < UNDER_WAY {
                let asked = ask();
                requests.spawn(async move {
                    let began = Instant::now();
                    let result = asked.await;
                    (began.elapsed(), result)
                });
            } else if !std::mem::replace(&mut warned_of_bound, true) {
                self.warn_of_bound();
            }
            self.report_failures();
            if reported.elapsed() >= Duration::from_secs(1) {
                reported = Instant::now();
                self.report();
            }
        }
        // Those under way are waited for: each has a deadline of its own.
        while let Some(Ok((took, result))) = requests.join_next().await {
            self.count(took, result);
        }
        self.report_failures();
        self.report();
    }

    fn count(&self, took: Duration, result: Option<Result<(), String>>) {
        if let Some(result) = result {
            lock(&self.tally).add(took, result);
        }
    }

    fn report_failures(&self) {
        let failures = lock(&self.tally).failed;
        self.failed
            .send_if_modified(|failed| std::mem::replace(failed, failures) != failures);
    }

    fn report(&self) {
        let summary = lock(&self.tally).summary();
        self.events.send(EventKind::Probe {
            recipe: self.recipe.clone(),
            summary,
        });
    }

    fn warn_of_bound(&self) {
        self.events.send(EventKind::Warning {
            host: None,
            message: format!(
                "{UNDER_WAY} probe requests of `{}` are in flight, so fewer than {} a second are sent",
                self.recipe, self.rate
            ),
            hint: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::event::ProbeSummary;

    /// Sends for a simulated minute, each request being answered after so long: what came of them, the most
    /// that were under way at once, and the warnings.
    async fn a_minute_of_requests(
        rate: u32,
        answered_after: Duration,
    ) -> (ProbeSummary, usize, Vec<String>) {
        let (events, mut sent) = Events::channel();
        let tally = Arc::<Mutex<Tally>>::default();
        let (under_way, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (stop, stopped) = watch::channel(false);
        let sender = Sender {
            recipe: "web".into(),
            rate,
            tally: tally.clone(),
            failed: watch::channel(0).0,
            events,
        };
        let highest = most.clone();
        let sending = tokio::spawn(sender.send(stopped, move || {
            let (under_way, highest) = (under_way.clone(), highest.clone());
            async move {
                let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
                highest.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(answered_after).await;
                under_way.fetch_sub(1, Ordering::SeqCst);
                Some(Ok(()))
            }
        }));
        tokio::time::sleep(Duration::from_secs(60)).await;
        stop.send(true).expect("it listens");
        sending.await.expect("it ends");
        let mut warnings = Vec::new();
        while let Some(event) = sent.try_next() {
            if let EventKind::Warning { message, .. } = event.kind {
                warnings.push(message);
            }
        }
        let summary = lock(&tally).summary();
        (summary, most.load(Ordering::SeqCst), warnings)
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_keeps_up_gets_the_whole_rate() {
        let (summary, most, warnings) = a_minute_of_requests(20, Duration::from_millis(10)).await;
        assert!((1200..=1201).contains(&summary.requests), "{summary:?}");
        assert_eq!((summary.failed, most), (0, 1));
        assert!(warnings.is_empty(), "{warnings:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_would_be_one_too_many_is_not_sent_and_has_not_failed() {
        // 20 a second, answered after 10 s, would be 200 under way.
        let (summary, most, warnings) = a_minute_of_requests(20, Duration::from_secs(10)).await;
        assert_eq!(most, UNDER_WAY);
        let rounds = 6 * UNDER_WAY as u64;
        assert!(
            (rounds..=rounds + UNDER_WAY as u64).contains(&summary.requests),
            "{summary:?}"
        );
        assert_eq!((summary.failed, summary.first_failure), (0, None));
        assert_eq!(
            warnings,
            ["64 probe requests of `web` are in flight, so fewer than 20 a second are sent"]
        );
    }
}
