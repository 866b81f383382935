//! The rollouts of a deploy, recipe after recipe, and what is taken back when one of them fails.

mod failure;
mod revert;
mod running;

use crate::rollout::{
    driver::{self, Driven, Promotion, Running, drive},
    probe::ProbeWatch,
};
use crate::{
    event::{EventKind, HostRow, Outcome},
    facts::Facts,
    hosts::{Fleet, Stop},
    model::{LateValues, Recipe},
    plan::{Plan, RecipePlan},
    release::Action,
    rollout::machine::{Rollout, SlotState},
    run::{Context, Stage},
    tasks,
};

/// Everything that the rollouts of one deploy share.
pub struct Rollouts<'a> {
    /// The command's own.
    pub context: &'a Context<'a>,
    /// The hosts.
    pub fleet: &'a Fleet,
    /// What ran before.
    pub facts: &'a Facts,
    /// What is to change.
    pub plan: &'a Plan,
    /// How a canary's question is answered.
    pub promotion: &'a Promotion,
    /// What the release is.
    pub action: Action,
}

/// How they ended.
pub struct Ended {
    /// Why they did not come to a good end, if they did not.
    pub stop: Option<Box<Stop>>,
    /// What each changed host has now.
    pub rows: Vec<HostRow>,
}

/// A recipe's rollout that has ended.
struct Rolled {
    running: Running,
    states: Vec<SlotState>,
}

