//! A probe from its start to its end: the baseline, the budget, the summary.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::{
    sender::Sender,
    tally::{Tally, lock},
    target::Target,
};
use crate::{
    event::{EventKind, Events, ProbeSummary},
    hosts::Reached,
    model::Probe,
};

/// How many requests are sent before the rollout, to see whether the service answers at all.
const BASELINE: usize = 3;

/// A running stream of requests.
pub struct ProbeWatch {
    probe: Probe,
    tally: Arc<Mutex<Tally>>,
    failed: watch::Receiver<u64>,
    stop: watch::Sender<bool>,
    sending: tokio::task::JoinHandle<()>,
    enforced: bool,
    reported: bool,
}

impl ProbeWatch {
    /// Starts to send. `through` is the host whose session carries the requests; without it they go from
    /// here.
    ///
    /// Whatever fails before the rollout has touched anything is not the rollout's loss: a service that is
    /// down must be deployable, and a deployer may have no way to the balancer. Then requests are counted,
    /// but the budget holds nothing up.
    pub async fn start(
        probe: Probe,
        through: Option<Reached>,
        recipe: String,
        events: Events,
    ) -> Result<Self, String> {
        let target = Target::of(&probe)?;
        let mut enforced = true;
        for _ in 0..BASELINE {
            if let Some(Err(reason)) = target.ask(&probe, through.as_ref()).await {
                enforced = false;
                events.send(EventKind::Warning {
                    host: None,
                    message: format!("probe requests fail before anything is changed ({reason}), so their budget is not enforced"),
                    hint: Some(format!("curl {}", probe.url)),
                });
                break;
            }
        }
        let tally = Arc::new(Mutex::new(Tally::default()));
        let (failed_sender, failed) = watch::channel(0);
        let (stop, stopped) = watch::channel(false);
        let sender = Sender {
            recipe,
            rate: probe.rate.max(1).into(),
            tally: tally.clone(),
            failed: failed_sender,
            events,
        };
        let settings = probe.clone();
        let sending = tokio::spawn(sender.send(stopped, move || {
            let (target, probe, through) = (target.clone(), settings.clone(), through.clone());
            async move { target.ask(&probe, through.as_ref()).await }
        }));
        Ok(Self {
            probe,
            tally,
            failed,
            stop,
            sending,
            enforced,
            reported: false,
        })
    }

    /// Waits until more requests have failed than the budget allows, and says why. Only once.
    pub async fn over_budget(&mut self) -> String {
        let budget = self.probe.budget;
        if self.reported
            || !self.enforced
            || self
                .failed
                .wait_for(|failed| *failed > budget)
                .await
                .is_err()
        {
            std::future::pending::<()>().await;
        }
        self.reported = true;
        let summary = lock(&self.tally).summary();
        let why = summary.first_failure.unwrap_or_default();
        format!(
            "{} of {} probe requests failed (budget {budget}): {why}",
            summary.failed, summary.requests
        )
    }

    /// Stops sending, waits for the requests under way and returns what became of all.
    pub async fn finish(self) -> (ProbeSummary, bool) {
        let _ = self.stop.send(true);
        let _ = self.sending.await;
        let summary = lock(&self.tally).summary();
        let within = !self.enforced || summary.failed <= self.probe.budget;
        (summary, within)
    }
}
