//! `shipit plan`.

use clap::Args;

use crate::{
    commands::{
        arguments::{DefaultEnvironment, Kind, Limit, Variables},
        command::{HostCommand, Lock, Needs, Words},
        on_hosts::{invocation::Invocation, scope::scope},
    },
    deploy::{self, DeployRequest, Goal, Trust},
    event::Outcome,
    hosts::Run,
    model::{Name, Overrides},
    plan::Scope,
    rollout::driver::Promotion,
};

/// Show what a deploy would change, and change nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  shipit plan staging
  shipit plan staging flask-nanoservice --set version=1.3")]
pub struct Plan {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// Only these recipes [default: all]
    #[arg(value_name = "RECIPE", add = Kind::Recipe)]
    pub recipes: Vec<Name>,
    #[command(flatten)]
    pub limit: Limit,
    #[command(flatten)]
    pub variables: Variables,
}

impl HostCommand for Plan {
    const MAKES_PREVIEWS: bool = true;
    const NAME: &'static str = "plan";
    const NEEDS: Needs = Needs {
        contacts: "as `deploy`",
        lock: Lock::Never,
        changes: "nothing",
        log: false,
        exit_codes: &[0, 2, 3, 130],
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn words(&mut self) -> Option<Words<'_>> {
        Some(Words {
            environment: &mut self.environment.environment,
            recipes: &mut self.recipes,
        })
    }

    fn overrides(&self) -> Overrides {
        self.variables.overrides()
    }

    fn is_dry_run(&self) -> bool {
        true
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        scope(invocation, &self.recipes, &self.limit.limit)
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let request = DeployRequest {
            scope,
            goal: Goal::Files { forced: false },
            dry_run: true,
            promotion: Promotion::Nobody,
            trust: Trust::Nobody,
        };
        deploy::deploy(&invocation.context, request).await
    }
}
