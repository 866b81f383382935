//! `shipit history`.

use clap::Args;

use crate::{
    commands::{
        arguments::DefaultEnvironment,
        command::{HostCommand, Needs},
        on_hosts::invocation::Invocation,
    },
    event::{EventKind, Outcome},
    hosts::Run,
    model::Name,
    observe::observe_any,
    plan::Scope,
    release::{Action, Release},
    run::Context,
};

/// List the releases
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  shipit history staging
  shipit history -n 50")]
pub struct History {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// Number of releases, newest first
    #[arg(short = 'n', long, value_name = "NUMBER", default_value = "10")]
    pub number: usize,
}

impl HostCommand for History {
    const NAME: &'static str = "history";
    const NEEDS: Needs = Needs::HOSTS_THAT_ANSWER;

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let shown = show_history(context, &scope, self.number);
        context.interruptible("nothing was changed", shown).await?;
        Ok(Outcome::NothingToDo)
    }
}

async fn show_history(context: &Context<'_>, scope: &Scope, number: usize) -> Run<()> {
    let fleet = context.connect_to_any(&context.hosts_of(scope)).await?;
    let observed = observe_any(&fleet, context.environment, context.events).await?;
    let releases = observed.history.releases();
    if releases.is_empty() {
        let name = &context.environment.name;
        // A host that does not answer may know of one.
        let message = if observed.facts.hosts.len() < context.environment.hosts.len() {
            format!("the hosts that answer have no release of `{name}`")
        } else {
            format!("`{name}` has no release yet")
        };
        context.events.send(EventKind::Note { message });
    }
    let mut lines = vec![format!(
        "{:<8}{:<13}{:<22}{:<24}{:<16}WHAT",
        "RELEASE", "OUTCOME", "WHEN (UTC)", "BY", "REVISION"
    )];
    lines.extend(releases.iter().rev().take(number).map(line));
    if lines.len() > 1 {
        context.events.send(EventKind::Result { lines });
    }
    fleet.close().await;
    Ok(())
}

fn line(release: &Release) -> String {
    let what = match release.action {
        Action::Deploy => "deploy".to_owned(),
        Action::RollbackTo(target) => format!("rollback to {target}"),
    };
    format!(
        "{:<8}{:<13}{:<22}{:<24}{:<16}{what}",
        release.number,
        release.outcome,
        release.started.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        release.by,
        release.revision.as_deref().unwrap_or("-"),
    )
}
