//! The table at the end of a deploy.

use super::{deployment::Deployment, finished::FinishedRollout, running::outgoing_is_up};
use crate::{
    event::{HostRow, Severity},
    model::{HostName, Name},
    plan::{Change, ContainerName, SlotPlan},
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
            .and_then(|name| self.release_of(&slot.host, name));
        let (now, state, detail, severity) = match (state, before) {
            (SlotState::Updated, _) => match &slot.incoming {
                Some(incoming) => (Some(incoming.made_by), "serving", None, Severity::Good),
                None if slot.change == Change::Stop => (before, "stopped", None, Severity::Good),
                None => (None, "removed", None, Severity::Good),
            },
            (SlotState::Untouched, None) => (None, "not started", None, Severity::Notable),
            // Nobody has looked at it since the plan, so nothing is said of how it is.
            (SlotState::Untouched, Some(_)) => (before, "untouched", None, Severity::Notable),
            (SlotState::Reverted, None) => (None, "stopped (reverted)", None, Severity::Notable),
            (SlotState::Reverted, Some(_)) if self.was_unwell(slot) => (
                before,
                "reverted; it did not serve before",
                None,
                Severity::Notable,
            ),
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
    fn release_of(&self, host: &HostName, name: &ContainerName) -> Option<Number> {
        let mut containers = self.facts.hosts.get(host)?.containers.iter();
        let found =
            containers.find(|other| [&name.active, &name.retired].contains(&&other.name))?;
        found.identity().map(|identity| Number(identity.release))
    }

    /// Whether what a slot lets go ran and was not up before the deploy.
    fn was_unwell(&self, slot: &SlotPlan) -> bool {
        let facts = self.facts.hosts.get(&slot.host);
        let containers = facts.map_or(&[][..], |facts| &facts.containers);
        slot.replaces_a_running_one() && !outgoing_is_up(slot, containers)
    }
}
