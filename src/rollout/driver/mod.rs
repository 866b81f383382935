//! Performs what a rollout decides: spawns its steps, polls its gates, keeps its time, and reports back.
//! Nothing is decided here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{AbortHandle, JoinSet},
    time::Instant,
};

mod telling;

use self::telling::{Told, describe_gate, describe_step, lock, what_a_gate_waits_for};
use super::{gate::Surroundings, probe::ProbeWatch, slot::SlotRun};
use crate::{
    event::{EventKind, Events, Evidence, Phase},
    hosts::{HostError, progress},
    model::{Order, Recipe},
    rollout::machine::{
        Action, DrainPolicy, Failure, Finish, Gate, Input, Policy, Purpose, Replacement, Rollout,
        Side, Slot, SlotState, Step, Verdict, WatchEnd,
    },
    run::{Interrupts, Stage},
    text,
};

/// The pause between two looks at a gate.
const POLL: Duration = Duration::from_millis(150);

/// The pause between two looks at a finished slot that is well.
const KEEP_POLL: Duration = Duration::from_secs(2);

/// The same while it is not well: the rollout waits for it, or it is about to be taken back.
const UNWELL_POLL: Duration = Duration::from_millis(500);

/// The longest that a container that has left is expected to stay with balancers and in Consul.
const LEAVE: Duration = Duration::from_secs(30);

/// The longest that reading a failed container's logs may take.
const LOGS: Duration = Duration::from_secs(5);

/// How many of a container's last log lines an error shows.
const LOG_LINES: u32 = 20;

/// How a recipe's rollout over so many slots is to be done.
pub fn policy(recipe: &Recipe, order: Order, slots: usize) -> Policy {
    let rollout = &recipe.rollout;
    Policy {
        order,
        max_parallel: rollout.max_parallel.of(slots),
        canary: usize::from(rollout.canary),
        auto_promote: rollout.auto_promote,
        min_healthy_time: rollout.min_healthy_time,
        healthy_deadline: rollout.healthy_deadline,
        progress_deadline: rollout.progress_deadline,
        auto_revert: rollout.auto_revert,
        max_failures: usize::from(rollout.max_failures),
        leave_deadline: LEAVE,
        quorum: recipe.is_consul(),
        drain: recipe.drain.as_ref().map(|drain| DrainPolicy {
            wait: drain.wait,
            timeout: drain.timeout,
        }),
        registered: recipe.is_registered(),
    }
}

/// The slots of one recipe while they are rolled out.
pub struct Running {
    /// The recipe.
    pub recipe: Arc<Recipe>,
    /// How.
    pub policy: Policy,
    /// The slots, in the rollout's order.
    pub slots: Vec<Arc<SlotRun>>,
    /// What gates look at.
    pub around: Arc<Surroundings>,
}

impl Running {
    /// The slots as the state machine knows them.
    pub fn replacements(&self) -> Vec<Replacement> {
        let replacement = |slot: &Arc<SlotRun>| Replacement {
            host: slot.reached.name().clone(),
            has_incoming: slot.plan.incoming.is_some(),
            incoming_runs: slot.plan.incoming.as_ref().is_some_and(|it| it.runs),
            has_outgoing: !slot.plan.outgoing.is_empty(),
        };
        self.slots.iter().map(replacement).collect()
    }
}

/// How a driven rollout ended.
pub struct Driven {
    /// The machine's last word; `None` when the user stopped everything at once.
    pub finish: Option<Finish>,
    /// What every slot has now.
    pub states: Vec<SlotState>,
    /// What shows why it failed.
    pub evidence: Vec<Evidence>,
}

/// How a rollout's question for promotion is answered.
#[derive(Clone)]
pub enum Promotion {
    /// Granted beforehand (`--promote`).
    Granted,
    /// A person is asked; returns whether they agree.
    Ask(Arc<dyn Fn(String) -> bool + Send + Sync>),
    /// Nobody can be asked.
    Nobody,
}

/// Drives one rollout to its end.
pub async fn drive(
    running: &Running,
    machine: Rollout,
    events: &Events,
    interrupts: &Interrupts,
    mut probe: Option<&mut ProbeWatch>,
    promotion: &Promotion,
) -> Driven {
    let (sender, mut inputs) = unbounded_channel();
    let mut driver = Driver {
        running,
        machine,
        events,
        promotion,
        sender,
        began: Instant::now(),
        tasks: JoinSet::new(),
        watches: HashMap::new(),
        evidence: Vec::new(),
    };
    let mut interrupts = interrupts.clone();
    let mut actions = driver.step(Input::Begin);
    loop {
        if let Some(finish) = driver.perform(actions).await {
            return Driven {
                states: finish.slots.clone(),
                finish: Some(finish),
                evidence: driver.evidence,
            };
        }
        match driver
            .next_input(&mut inputs, &mut interrupts, probe.as_deref_mut())
            .await
        {
            Some(input) => actions = driver.step(input),
            None => {
                return Driven {
                    states: driver.machine.states_when_cut_off(),
                    finish: None,
                    evidence: driver.evidence,
                };
            }
        }
    }
}

