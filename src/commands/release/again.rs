//! What `restart`, `stop` and `start` have in common: they are about what runs, or ran last, of recipes that are named.

use clap::Args;

use crate::{
    commands::{
        arguments::{DefaultEnvironment, Kind, Limit},
        command::{EVERY_EXIT_CODE, Lock, Needs, Words},
        on_hosts::{invocation::Invocation, scope::scope_of_containers},
    },
    deploy::{self, DeployRequest, Goal, Trust},
    event::Outcome,
    hosts::Run,
    model::Name,
    plan::Scope,
    rollout::driver::Promotion,
};

/// What they need.
pub const NEEDS: Needs = Needs {
    contacts: "as `deploy`",
    lock: Lock::Always,
    changes: "containers, records",
    log: true,
    exit_codes: EVERY_EXIT_CODE,
};

/// Recipes of an environment, all of which must be named.
#[derive(Debug, Args)]
pub struct NamedRecipes {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// The recipes
    #[arg(value_name = "RECIPE", required = true, add = Kind::ContainerRecipe)]
    pub recipes: Vec<Name>,
    #[command(flatten)]
    pub limit: Limit,
}

impl NamedRecipes {
    /// What was typed.
    pub fn words(&mut self) -> Words<'_> {
        Words {
            environment: &mut self.environment.environment,
            recipes: &mut self.recipes,
        }
    }

    /// The containers of the recipes.
    pub fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        scope_of_containers(invocation, &self.recipes, &self.limit.limit)
    }
}

/// Does `goal` with what runs.
pub async fn again(
    invocation: &Invocation<'_>,
    scope: Scope,
    goal: Goal,
    dry_run: bool,
    trust: Trust,
) -> Run<Outcome> {
    let request = DeployRequest {
        scope,
        goal,
        dry_run,
        // What runs was promoted when it was deployed.
        promotion: Promotion::Granted,
        trust,
    };
    deploy::deploy(&invocation.context, request).await
}
