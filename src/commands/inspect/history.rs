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
    model::{HostName, Name},
    observe::observe_any,
    plan::Scope,
    release::{Release, Terms},
    run::Context,
    state, text,
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
    let hosts = context.hosts_of(scope);
    let fleet = context.connect_to_any(&hosts).await?;
    let key = state::key_to_look(context).await;
    let terms = Terms {
        key: key.as_ref(),
        strays: false,
    };
    let observed = observe_any(&fleet, context.environment, terms, context.events).await?;
    let releases = observed.history.releases();
    if releases.is_empty() {
        let message = no_release(&context.environment.name, &observed.unread(&hosts));
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

/// What is known where no release was found: a host that was not read may have the records of one.
fn no_release(environment: &Name, unread: &[&HostName]) -> String {
    if unread.is_empty() {
        format!("`{environment}` has no release yet")
    } else {
        let unread = text::list(unread);
        format!("no release of `{environment}` on the hosts that answer; not read: {unread}")
    }
}

fn line(release: &Release) -> String {
    let what = release.action;
    format!(
        "{:<8}{:<13}{:<22}{:<24}{:<16}{what}",
        release.number,
        release.outcome,
        release.started.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        release.by,
        release.revision.as_deref().unwrap_or("-"),
    )
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
