//! The recipes of a plan, one after the other.

use super::super::lists;
use super::{
    deployment::Deployment,
    finished::{DeploymentResult, FinishedRollout},
    steps::announce_rollouts,
};

impl Deployment<'_> {
    /// Rolls out every recipe of the plan. After a failure it starts no other, and reverts what it must.
    pub async fn carry_out(&self) -> DeploymentResult {
        announce_rollouts(self.context, self.plan);
        let mut finished = Vec::<FinishedRollout>::new();
        let mut ran_tasks = false;
        let (environment, plan) = (self.context.environment, self.plan);
        let settled = lists::settle(environment, self.fleet, self.facts, plan, self.lists).await;
        let mut stop = settled.err();
        let recipes = if stop.is_none() { &*plan.recipes } else { &[] };
        for recipe_plan in recipes {
            let Some(recipe) = self.context.environment.recipe(&recipe_plan.recipe) else {
                continue;
            };
            if self.context.interrupts.happened() {
                stop = Some(self.interrupted());
                break;
            }
            ran_tasks |= !recipe_plan.tasks.is_empty();
            if let Err(failed) = Box::pin(self.run_tasks(recipe_plan, recipe)).await {
                stop = Some(failed);
            } else if recipe_plan.changes().next().is_some() {
                let (done, failed) = self.roll_out(recipe_plan, recipe).await;
                finished.push(done);
                stop = failed;
            }
            if stop.is_some() {
                break;
            }
        }
        if let Some(stop) = &mut stop {
            self.revert_earlier(&mut finished, ran_tasks, stop).await;
        }
        let rows = self.rows(&finished);
        if let Some(stop) = &mut stop {
            self.add_hints(stop, &finished);
        }
        DeploymentResult { stop, rows }
    }
}