impl Rollouts<'_> {
    /// Rolls out every recipe of the plan, or takes back what a failure asks for.
    pub async fn carry_out(&self) -> Ended {
        self.announce_steps();
        let mut rolled = Vec::<Rolled>::new();
        let mut ran_tasks = false;
        let mut stop = None;
        for recipe_plan in &self.plan.recipes {
            let Some(recipe) = self.context.environment.recipe(&recipe_plan.recipe) else {
                continue;
            };
            if self.context.interrupts.happened() {
                stop = Some(self.interrupted());
                break;
            }
            ran_tasks |= !recipe_plan.tasks.is_empty();
            if let Err(failed) = self.run_tasks(recipe_plan, recipe).await {
                stop = Some(failed);
            } else if recipe_plan.changes().next().is_some() {
                let (done, failed) = self.roll_out(recipe_plan, recipe).await;
                rolled.push(done);
                stop = failed;
            }
            if stop.is_some() {
                break;
            }
        }
        if let Some(stop) = &mut stop {
            self.take_back_earlier(&mut rolled, ran_tasks, stop).await;
        }
        let rows = self.rows(&rolled);
        if let Some(stop) = &mut stop {
            self.complete(stop, &rolled);
        }
        Ended { stop, rows }
    }

    /// Tells each host's bar how many steps it has before it.
    fn announce_steps(&self) {
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
                    .map(|slot| policy.steps(slot.incoming.is_some(), !slot.outgoing.is_empty()))
                    .sum::<usize>();
                total += recipe_plan
                    .tasks
                    .iter()
                    .filter(|task| task.host == host)
                    .count();
                if let Some(on) = recipe.on.get(&host)
                    && recipe_plan
                        .changes()
                        .any(|slot| slot.host == host && slot.incoming.is_some())
                {
                    total += on.before.len() + on.after.len();
                }
            }
            self.context.events.send(EventKind::HostSteps {
                host: host.to_string(),
                total: total as u64,
            });
        }
    }

    async fn run_tasks(&self, recipe_plan: &RecipePlan, recipe: &Recipe) -> Result<(), Box<Stop>> {
        let late = LateValues {
            release: self.plan.release.to_string(),
            container: String::new(),
        };
        for task_ref in &recipe_plan.tasks {
            let task = recipe
                .on
                .get(&task_ref.host)
                .and_then(|on| on.commands.get(task_ref.index));
            if self.context.interrupts.happened() {
                return Err(self.interrupted());
            }
            let (Some(task), Some(reached)) = (task, self.fleet.host(&task_ref.host)) else {
                continue;
            };
            let events = self.context.events;
            let work = tasks::run(reached, &recipe.name, task, &late, events);
            let ended = self.unless_stopped_now(recipe, &task.name, work).await?;
            ended.map_err(|error| {
                let message = format!(
                    "{} stopped: `{}` failed on `{}`",
                    self.what(recipe),
                    task.name,
                    task_ref.host
                );
                Stop::on_host(Outcome::Failed, message, &task_ref.host, &error)
            })?;
        }
        Ok(())
    }

    /// Carries out commands that no rollout watches over. A first interrupt waits for them, a second ends
    /// them.
    async fn unless_stopped_now<T>(
        &self,
        recipe: &Recipe,
        commands: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, Box<Stop>> {
        let mut interrupts = self.context.interrupts.clone();
        let stopped = async {
            while interrupts.next().await != Stage::Now {
                let message = format!(
                    "interrupted: {commands} of `{}` are waited for; once more stops now",
                    recipe.name
                );
                self.context.events.send(EventKind::Warning {
                    host: None,
                    message,
                    hint: None,
                });
            }
        };
        tokio::select! {
            ended = work => Ok(ended),
            () = stopped => Err(self.stopped_now(recipe)),
        }
    }

    fn what(&self, recipe: &Recipe) -> String {
        let verb = match self.action {
            Action::Deploy => "deploy",
            Action::RollbackTo(_) => "rollback",
        };
        format!("{verb} of `{}` {}", recipe.name, self.plan.release)
    }

    async fn roll_out(
        &self,
        recipe_plan: &RecipePlan,
        recipe: &Recipe,
    ) -> (Rolled, Option<Box<Stop>>) {
        let running = self.running(recipe_plan, recipe);
        let mut prepared = self.prepare_once(&running).await;
        // One that came while `before` commands ran: no host is to be started after it.
        if prepared.is_ok() && self.context.interrupts.happened() {
            prepared = Err(self.interrupted());
        }
        if let Err(stop) = prepared {
            let states = running.slots.iter().map(|_| SlotState::Untouched).collect();
            return (Rolled { running, states }, Some(stop));
        }
        let mut probe = self.start_probe(&running).await;
        let machine = Rollout::new(running.policy.clone(), running.replacements());
        let driven = self.drive(&running, machine, probe.as_mut()).await;
        let mut stop = self.judge(&running, &driven);
        let mut states = driven.states.clone();
        if let Some(probe) = probe {
            let (summary, within) = probe.finish().await;
            if !within && stop.is_none() {
                let reason = format!(
                    "{} of {} probe requests failed",
                    summary.failed, summary.requests
                );
                let mut failed = Stop::new(
                    Outcome::Failed,
                    format!("{} stopped: {reason}", self.what(recipe)),
                );
                failed.report.causes.extend(summary.first_failure);
                let rolled = Rolled { running, states };
                return self.take_back_after_probe(rolled, failed).await;
            }
        }
        if let Some(stop) = &mut stop {
            stop.report.evidence.extend(driven.evidence);
            // What no state is known of was stopped in the middle.
            states.resize_with(running.slots.len(), || SlotState::Untouched);
        }
        (Rolled { running, states }, stop)
    }

    async fn prepare_once(&self, running: &Running) -> Result<(), Box<Stop>> {
        let Some(first) = running.slots.first() else {
            return Ok(());
        };
        let work = first.prepare_once();
        let ended = self
            .unless_stopped_now(&running.recipe, "`before` commands", work)
            .await?;
        ended.map_err(|error| {
            let host = first.reached.name();
            let message = format!(
                "{} stopped before it began: a `before` command failed on `{host}`",
                self.what(&running.recipe)
            );
            Stop::on_host(Outcome::Failed, message, host, &error)
        })
    }

    async fn drive(
        &self,
        running: &Running,
        machine: Rollout,
        probe: Option<&mut ProbeWatch>,
    ) -> Driven {
        drive(
            running,
            machine,
            self.context.events,
            self.context.interrupts,
            probe,
            self.promotion,
        )
        .await
    }
}