type Watched = (Slot, Side, Gate);

/// A watch that is open.
struct Open {
    handle: AbortHandle,
    began: Instant,
    purpose: Purpose,
    last_seen: Arc<Mutex<String>>,
}

struct Driver<'a> {
    running: &'a Running,
    machine: Rollout,
    events: &'a Events,
    promotion: &'a Promotion,
    sender: UnboundedSender<Input>,
    began: Instant,
    /// Aborts what still runs when the driver is dropped.
    tasks: JoinSet<()>,
    watches: HashMap<Watched, Open>,
    evidence: Vec<Evidence>,
}

impl Driver<'_> {
    fn step(&mut self, input: Input) -> Vec<Action> {
        self.machine.step(input, self.began.elapsed())
    }

    /// Waits for whatever comes first; `None` when the user wants everything stopped now.
    async fn next_input(
        &mut self,
        inputs: &mut UnboundedReceiver<Input>,
        interrupts: &mut Interrupts,
        probe: Option<&mut ProbeWatch>,
    ) -> Option<Input> {
        let wakes_at = self.machine.wakes_at().map(|at| self.began + at);
        let wake = async {
            match wakes_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let over_budget = async {
            match probe {
                Some(probe) => probe.over_budget().await,
                None => std::future::pending().await,
            }
        };
        // What has ended is reaped here, so that a long rollout keeps no finished tasks.
        while self.tasks.try_join_next().is_some() {}
        tokio::select! {
            input = inputs.recv() => Some(input.unwrap_or(Input::Tick)),
            () = wake => Some(Input::Tick),
            reason = over_budget => Some(Input::OverBudget { reason }),
            stage = interrupts.next() => match stage {
                Stage::Finish => {
                    let message = "interrupted: the hosts in hand are finished, no other is started; once more stops now";
                    self.events.send(EventKind::Warning { host: None, message: message.into(), hint: None });
                    Some(Input::Interrupt)
                }
                Stage::Now => None,
            },
        }
    }

    async fn perform(&mut self, actions: Vec<Action>) -> Option<Finish> {
        for action in actions {
            match action {
                Action::Perform { slot, side, step } => self.begin_step(slot, side, step),
                Action::Watch {
                    slot,
                    side,
                    gate,
                    purpose,
                } => self.begin_watch((slot, side, gate), purpose),
                Action::Unwatch {
                    slot,
                    side,
                    gate,
                    end,
                } => self.end_watch((slot, side, gate), end).await,
                Action::AskPromotion => self.ask_promotion(),
                Action::Reverting { reason } => {
                    self.events.send(EventKind::Phase {
                        phase: Phase::Revert,
                    });
                    self.events.send(EventKind::Note {
                        message: format!("taking back: {reason}"),
                    });
                }
                Action::Finish(finish) => return Some(finish),
            }
        }
        None
    }

    fn slot(&self, slot: Slot) -> Option<Arc<SlotRun>> {
        self.running.slots.get(slot.0).cloned()
    }

    fn begin_step(&mut self, slot: Slot, side: Side, step: Step) {
        let Some(run) = self.slot(slot) else { return };
        let text = describe_step(&run, side, step);
        let (events, sender) = (self.events.clone(), self.sender.clone());
        self.tasks.spawn(async move {
            let (host, recipe) = (run.reached.name(), Some(&*run.recipe.name));
            let work = run.perform(side, step);
            let result = progress::step(&events, host, recipe, &text, work, |()| None).await;
            let result = result.map_err(into_failure);
            let _ = sender.send(Input::StepEnded {
                slot,
                side,
                step,
                result,
            });
        });
    }

    fn begin_watch(&mut self, (slot, side, gate): Watched, purpose: Purpose) {
        let Some(run) = self.slot(slot) else { return };
        let (sender, around) = (self.sender.clone(), self.running.around.clone());
        let mut told = Told::new(self.events.clone(), &run, (side, gate), purpose);
        told.begins(&describe_gate(&run, side, gate, purpose));
        let last_seen = told.last_seen.clone();
        // Servers of one cluster see each other go while they are replaced; that is no news.
        let breaks_are_news = !self.running.policy.quorum;
        let handle = self.tasks.spawn(async move {
            loop {
                let observation = run.look(side, gate, &around).await;
                told.sees(&observation, breaks_are_news);
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
        let open = Open {
            handle,
            began: Instant::now(),
            purpose,
            last_seen,
        };
        self.watches.insert((slot, side, gate), open);
    }

    async fn end_watch(&mut self, watched: Watched, end: WatchEnd) {
        let Some(open) = self.watches.remove(&watched) else {
            return;
        };
        open.handle.abort();
        let (slot, side, gate) = watched;
        let Some(run) = self.slot(slot) else { return };
        // No step was begun for a finished slot's watch; only that it failed is to be told.
        if open.purpose == Purpose::Keep && end != WatchEnd::Failed {
            return;
        }
        let (host, recipe) = (
            run.reached.name().to_string(),
            Some(run.recipe.name.to_string()),
        );
        let step = describe_gate(&run, side, gate, open.purpose);
        let took = open.began.elapsed();
        match end {
            WatchEnd::Held => {
                self.events.send(EventKind::StepFinished {
                    host,
                    recipe,
                    step,
                    took,
                    detail: None,
                });
            }
            WatchEnd::GaveUp => {
                let detail = Some("gave up waiting".to_owned());
                let last_seen = lock(&open.last_seen).clone();
                let seen = if last_seen.is_empty() {
                    String::new()
                } else {
                    format!("; last seen: {last_seen}")
                };
                let message = format!(
                    "gave up waiting for {} after {}{seen}",
                    what_a_gate_waits_for(&run, side, gate),
                    text::duration(took)
                );
                self.events.send(EventKind::Warning {
                    host: Some(host.clone()),
                    message,
                    hint: None,
                });
                self.events.send(EventKind::StepFinished {
                    host,
                    recipe,
                    step,
                    took,
                    detail,
                });
            }
            WatchEnd::Abandoned => {
                let detail = Some("no longer waited for".to_owned());
                self.events.send(EventKind::StepFinished {
                    host,
                    recipe,
                    step,
                    took,
                    detail,
                });
            }
            WatchEnd::Failed => {
                let logs = self.logs_of(&run, side, gate).await;
                let lines = logs
                    .iter()
                    .flat_map(|evidence| evidence.lines.clone())
                    .collect();
                self.evidence.extend(logs);
                let error = vec![match open.purpose {
                    Purpose::Reach => "it did not come to that".to_owned(),
                    Purpose::Confirm | Purpose::Keep => "it is not ready".to_owned(),
                }];
                self.events.send(EventKind::StepFailed {
                    host,
                    recipe,
                    step,
                    error,
                    evidence: lines,
                });
            }
        }
    }

    /// The last log lines of a container that did not become what it should: why, most of the time.
    async fn logs_of(&self, run: &SlotRun, side: Side, gate: Gate) -> Vec<Evidence> {
        if gate != Gate::Ready {
            return Vec::new();
        }
        let host = run.reached.name();
        // The rollout waits for this, so it waits briefly: logs are a help, not a condition.
        let reading = tokio::time::timeout(LOGS, run.last_logs(side, LOG_LINES)).await;
        let logs = reading.unwrap_or_default();
        logs.into_iter()
            .map(|(name, lines)| Evidence {
                title: format!("last lines of `{name}` on `{host}`"),
                lines: if lines.is_empty() {
                    vec!["(nothing was logged)".to_owned()]
                } else {
                    lines
                },
            })
            .collect()
    }

    fn ask_promotion(&mut self) {
        let sender = self.sender.clone();
        let question = format!(
            "The canaries of `{}` are healthy. Roll out to the others?",
            self.running.recipe.name
        );
        match self.promotion.clone() {
            Promotion::Granted => {
                let _ = sender.send(Input::Promotion { granted: true });
            }
            Promotion::Nobody => {
                let message =
                    "nobody can be asked whether the others may follow the canaries".to_owned();
                let hint = Some("give `--promote`, or set `auto_promote = true`".to_owned());
                self.events.send(EventKind::Warning {
                    host: None,
                    message,
                    hint,
                });
                let _ = sender.send(Input::Promotion { granted: false });
            }
            Promotion::Ask(ask) => {
                tokio::task::spawn_blocking(move || {
                    let _ = sender.send(Input::Promotion {
                        granted: ask(question),
                    });
                });
            }
        }
    }
}

/// The pause between two looks.
fn pause_after(purpose: Purpose, verdict: Verdict) -> Duration {
    match (purpose, verdict) {
        (Purpose::Reach | Purpose::Confirm, _) => POLL,
        (Purpose::Keep, Verdict::Holds) => KEEP_POLL,
        (Purpose::Keep, Verdict::NotYet | Verdict::Never) => UNWELL_POLL,
    }
}

/// The first line of a failure.
pub fn headline(failure: &Failure) -> String {
    failure
        .error
        .first()
        .cloned()
        .unwrap_or_else(|| "it failed".to_owned())
}

/// The failure as the rollout takes it.
fn into_failure(error: HostError) -> Failure {
    Failure {
        unreachable: error.is_unreachable(),
        error: text::chain(&error),
    }
}
