//! `shipit run`.

use std::{collections::BTreeSet, time::Duration};

use clap::Args;

use crate::{
    commands::{
        arguments::{DefaultEnvironment, Kind, Limit, Variables, Wait},
        command::{HostCommand, Lock, Needs},
        on_hosts::{invocation::Invocation, scope::scope},
    },
    event::{EventKind, Outcome, Phase},
    hosts::{self, HostError, Reached, Stop},
    model::{Host, HostName, LateValues, Name, Overrides, Recipe},
    observe,
    plan::{Scope, TaskRef},
    run::Context,
    state::lock,
    tasks::{self, TaskContext},
    text,
};

/// Run a recipe that has only commands
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
Examples:
  shipit run staging migrate
  shipit run migrate --set version=1.3"
)]
pub struct Run {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// The recipe
    #[arg(value_name = "RECIPE", add = Kind::CommandRecipe)]
    pub recipe: Name,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub wait: Wait,
}

impl HostCommand for Run {
    const NAME: &'static str = "run";
    const NEEDS: Needs = Needs {
        contacts: "the recipe's hosts, the first host",
        lock: Lock::Always,
        changes: "what its commands change",
        log: true,
        exit_codes: &[0, 1, 2, 3, 4, 130],
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn overrides(&self) -> Overrides {
        self.variables.overrides()
    }

    fn lock_wait(&self) -> Duration {
        self.wait.time()
    }

    fn scope(&self, invocation: &Invocation<'_>) -> hosts::Run<Scope> {
        let recipes = std::slice::from_ref(&self.recipe);
        scope(invocation, recipes, &self.limit.limit)
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> hosts::Run<Outcome> {
        let context = &invocation.context;
        let environment = context.environment;
        let Some(recipe) = environment.recipe(&self.recipe) else {
            return Ok(Outcome::NothingToDo);
        };
        let name = &recipe.name;
        if recipe.has_container() {
            return Err(Stop::new(
                Outcome::Usage,
                format!("`{name}` has a container, so it is deployed, not run"),
            )
            .hint(format!("shipit deploy {} {name}", environment.name)));
        }
        let fleet = context.connect(&reach(context, recipe, &scope)).await?;
        let lock = lock::take(context, &fleet, Self::NAME).await?;
        let done = observe::done_tasks(&fleet, environment, &scope).await?;
        context.events.send(EventKind::Phase {
            phase: Phase::Deploy,
        });
        let work = fleet.each(|reached| run_on(context, reached, recipe, &scope, &done));
        let results = context
            .interruptible("it is not known how far the command got", async {
                Ok(work.await)
            })
            .await;
        drop(lock);
        let (mut failures, mut ran) = (Vec::new(), false);
        for (reached, result) in results? {
            match result {
                Ok(some) => ran |= some,
                Err(error) => failures.push((reached.name().clone(), error)),
            }
        }
        fleet.close().await;
        match (failures.is_empty(), ran) {
            (true, true) => Ok(Outcome::Done),
            (true, false) => Ok(Outcome::NothingToDo),
            (false, _) => {
                let names = text::list(failures.iter().map(|(host, _)| host));
                Err(Stop::on_hosts(
                    Outcome::Failed,
                    format!("`{name}` failed on {names}"),
                    &failures,
                ))
            }
        }
    }
}

/// The recipe's hosts of the scope, and the host that has the lock.
fn reach<'a>(context: &Context<'a>, recipe: &Recipe, scope: &Scope) -> Vec<&'a Host> {
    let lock_host = context.environment.lock_host();
    let mut reach: Vec<&Host> = context.environment.hosts.iter().collect();
    reach.retain(|host| scope.has_host(&host.name));
    reach.retain(|host| recipe.hosts.contains(&host.name) || host.name == lock_host.name);
    if !reach.iter().any(|host| host.name == lock_host.name) {
        reach.insert(0, lock_host);
    }
    reach
}

/// Runs the recipe's commands on one host, in order. Returns whether there was one to run.
async fn run_on(
    context: &Context<'_>,
    reached: &Reached,
    recipe: &Recipe,
    scope: &Scope,
    done: &BTreeSet<TaskRef>,
) -> Result<bool, HostError> {
    let host = reached.name();
    let on = recipe.by_host.get(host).filter(|_| scope.has_host(host));
    let Some(on) = on else { return Ok(false) };
    let first: Option<&HostName> = recipe.hosts.iter().find(|host| scope.has_host(host));
    let late = LateValues {
        release: String::new(),
        container: String::new(),
        image: String::new(),
    };
    let task_context = TaskContext {
        recipe: &recipe.name,
        late,
        one_off: None,
        events: context.events,
    };
    let mut ran = false;
    for (index, task) in on.commands.iter().enumerate() {
        let task_ref = TaskRef {
            recipe: recipe.name.clone(),
            host: host.clone(),
            index,
        };
        if done.contains(&task_ref) || (task.once && first != Some(host)) {
            continue;
        }
        tasks::run(reached, task, &task_context).await?;
        ran = true;
    }
    Ok(ran)
}
