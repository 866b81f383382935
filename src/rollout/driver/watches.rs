//! The gates that are being watched: each is looked at over and over, until the machine ends the watch.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::mpsc::UnboundedSender,
    task::{AbortHandle, JoinSet},
    time::Instant,
};

use super::{
    describe::{describe_gate, what_a_gate_waits_for},
    progress::{WatchProgress, lock},
};
use crate::{
    event::{EventKind, Evidence},
    rollout::{
        gates,
        machine::{Gate, Input, Policy, Purpose, Side, Slot, Verdict, WatchEnd},
        slot::Placement,
        steps,
    },
    text,
};

/// The pause between two looks at a gate.
const POLL: Duration = Duration::from_millis(150);

/// The pause between two looks at an updated slot that is well.
const MONITOR_POLL: Duration = Duration::from_secs(2);

/// The same while it is not well: the rollout waits for it, or is about to revert it.
const UNWELL_POLL: Duration = Duration::from_millis(500);

/// The longest that reading a failed container's logs may take.
const LOGS: Duration = Duration::from_secs(5);

/// How many of a container's last log lines an error shows.
const LOG_LINES: u32 = 20;

/// What a watch looks at.
pub(super) type Watched = (Slot, Side, Gate);

/// A watch that is open.
struct OpenWatch {
    handle: AbortHandle,
    began: Instant,
    placement: Arc<Placement>,
    purpose: Purpose,
    last_seen: Arc<Mutex<String>>,
}

/// The gates that are being watched.
#[derive(Default)]
pub(super) struct Watches {
    /// Aborts what still looks when this is dropped.
    tasks: JoinSet<()>,
    open: HashMap<Watched, OpenWatch>,
    /// What shows why watches failed.
    pub evidence: Vec<Evidence>,
}

impl Watches {
    /// Begins to look at a gate, and reports each look to `sender`.
    pub fn begin(
        &mut self,
        (slot, side, gate): Watched,
        purpose: Purpose,
        placement: Arc<Placement>,
        policy: &Policy,
        sender: UnboundedSender<Input>,
    ) {
        // What has ended is reaped here, so that a long rollout keeps no finished tasks.
        while self.tasks.try_join_next().is_some() {}
        let mut progress = WatchProgress::new(&placement, (side, gate), purpose, policy);
        progress.begins(&describe_gate(&placement, side, gate, purpose));
        let last_seen = progress.last_seen.clone();
        let looked_at = placement.clone();
        let handle = self.tasks.spawn(async move {
            loop {
                let observation = gates::check(&looked_at, side, gate).await;
                progress.observed(&observation);
                let pause = pause_after(purpose, observation.verdict);
                let input = Input::Observed {
                    slot,
                    side,
                    gate,
                    observation,
                };
                if sender.send(input).is_err() {
                    return;
                }
                tokio::time::sleep(pause).await;
            }
        });
        let watch = OpenWatch {
            handle,
            began: Instant::now(),
            placement,
            purpose,
            last_seen,
        };
        self.open.insert((slot, side, gate), watch);
    }

    /// Ends a watch, and reports what came of it.
    pub async fn end(&mut self, watched: Watched, end: WatchEnd) {
        let Some(watch) = self.open.remove(&watched) else {
            return;
        };
        watch.handle.abort();
        // No step was begun for an updated slot's watch; only its failure is to be reported.
        if watch.purpose == Purpose::Monitor && end != WatchEnd::Failed {
            return;
        }
        let (_, side, gate) = watched;
        match end {
            WatchEnd::Held => watch.finished(side, gate, None),
            WatchEnd::GaveUp => {
                watch.warn_of_giving_up(side, gate);
                watch.finished(side, gate, Some("gave up waiting"));
            }
            WatchEnd::Abandoned => watch.finished(side, gate, Some("stopped waiting")),
            WatchEnd::Failed => {
                let logs = logs_of(&watch.placement, side, gate).await;
                watch.failed(side, gate, &logs);
                self.evidence.extend(logs);
            }
        }
    }
}

impl OpenWatch {
    fn host(&self) -> String {
        self.placement.reached.name().to_string()
    }

    fn recipe(&self) -> String {
        self.placement.context.recipe.name.to_string()
    }

    fn send(&self, kind: EventKind) {
        self.placement.context.events.send(kind);
    }

    fn finished(&self, side: Side, gate: Gate, detail: Option<&str>) {
        self.send(EventKind::StepFinished {
            host: self.host(),
            recipe: Some(self.recipe()),
            step: describe_gate(&self.placement, side, gate, self.purpose),
            took: self.began.elapsed(),
            detail: detail.map(str::to_owned),
        });
    }

    fn warn_of_giving_up(&self, side: Side, gate: Gate) {
        let last_seen = lock(&self.last_seen).clone();
        let seen = if last_seen.is_empty() {
            String::new()
        } else {
            format!("; last seen: {last_seen}")
        };
        self.send(EventKind::Warning {
            host: Some(self.host()),
            message: format!(
                "gave up waiting for {} after {}{seen}",
                what_a_gate_waits_for(&self.placement, side, gate),
                text::duration(self.began.elapsed())
            ),
            hint: None,
        });
    }

    fn failed(&self, side: Side, gate: Gate, logs: &[Evidence]) {
        let last_seen = lock(&self.last_seen).clone();
        let error = match self.purpose {
            Purpose::Reach if last_seen.is_empty() => "not in time".to_owned(),
            Purpose::Reach => last_seen,
            Purpose::Confirm | Purpose::Monitor => "not ready".to_owned(),
        };
        let lines = logs.iter().flat_map(|evidence| evidence.lines.clone());
        self.send(EventKind::StepFailed {
            host: self.host(),
            recipe: Some(self.recipe()),
            step: describe_gate(&self.placement, side, gate, self.purpose),
            error: vec![error],
            evidence: lines.collect(),
        });
    }
}

/// The last log lines of a container that did not become what it should: why, most of the time.
async fn logs_of(placement: &Placement, side: Side, gate: Gate) -> Vec<Evidence> {
    if gate != Gate::Ready {
        return Vec::new();
    }
    let host = placement.reached.name();
    // The rollout waits for this, so it waits briefly: logs are a help, not a condition.
    let reading = steps::last_logs(placement, side, LOG_LINES);
    let logs = tokio::time::timeout(LOGS, reading).await;
    let evidence = |(name, lines): (String, Vec<String>)| Evidence {
        title: format!("last lines of `{name}` on `{host}`"),
        lines: if lines.is_empty() {
            vec!["(nothing was logged)".to_owned()]
        } else {
            lines
        },
    };
    logs.unwrap_or_default().into_iter().map(evidence).collect()
}

/// The pause between two looks.
fn pause_after(purpose: Purpose, verdict: Verdict) -> Duration {
    match (purpose, verdict) {
        (Purpose::Reach | Purpose::Confirm, _) => POLL,
        (Purpose::Monitor, Verdict::Holds) => MONITOR_POLL,
        (Purpose::Monitor, Verdict::NotYet | Verdict::Never) => UNWELL_POLL,
    }
}
