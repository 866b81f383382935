//! The table at the end of a deploy.

use super::{deployment::Deployment, finished::FinishedRollout};
use crate::{
    event::{HostRow, Severity},
    model::{HostName, Name},
    plan::SlotPlan,
    release::Number,
    rollout::{driver::headline, machine::SlotState},
};

impl Deployment<'_> {
    /// A row for every slot that was to be changed.
    pub(super) fn rows(&self, finished: &[FinishedRollout]) -> Vec<HostRow> {
        let mut rows = Vec::new();
        for recipe_plan in &self.plan.recipes {
            let rollout = finished
                .iter()
                .find(|rollout| rollout.running.recipe.name == recipe_plan.recipe);
            for (index, slot) in recipe_plan.changes().enumerate() {
                let state = rollout.and_then(|rollout| rollout.states.get(index));
                rows.push(self.row(
                    &recipe_plan.recipe,
                    slot,
                    state.unwrap_or(&SlotState::Untouched),
                ));
            }
        }
        rows
    }

    fn row(&self, recipe: &Name, slot: &SlotPlan, state: &SlotState) -> HostRow {
        let ran = slot.incoming.iter().filter(|incoming| incoming.runs);
        let before = slot
            .outgoing
            .first()
            .or_else(|| ran.map(|incoming| &incoming.name).next())
            .and_then(|name| self.release_of(&slot.host, &name.active));
        let (now, state, detail, severity) = match (state, before) {
            (SlotState::Updated, _) if slot.incoming.is_some() => {
                (Some(self.plan.release), "serving", None, Severity::Good)
            }
            (SlotState::Updated, _) => (None, "removed", None, Severity::Good),
            (SlotState::Untouched, None) => (None, "not started", None, Severity::Notable),
            (SlotState::Untouched, Some(_)) => {
                (before, "serving (untouched)", None, Severity::Notable)
            }
            (SlotState::Reverted, None) => (None, "stopped (reverted)", None, Severity::Notable),
            (SlotState::Reverted, Some(_)) => {
                (before, "serving (reverted)", None, Severity::Notable)
            }
            (SlotState::NeedsHand(failure), _) => {
                let state = if failure.unreachable {
                    "unreachable"
                } else {
                    "needs a hand"
                };
                (before, state, Some(headline(failure)), Severity::Bad)
            }
        };
        HostRow {
            host: slot.host.to_string(),
            recipe: Some(recipe.to_string()),
            release: now.map(|number| number.to_string()),
            state: state.to_owned(),
            detail,
            severity,
        }
    }

    /// The release that made a container, as it was before the deploy.
    fn release_of(&self, host: &HostName, container: &str) -> Option<Number> {
        let containers = &self.facts.hosts.get(host)?.containers;
        let found = containers.iter().find(|other| other.name == container)?;
        found.identity().map(|identity| Number(identity.release))
    }
}
