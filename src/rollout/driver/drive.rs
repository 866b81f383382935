//! Drives one rollout to its end: one input into the machine, what it asks for out of it.

use std::sync::Arc;

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{AbortHandle, JoinSet},
    time::Instant,
};

use super::{
    describe::describe_step,
    promotion::{Promoting, Promotion},
    running::Running,
    watches::{Watched, Watches},
};
use crate::{
    event::{EventKind, Events, Evidence, Phase},
    hosts::{HostError, progress},
    rollout::{
        machine::{
            Action, Failure, Finish, Gate, Input, Rollout, Side, Slot, SlotState, Step, WatchEnd,
        },
        probe::ProbeWatch,
        slot::Placement,
        steps,
    },
    run::{Interrupt, Interrupts},
    text,
};

/// How a driven rollout ended.
pub struct Driven {
    /// The machine's last word; `None` when the user stopped everything at once.
    pub finish: Option<Finish>,
    /// What every slot has now.
    pub states: Vec<SlotState>,
    /// Whether docker was seen to have the new container of each slot.
    pub made: Vec<bool>,
    /// What shows why it failed.
    pub evidence: Vec<Evidence>,
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
        steps: JoinSet::new(),
        promoting: None,
        watches: Watches::default(),
    };
    let mut interrupts = interrupts.clone();
    let mut actions = driver.step(Input::Begin);
    loop {
        if let Some(finish) = driver.carry_out(actions).await {
            return Driven {
                made: running.made().await,
                states: finish.slots.clone(),
                finish: Some(finish),
                evidence: driver.watches.evidence,
            };
        }
        match driver
            .next_input(&mut inputs, &mut interrupts, probe.as_deref_mut())
            .await
        {
            Some(input) => actions = driver.step(input),
            None => {
                return Driven {
                    made: running.made().await,
                    states: driver.machine.states_when_cut_off(),
                    finish: None,
                    evidence: driver.watches.evidence,
                };
            }
        }
    }
}

struct Driver<'a> {
    running: &'a Running,
    machine: Rollout,
    events: &'a Events,
    promotion: &'a Promotion,
    sender: UnboundedSender<Input>,
    began: Instant,
    /// Aborts what still runs when the driver is dropped.
    steps: JoinSet<()>,
    /// What comes between the canaries and the others, from when it has begun.
    promoting: Option<AbortHandle>,
    watches: Watches,
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
        while self.steps.try_join_next().is_some() {}
        tokio::select! {
            input = inputs.recv() => Some(input.unwrap_or(Input::Tick)),
            () = wake => Some(Input::Tick),
            reason = over_budget => Some(Input::OverBudget { reason }),
            stage = interrupts.next() => match stage {
                Interrupt::Graceful => {
                    let message = "interrupted: finishing the hosts in progress, starting no other; interrupt again to stop now";
                    self.events.send(EventKind::Warning { host: None, message: message.into(), hint: None });
                    Some(Input::Interrupt)
                }
                Interrupt::Immediate => None,
            },
        }
    }

    async fn carry_out(&mut self, actions: Vec<Action>) -> Option<Finish> {
        for action in actions {
            match action {
                Action::Perform { slot, side, step } => self.begin_step(slot, side, step),
                Action::Watch {
                    slot,
                    side,
                    gate,
                    purpose,
                } => {
                    if let Some(placement) = self.placement(slot) {
                        let (watched, sender) = ((slot, side, gate), self.sender.clone());
                        let policy = &self.running.policy;
                        self.watches
                            .begin(watched, purpose, placement, policy, sender);
                    }
                }
                Action::Unwatch {
                    slot,
                    side,
                    gate,
                    end,
                } => {
                    self.watches.end((slot, side, gate), end).await;
                    self.show_pause((slot, side, gate), end);
                }
                Action::AskPromotion { others } => {
                    let promoting =
                        Promoting::of(self.running, self.promotion, self.events, others);
                    let sender = self.sender.clone();
                    self.promoting = Some(self.steps.spawn(async move {
                        let _ = sender.send(promoting.answer().await);
                    }));
                }
                Action::Reverting { reason } => {
                    // Nobody follows the canaries any more, and they are given no other share.
                    if let Some(promoting) = self.promoting.take() {
                        promoting.abort();
                    }
                    self.events.send(EventKind::Phase {
                        phase: Phase::Revert,
                    });
                    self.events.send(EventKind::Note {
                        message: format!("reverting: {reason}"),
                    });
                }
                Action::Finish(finish) => return Some(finish),
            }
        }
        None
    }

    fn placement(&self, slot: Slot) -> Option<Arc<Placement>> {
        self.running.slots.get(slot.0).cloned()
    }

    /// A container that no balancer routes to any more has some time for its last requests.
    fn show_pause(&self, (slot, side, gate): Watched, end: WatchEnd) {
        let is_left = gate == Gate::Unrouted && end == WatchEnd::Held;
        let drain = self.running.policy.drain.as_ref().filter(|_| is_left);
        let pause = drain.map(|drain| drain.wait);
        if let Some(lasts) = pause.filter(|pause| !pause.is_zero())
            && let Some(placement) = self.placement(slot)
        {
            self.events.send(EventKind::Countdown {
                host: placement.reached.name().to_string(),
                recipe: Some(placement.context.recipe.name.to_string()),
                waits_for: format!("the last requests to {}", placement.names(side)),
                lasts,
            });
        }
    }

    fn begin_step(&mut self, slot: Slot, side: Side, step: Step) {
        let Some(placement) = self.placement(slot) else {
            return;
        };
        let (events, sender) = (self.events.clone(), self.sender.clone());
        let all = self.running.slots.clone();
        self.steps.spawn(async move {
            let description = describe_step(&placement, side, step);
            let host = placement.reached.name();
            let recipe = Some(&*placement.context.recipe.name);
            let work = Box::pin(steps::perform(&placement, &all, side, step));
            let result = progress::step(&events, host, recipe, &description, work, |()| None).await;
            let _ = sender.send(Input::StepEnded {
                slot,
                side,
                step,
                result: result.map_err(|error| failure_of(&error)),
            });
        });
    }
}

/// The failure as the machine takes it.
fn failure_of(error: &HostError) -> Failure {
    Failure {
        unreachable: error.is_unreachable(),
        error: text::chain(error),
    }
}
