//! How many steps each host has before it.

use super::deployment::Deployment;
use crate::{event::EventKind, rollout::driver};

impl Deployment<'_> {
    /// Announces how many steps each host has, for its bar.
    pub(super) fn announce_steps(&self) {
        let environment = self.context.environment;
        for host in self.plan.changed_hosts(environment) {
            let mut total = 0;
            for recipe_plan in &self.plan.recipes {
                let Some(recipe) = environment.recipe(&recipe_plan.recipe) else {
                    continue;
                };
                let policy =
                    driver::policy(recipe, recipe_plan.order, recipe_plan.changes().count());
                let on_host = recipe_plan.changes().filter(|slot| slot.host == host);
                total += on_host
                    .map(|slot| {
                        let runs = slot.incoming.as_ref().map(|incoming| incoming.runs);
                        let goes = slot.replaces_a_running_one();
                        policy.steps(runs.is_some(), runs == Some(true), goes)
                    })
                    .sum::<usize>();
                total += recipe_plan
                    .tasks
                    .iter()
                    .filter(|task| task.host == host)
                    .count();
                if let Some(host_recipe) = recipe.on.get(&host)
                    && recipe_plan
                        .changes()
                        .any(|slot| slot.host == host && slot.incoming.is_some())
                {
                    total += host_recipe.before.len() + host_recipe.after.len();
                }
            }
            self.context.events.send(EventKind::HostSteps {
                host: host.to_string(),
                total: total as u64,
            });
        }
    }
}
