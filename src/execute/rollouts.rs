//! The rollouts of a deploy, recipe after recipe, and what is taken back when one of them fails.

use std::sync::Arc;

use super::{
    Context, Promotion,
    driver::{self, Driven, Running, drive, headline},
    fleet::Fleet,
    gate::{Balancer, Surroundings},
    interrupt::Stage,
    observe::serving_containers,
    probe::ProbeWatch,
    slot::{Occupants, SlotRun},
    stop::Stop,
    tasks,
};
use crate::{
    event::{EventKind, Evidence, HostRow, Outcome, Phase, Severity},
    facts::Facts,
    model::{HostName, HostRecipe, LateValues, Name, Recipe},
    plan::{Plan, RecipePlan, SlotPlan},
    release::{Action, Number},
    rollout::{Failure, Finish, Rollout, RolloutEnd, Slot, SlotState},
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

    #[expect(
        clippy::unnecessary_box_returns,
        reason = "it becomes the error of a `Run`"
    )]
    fn stopped_now(&self, recipe: &Recipe) -> Box<Stop> {
        let message = format!("{} was stopped at once", self.what(recipe));
        Stop::new(Outcome::Interrupted, message).hint(self.look_hint())
    }

    fn what(&self, recipe: &Recipe) -> String {
        let verb = match self.action {
            Action::Deploy => "deploy",
            Action::RollbackTo(_) => "rollback",
        };
        format!("{verb} of `{}` {}", recipe.name, self.plan.release)
    }

    fn running(&self, recipe_plan: &RecipePlan, recipe: &Recipe) -> Running {
        let recipe = Arc::new(recipe.clone());
        let slots: Vec<_> = recipe_plan
            .changes()
            .enumerate()
            .filter_map(|(index, slot)| {
                let reached = self.fleet.host(&slot.host)?.clone();
                let on = Arc::new(
                    recipe
                        .on
                        .get(&slot.host)
                        .cloned()
                        .unwrap_or_else(HostRecipe::none),
                );
                let containers = self
                    .facts
                    .hosts
                    .get(&slot.host)
                    .map(|facts| facts.containers.as_slice());
                let containers = containers.unwrap_or_default();
                let runs_tasks = self.runs_tasks(slot, &on);
                Some(Arc::new(SlotRun {
                    is_first: index == 0,
                    runs_tasks,
                    reached,
                    recipe: recipe.clone(),
                    on,
                    occupants: Occupants::before(slot, containers),
                    plan: slot.clone(),
                    environment: self.context.environment.name.to_string(),
                    release: self.plan.release,
                    events: self.context.events.clone(),
                }))
            })
            .collect();
        let around = Surroundings {
            balancers: self.balancers(&recipe),
            consul_servers: consul_servers(&recipe, self.facts),
        };
        let policy = driver::policy(&recipe, recipe_plan.order, slots.len());
        Running {
            policy,
            recipe,
            slots,
            around: Arc::new(around),
        }
    }

    /// A rollback to a release whose `before` and `after` were others than the files' runs neither: they
    /// belong to another version, and what they uploaded is not in the record.
    fn runs_tasks(&self, slot: &SlotPlan, on: &HostRecipe) -> bool {
        let Some(incoming) = &slot.incoming else {
            return false;
        };
        let (recorded, now) = (&incoming.desired.spec.setup, super::desired::setup(on));
        let runs = self.action == Action::Deploy || *recorded == now;
        if !runs {
            let message =
                "the release had other `before` and `after` commands than the files: none is run"
                    .to_owned();
            let host = Some(slot.host.to_string());
            self.context.events.send(EventKind::Warning {
                host,
                message,
                hint: None,
            });
        }
        runs
    }

    /// Every balancer that the recipe's `[drain]` names: each of its containers on each of its hosts.
    fn balancers(&self, recipe: &Recipe) -> Vec<Balancer> {
        let mut balancers = Vec::new();
        let names = recipe.drain.iter().flat_map(|drain| &drain.balancers);
        for balancer in names.filter_map(|name| self.context.environment.recipe(name)) {
            for (host, on) in &balancer.on {
                let (Some(reached), Some(view)) = (self.fleet.host(host), &on.balancer) else {
                    continue;
                };
                for container in self.containers_of(&balancer.name, host) {
                    balancers.push(Balancer {
                        reached: reached.clone(),
                        view: view.clone(),
                        late: LateValues {
                            release: self.plan.release.to_string(),
                            container,
                        },
                    });
                }
            }
        }
        balancers
    }

    /// The names of a recipe's containers on a host once the plan is carried out.
    fn containers_of(&self, recipe: &Name, host: &HostName) -> Vec<String> {
        let mut planned = self.plan.recipes.iter();
        let planned = planned.find(|plan| plan.recipe == *recipe);
        let slots = planned.into_iter().flat_map(|plan| &plan.slots);
        let incoming = slots
            .filter(|slot| slot.host == *host)
            .filter_map(|slot| slot.incoming.as_ref());
        let mut names: Vec<_> = incoming
            .map(|incoming| incoming.name.active.clone())
            .collect();
        if names.is_empty() {
            names = serving_containers(&self.facts.hosts, host, recipe);
        }
        if names.is_empty() {
            names.push(recipe.to_string());
        }
        names
    }

    async fn roll_out(
        &self,
        recipe_plan: &RecipePlan,
        recipe: &Recipe,
    ) -> (Rolled, Option<Box<Stop>>) {
        let running = self.running(recipe_plan, recipe);
        if let Err(stop) = self.prepare_once(&running).await {
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

    async fn take_back_after_probe(
        &self,
        mut rolled: Rolled,
        mut stop: Box<Stop>,
    ) -> (Rolled, Option<Box<Stop>>) {
        if rolled.running.policy.auto_revert {
            let reverted = self
                .take_back(&mut rolled, &stop.report.message.clone())
                .await;
            stop.outcome = if reverted {
                Outcome::Reverted
            } else {
                Outcome::Failed
            };
        }
        (rolled, Some(stop))
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

    /// A probe only makes sense where something serves before and after.
    async fn start_probe(&self, running: &Running) -> Option<ProbeWatch> {
        let probe = running.recipe.probe.clone()?;
        running
            .slots
            .iter()
            .find(|slot| !slot.plan.outgoing.is_empty())?;
        let through = probe
            .through
            .as_ref()
            .and_then(|host| self.fleet.host(host))
            .cloned();
        let recipe = running.recipe.name.to_string();
        ProbeWatch::start(probe, through, recipe, self.context.events.clone())
            .await
            .inspect_err(|message| {
                let (message, hint) = (format!("no probe: {message}"), None);
                self.context.events.send(EventKind::Warning {
                    host: None,
                    message,
                    hint,
                });
            })
            .ok()
    }

    /// What a driven rollout means for the run.
    fn judge(&self, running: &Running, driven: &Driven) -> Option<Box<Stop>> {
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
        let host = slot
            .and_then(|Slot(index)| running.slots.get(index))
            .map(|slot| slot.reached.name().clone());
        let message = format!("{} stopped: {}", self.what(recipe), headline(&failure));
        let mut stop = Stop::new(outcome, message);
        stop.report.causes.extend(failure.error.into_iter().skip(1));
        stop.report.hint = Some(if host.is_some() || outcome == Outcome::Reverted {
            let environment = &self.context.environment.name;
            let release = self.plan.release;
            format!(
                "`shipit logs {environment} {} --release {release}` shows all of it",
                recipe.name
            )
        } else {
            self.look_hint()
        });
        Some(stop)
    }

    fn look_hint(&self) -> String {
        let environment = &self.context.environment.name;
        format!(
            "`shipit status {environment}` shows what runs now; `shipit deploy {environment}` goes on from there"
        )
    }

    #[expect(
        clippy::unnecessary_box_returns,
        reason = "it becomes the error of a `Run`"
    )]
    fn interrupted(&self) -> Box<Stop> {
        let message = format!(
            "{} was interrupted; the hosts in hand were finished, no other was started",
            self.plan.release
        );
        Stop::new(Outcome::Interrupted, message).hint(self.look_hint())
    }

    /// A failed release leaves nothing behind: recipes that were rolled out before the one that failed go
    /// back too, newest first, where they have `auto_revert`.
    /// Commands of a recipe without a container cannot be taken back.
    async fn take_back_earlier(&self, rolled: &mut [Rolled], ran_tasks: bool, stop: &mut Stop) {
        // An interrupt that comes while a failure is taken back does not change what is to be taken back.
        if stop.outcome != Outcome::Reverted && stop.outcome != Outcome::Failed {
            return;
        }
        let mut all_back = stop.outcome == Outcome::Reverted;
        let reason = stop.report.message.clone();
        for earlier in rolled.iter_mut().rev() {
            if !earlier.states.contains(&SlotState::Updated) {
                continue;
            }
            if earlier.running.policy.auto_revert {
                all_back &= self.take_back(earlier, &reason).await;
            } else {
                all_back = false;
            }
        }
        if stop.outcome == Outcome::Reverted && (!all_back || ran_tasks) {
            stop.outcome = Outcome::Failed;
        }
    }

    /// Takes one recipe's finished rollout back; whether every slot has what it had before.
    async fn take_back(&self, rolled: &mut Rolled, reason: &str) -> bool {
        self.context.events.send(EventKind::Phase {
            phase: Phase::Revert,
        });
        self.context.events.send(EventKind::Note {
            message: format!("taking back `{}`: {reason}", rolled.running.recipe.name),
        });
        // A slot that failed by itself and went back, or was never begun, has nothing to take back.
        let updated: Vec<usize> = (0..rolled.states.len())
            .filter(|index| rolled.states[*index] == SlotState::Updated)
            .collect();
        let running = Running {
            recipe: rolled.running.recipe.clone(),
            policy: rolled.running.policy.clone(),
            slots: updated
                .iter()
                .map(|index| rolled.running.slots[*index].clone())
                .collect(),
            around: rolled.running.around.clone(),
        };
        let machine = Rollout::revert(running.policy.clone(), running.replacements());
        let driven = self.drive(&running, machine, None).await;
        let back = driven
            .finish
            .as_ref()
            .is_some_and(|finish| finish.end == RolloutEnd::Reverted);
        for (index, state) in updated.into_iter().zip(driven.states) {
            rolled.states[index] = state;
        }
        back
    }

    /// The table at the end: every slot that was to be changed.
    fn rows(&self, rolled: &[Rolled]) -> Vec<HostRow> {
        let mut rows = Vec::new();
        for recipe_plan in &self.plan.recipes {
            let ended = rolled
                .iter()
                .find(|rolled| rolled.running.recipe.name == recipe_plan.recipe);
            for (index, slot) in recipe_plan.changes().enumerate() {
                let state = ended.and_then(|ended| ended.states.get(index));
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

    fn release_of(&self, host: &HostName, container: &str) -> Option<Number> {
        let containers = &self.facts.hosts.get(host)?.containers;
        let found = containers.iter().find(|other| other.name == container)?;
        found.identity().map(|identity| Number(identity.release))
    }

    /// Says in the error what a failure leaves to be done by hand.
    fn complete(&self, stop: &mut Stop, rolled: &[Rolled]) {
        if stop.outcome == Outcome::Failed && stop.report.hint.is_none() {
            stop.report.hint = Some(self.look_hint());
        }
        let needs_hand = |rolled: &&Rolled| {
            let mut states = rolled.states.iter();
            states.any(|state| matches!(state, SlotState::NeedsHand(_)))
        };
        let by_hand = rolled.iter().filter(needs_hand).map(|rolled| {
            let recipe = &rolled.running.recipe.name;
            format!("on the hosts that need a hand: `docker ps --all --filter label=shipit.recipe={recipe}`")
        });
        let mut hints: Vec<_> = by_hand.chain(stop.report.hint.take()).collect();
        let look = self.look_hint();
        if hints.len() > 1 && !hints.contains(&look) {
            hints.push(look);
        }
        stop.report.hint = Some(hints.join("\n")).filter(|hints| !hints.is_empty());
        stop.report
            .evidence
            .retain(|Evidence { lines, .. }| !lines.is_empty());
    }
}

/// How many servers Consul's cluster has when it is whole: those that run now; on a first deploy, when none
/// does, all that are about to. So a cluster can also grow, one server at a time.
pub fn consul_servers(recipe: &Recipe, facts: &Facts) -> usize {
    let runs = |host: &&HostName| {
        let on_host = facts.hosts.get(*host);
        on_host.is_some_and(|on_host| {
            on_host
                .of_recipe(&recipe.name)
                .iter()
                .any(|container| container.state.running)
        })
    };
    match recipe.hosts.iter().filter(runs).count() {
        0 => recipe.hosts.len(),
        running => running,
    }
}
