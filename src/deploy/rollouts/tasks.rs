//! The commands of recipes without a container.

use super::deployment::Deployment;
use crate::{
    event::Outcome,
    hosts::Stop,
    model::{LateValues, Recipe},
    plan::RecipePlan,
    tasks::{self, TaskContext},
};

impl Deployment<'_> {
    /// Runs the commands that the plan has for a recipe, one after the other.
    pub(super) async fn run_tasks(
        &self,
        recipe_plan: &RecipePlan,
        recipe: &Recipe,
    ) -> Result<(), Box<Stop>> {
        let events = self.context.events;
        let late = LateValues {
            release: self.plan.release.to_string(),
            container: String::new(),
            image: String::new(),
        };
        let context = TaskContext {
            recipe: &recipe.name,
            late,
            one_off: None,
            events,
        };
        for task_ref in &recipe_plan.tasks {
            let task = recipe
                .by_host
                .get(&task_ref.host)
                .and_then(|on| on.commands.get(task_ref.index));
            if self.context.interrupts.happened() {
                return Err(self.interrupted());
            }
            let (Some(task), Some(reached)) = (task, self.fleet.host(&task_ref.host)) else {
                continue;
            };
            let work = tasks::run(reached, task, &context);
            let ended = self.unless_stopped_now(recipe, &task.name, work).await?;
            ended.map_err(|error| {
                let message = format!(
                    "{} stopped: `{}` failed on `{}`",
                    self.title(recipe),
                    task.name,
                    task_ref.host
                );
                Stop::on_host(Outcome::Failed, message, &task_ref.host, &error)
            })?;
        }
        Ok(())
    }
}
