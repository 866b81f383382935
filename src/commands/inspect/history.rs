//! `shipit history`.

use clap::Args;

use super::releases;
use crate::{
    commands::{
        arguments::DefaultEnvironment,
        command::{HostCommand, Needs},
        on_hosts::invocation::Invocation,
    },
    event::{EventKind, Outcome},
    hosts::Run,
    model::{HostName, Name},
    plan::Scope,
    run::Context,
    text,
};

/// List the releases: what each changed, who made it, how it ended
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
    let (fleet, observed) = releases::read(context, scope).await?;
    let history = &observed.history;
    let newest_first = history.releases().into_iter().rev().take(number);
    let releases: Vec<_> = newest_first
        .map(|release| releases::row(history, &release))
        .collect();
    if history.newest().is_none() {
        let unread = observed.unread(&context.hosts_of(scope));
        let message = no_release(&context.environment.name, &unread);
        context.events.send(EventKind::Note { message });
    }
    context.events.send(EventKind::History { releases });
    fleet.close().await;
    Ok(())
}

/// What is known where no release was found: a host that was not read may have the records of one.
fn no_release(environment: &Name, unread: &[&HostName]) -> String {
    if unread.is_empty() {
        format!("`{environment}` has no release yet")
    } else {
        let unread = text::list(unread);
        format!("no release of `{environment}` on the hosts that answer; not read: {unread}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_was_not_read_may_have_a_release() {
        let environment = Name::try_from("staging".to_owned()).expect("a name");
        let said = no_release(&environment, &[]);
        assert_eq!(said, "`staging` has no release yet");
        let host = HostName::from("host-2");
        let said = no_release(&environment, &[&host]);
        let expected = "no release of `staging` on the hosts that answer; not read: `host-2`";
        assert_eq!(said, expected);
    }
}
