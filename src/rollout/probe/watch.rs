//! A probe from its start to its end: the baseline, the budget, the summary.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::{
    errors::ErrorWatch,
    sender::Sender,
    tally::{Tally, lock},
    target::Target,
};
use crate::{
    event::{EventKind, Events},
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
    errors: Option<ErrorWatch>,
}

impl ProbeWatch {
    /// Starts to send. `through` is the host whose session carries the requests; without it they go from
    /// here. `errors` looks at what balancers count meanwhile.
    ///
    /// Whatever fails before the rollout has touched anything is not the rollout's loss: a service that is
    /// down must be deployable, and a deployer may have no way to the balancer. Then requests are counted,
    /// but the budget holds nothing up.
    pub async fn start(
        probe: Probe,
        through: Option<Reached>,
        recipe: String,
        events: Events,
        errors: Option<ErrorWatch>,
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
            errors,
        })
    }

    /// Waits until more requests have failed than the budget allows, or new containers answer with too many errors,
    /// and says why. Only once.
    pub async fn over_budget(&mut self) -> String {
        if self.reported {
            std::future::pending::<()>().await;
        }
        let errors = self.errors.as_mut();
        let errors = async {
            match errors {
                Some(errors) => errors.exceeded().await,
                None => std::future::pending().await,
            }
        };
        let budget = self.probe.budget;
        let lost = async {
            let is_over = self.failed.wait_for(|failed| *failed > budget);
            if !self.enforced || is_over.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let reason = tokio::select! {
            reason = errors => Some(reason),
            () = lost => None,
        };
        self.reported = true;
        if let Some(reason) = reason {
            return reason;
        }
        let summary = lock(&self.tally).summary();
        let why = summary.first_failure.unwrap_or_default();
        format!(
            "{} of {} probe requests failed (budget {budget}): {why}",
            summary.failed, summary.requests
        )
    }

    /// Stops sending and waits for the requests under way, and for a last look at what balancers have counted. Returns why the rollout is not to stand, if so: a fact and
    /// its cause.
    pub async fn finish(
        self,
        events: &Events,
        looks_again: bool,
    ) -> Option<(String, Option<String>)> {
        let _ = self.stop.send(true);
        let _ = self.sending.await;
        let errors = match self.errors.filter(|_| looks_again) {
            Some(errors) => errors.finish(events).await,
            None => None,
        };
        let summary = lock(&self.tally).summary();
        if self.enforced && summary.failed > self.probe.budget {
            let (failed, all) = (summary.failed, summary.requests);
            let fact = format!("{failed} of {all} probe requests failed");
            return Some((fact, summary.first_failure));
        }
        errors.map(|reason| (reason, None))
    }
}
