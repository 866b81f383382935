//! The error of a rollout that failed.

use super::{deployment::Deployment, finished::FinishedRollout};
use crate::{
    event::{EventKind, Evidence, Outcome},
    hosts::Stop,
    rollout::{
        driver::{Driven, Running, headline},
        machine::{Failure, Finish, RolloutEnd, Slot, SlotState},
    },
};

impl Deployment<'_> {
    /// The error of a driven rollout, if it failed.
    pub(super) fn failure(&self, running: &Running, driven: &Driven) -> Option<Box<Stop>> {
        let recipe = &running.recipe;
        let Some(Finish { end, failure, .. }) = &driven.finish else {
            return Some(self.stopped_now(recipe));
        };
        let outcome = match end {
            RolloutEnd::Completed => {
                if let Some((_, tolerated)) = failure {
                    let message = format!("within `max_failures`: {}", tolerated.error.join(": "));
                    let hint = Some(format!(
                        "`shipit deploy {}` tries those hosts again",
                        self.context.environment.name
                    ));
                    self.context.events.send(EventKind::Warning {
                        host: None,
                        message,
                        hint,
                    });
                }
                return None;
            }
            RolloutEnd::Interrupted => {
                let mut stop = self.interrupted();
                stop.report.causes.extend(
                    failure
                        .iter()
                        .flat_map(|(_, failure)| failure.error.clone()),
                );
                return Some(stop);
            }
            RolloutEnd::Reverted => Outcome::Reverted,
            RolloutEnd::Stopped | RolloutEnd::RevertFailed => Outcome::Failed,
        };
        let (slot, failure) = match failure {
            Some((slot, failure)) => (*slot, failure.clone()),
            None => (
                None,
                Failure {
                    error: Vec::new(),
                    unreachable: false,
                },
            ),
        };
        let message = format!("{} stopped: {}", self.title(recipe), headline(&failure));
        let mut stop = Stop::new(outcome, message);
        stop.report.causes.extend(failure.error.into_iter().skip(1));
        let environment = &self.context.environment.name;
        stop.report.hint = Some(match what_helps(running, driven, slot, outcome) {
            Help::Reach(ssh) => {
                format!("`{ssh}` must work from here; then type the same command again")
            }
            Help::Logs => format!(
                "`shipit logs {environment} {} --release {}` shows all of it",
                recipe.name, self.plan.release
            ),
            Help::TryAgain => "remove the cause, then type the same command again".to_owned(),
            Help::Look => self.status_hint(),
        });
        Some(stop)
    }

    /// Adds to the error what it leaves to be done by hand.
    pub(super) fn add_hints(&self, stop: &mut Stop, finished: &[FinishedRollout]) {
        if stop.outcome == Outcome::Failed && stop.report.hint.is_none() {
            stop.report.hint = Some(self.status_hint());
        }
        let needs_hand = |finished: &&FinishedRollout| {
            let mut states = finished.states.iter();
            // On one that cannot be reached nothing can be typed.
            states
                .any(|state| matches!(state, SlotState::NeedsHand(failure) if !failure.unreachable))
        };
        let by_hand = finished.iter().filter(needs_hand).map(|finished| {
            let recipe = &finished.running.recipe.name;
            format!("on the hosts that need a hand: `docker ps --all --filter label=shipit.recipe={recipe}`")
        });
        let mut hints: Vec<_> = by_hand.chain(stop.report.hint.take()).collect();
        let look = self.status_hint();
        if hints.len() > 1 && !hints.contains(&look) {
            hints.push(look);
        }
        stop.report.hint = Some(hints.join("\n")).filter(|hints| !hints.is_empty());
        stop.report
            .evidence
            .retain(|Evidence { lines, .. }| !lines.is_empty());
    }
}

/// What helps after a rollout that failed.
#[derive(Debug, PartialEq, Eq)]
enum Help {
    /// To reach a host again, by this command.
    Reach(String),
    /// To read what the new container has logged.
    Logs,
    /// To remove the cause: nothing is left half done, and nothing has logged.
    TryAgain,
    /// To look what runs where.
    Look,
}

/// What helps, by where a rollout failed and how. `slot` is where, unless the rollout failed as a whole.
fn what_helps(running: &Running, driven: &Driven, slot: Option<Slot>, outcome: Outcome) -> Help {
    let is_unreachable =
        |state: &SlotState| matches!(state, SlotState::NeedsHand(failure) if failure.unreachable);
    let mut places = running.slots.iter().zip(&driven.states);
    if let Some((away, _)) = places.find(|(_, state)| is_unreachable(state)) {
        return Help::Reach(away.reached.host.ssh_command());
    }
    // A container that docker never had has logged nothing.
    let has_logs = match slot {
        Some(Slot(index)) => driven.made.get(index).copied().unwrap_or_default(),
        None => outcome == Outcome::Reverted && driven.made.contains(&true),
    };
    match outcome {
        _ if has_logs => Help::Logs,
        Outcome::Reverted => Help::TryAgain,
        _ => Help::Look,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        hosts::testing::Behaviour,
        rollout::{
            driver::policy,
            machine::Side,
            testing::{FakeHost, TestSlot},
        },
    };

    async fn running(host: FakeHost) -> Running {
        let behaviours: Vec<Behaviour> = vec![host.behaviour()];
        let slot = TestSlot::new("", behaviours).await;
        slot.look_again(Side::New).await;
        let recipe = slot.placement.context.recipe.clone();
        Running {
            canary_share: None,
            policy: policy(&recipe, crate::model::Order::StartFirst, 1),
            recipe,
            slots: vec![Arc::new(slot.placement)],
        }
    }

    async fn help(running: &Running, state: SlotState, outcome: Outcome) -> Help {
        let driven = Driven {
            finish: None,
            states: vec![state],
            made: running.made().await,
            evidence: Vec::new(),
        };
        what_helps(running, &driven, Some(Slot(0)), outcome)
    }

    fn needs_hand(unreachable: bool) -> SlotState {
        SlotState::NeedsHand(Failure {
            error: Vec::new(),
            unreachable,
        })
    }

    #[tokio::test]
    async fn logs_are_named_where_there_are_some() {
        let made = running(FakeHost::default().has("web-r2", true)).await;
        let reverted = help(&made, SlotState::Reverted, Outcome::Reverted).await;
        assert_eq!(reverted, Help::Logs);
        assert_eq!(
            help(&made, needs_hand(false), Outcome::Failed).await,
            Help::Logs
        );

        let refused = running(FakeHost::default()).await;
        let reverted = help(&refused, SlotState::Reverted, Outcome::Reverted).await;
        assert_eq!(reverted, Help::TryAgain);
        assert_eq!(
            help(&refused, needs_hand(false), Outcome::Failed).await,
            Help::Look
        );
    }

    #[tokio::test]
    async fn a_host_that_is_away_is_to_be_reached_first() {
        let made = running(FakeHost::default().has("web-r2", true)).await;
        let port = made.slots[0].reached.host.ssh.port.expect("a port");
        let ssh = format!("ssh -p {port} 127.0.0.1");
        assert_eq!(
            help(&made, needs_hand(true), Outcome::Failed).await,
            Help::Reach(ssh)
        );
    }
}
