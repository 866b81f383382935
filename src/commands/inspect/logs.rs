//! `shipit logs`.

use std::time::Duration;

use clap::Args;

use crate::{
    commands::{
        arguments::{DefaultEnvironment, value},
        command::{HostCommand, Needs},
        on_hosts::{invocation::Invocation, scope::scope},
    },
    docker::{self, Container},
    event::{EventKind, Outcome},
    hosts::{self, Fleet, QUICK, Reached, Run, Stop},
    model::{HostName, Name, Recipe},
    observe::{Observed, observe_any},
    plan::Scope,
    release::{Number, Terms},
    run::Context,
    text,
    transport::{Deadline, Output},
};

/// Show the logs of a recipe's containers
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
Examples:
  shipit logs staging flask-nanoservice
  shipit logs staging flask-nanoservice --release r42 -n 500
  shipit logs flask-nanoservice --host host-2 -f"
)]
pub struct Logs {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// The recipe
    #[arg(value_name = "RECIPE")]
    pub recipe: Name,
    /// Logs of this release, even if it no longer runs [default: what runs now]
    #[arg(long, value_name = "rN", value_parser = value::release)]
    pub release: Option<u64>,
    /// Only from this host
    #[arg(long, alias = "limit", value_name = "HOST")]
    pub host: Option<String>,
    /// Number of lines from each container
    #[arg(short = 'n', long, value_name = "NUMBER", default_value = "100")]
    pub lines: u64,
    /// Follow new lines until interrupted
    #[arg(short, long)]
    pub follow: bool,
}

/// A container and the host that has it.
type OnHost<'a> = (&'a Reached, String);

impl HostCommand for Logs {
    const NAME: &'static str = "logs";
    const NEEDS: Needs = Needs {
        exit_codes: &[0, 1, 2, 3, 130, 141],
        ..Needs::HOSTS_THAT_ANSWER
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn ends_with_reader(&self) -> bool {
        true
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        scope(
            invocation,
            std::slice::from_ref(&self.recipe),
            self.host.as_slice(),
        )
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let environment = context.environment;
        let Some(recipe) = environment.recipe(&self.recipe) else {
            return Ok(Outcome::NothingToDo);
        };
        let mut hosts = context.hosts_of(&scope);
        hosts.retain(|host| recipe.hosts.contains(&host.name));
        let fleet = context.connect_to_any(&hosts).await?;
        let observed = observe_any(&fleet, environment, Terms::default(), context.events).await?;
        let release = self.release.map(Number);
        let containers = containers(&fleet, &observed, recipe, release);
        if containers.is_empty() {
            let of = release
                .map(|number| format!(" of {number}"))
                .unwrap_or_default();
            let of = format!("{of} of `{}`", recipe.name);
            return Err(
                Stop::new(Outcome::Failed, no_container(&of, &observed.unread(&hosts))).hint(
                    format!(
                        "`shipit history {0}` and `shipit status {0}` show what there is",
                        environment.name
                    ),
                ),
            );
        }
        let lines = u32::try_from(self.lines).unwrap_or(u32::MAX);
        if self.follow {
            follow(context, &containers, lines).await;
        } else {
            let showing = async {
                let mut failed = None;
                // One that cannot be read keeps nobody from seeing the others.
                for (reached, name) in &containers {
                    let shown = show(context, reached, name, lines).await;
                    failed = failed.or(shown.err());
                }
                failed.map_or(Ok(()), Err)
            };
            let state = "not all of the logs were shown";
            context.interruptible(state, showing).await?;
        }
        fleet.close().await;
        Ok(Outcome::NothingToDo)
    }
}

/// What is known where no container was found: a host that was not read may have one.
fn no_container(of: &str, unread: &[&HostName]) -> String {
    if unread.is_empty() {
        format!("no host has a container{of}")
    } else {
        let unread = text::list(unread);
        format!("no host that answers has a container{of}; not read: {unread}")
    }
}

/// The containers whose logs are wanted: those of a release, or else on each host those that run, or else
/// the newest one there.
fn containers<'a>(
    fleet: &'a Fleet,
    observed: &Observed,
    recipe: &Recipe,
    release: Option<Number>,
) -> Vec<OnHost<'a>> {
    let mut found = Vec::new();
    for reached in fleet.hosts() {
        let Some(facts) = observed.facts.hosts.get(reached.name()) else {
            continue;
        };
        let mut containers = facts.of_recipe(&recipe.name);
        if let Some(number) = release {
            let record = observed.history.record(reached.name(), number);
            let recorded = record.and_then(|record| record.recipes.get(&*recipe.name));
            let spec = recorded.map(|recipe| recipe.hash.as_str());
            containers.retain(|container| is_of_release(container, spec, number));
        } else if containers.iter().any(|container| container.state.running) {
            containers.retain(|container| container.state.running);
        } else {
            containers.truncate(1);
        }
        let names = containers.iter().map(|container| container.name.clone());
        found.extend(names.map(|name| (reached, name)));
    }
    found
}

/// Whether a container was made by a release, or is what that release ran again.
fn is_of_release(container: &Container, spec: Option<&str>, number: Number) -> bool {
    container.identity().is_some_and(|identity| {
        identity.release == number.0 || Some(identity.spec.as_str()) == spec
    })
}

async fn show(context: &Context<'_>, reached: &Reached, name: &str, lines: u32) -> Run<()> {
    let command = docker::container_logs(name, lines);
    let shown = hosts::short(&command);
    let result = match hosts::stream(reached, command, Deadline::Idle(QUICK), context.events).await
    {
        Ok((0, _)) => Ok(()),
        Ok((status, last)) => {
            let output = Output {
                status,
                stdout: String::new(),
                stderr: last.join("\n"),
            };
            Err(hosts::failed(shown, &output))
        }
        Err(error) => Err(error),
    };
    result.map_err(|error| {
        Stop::on_host(
            Outcome::Failed,
            format!("cannot read the logs of `{name}`"),
            reached.name(),
            &error,
        )
    })
}

/// Shows new lines as they come, until the user has enough or every container has ended.
async fn follow(context: &Context<'_>, containers: &[OnHost<'_>], lines: u32) {
    /// Following has no end of its own; a day is more than anyone looks.
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let following = containers.iter().map(|(reached, name)| async move {
        let command = docker::container_logs_follow(name, lines);
        if let Err(error) =
            hosts::stream(reached, command, Deadline::Total(DAY), context.events).await
        {
            let message = format!(
                "lost the logs of `{name}`: {}",
                text::chain(&error).join(": ")
            );
            context.events.send(EventKind::Warning {
                host: Some(reached.name().to_string()),
                message,
                hint: None,
            });
        }
    });
    let mut interrupts = context.interrupts.clone();
    tokio::select! {
        _ = futures::future::join_all(following) => {}
        _ = interrupts.next() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_was_not_read_may_have_a_container() {
        let said = no_container(" of `web`", &[]);
        assert_eq!(said, "no host has a container of `web`");
        let host = HostName::from("host-2");
        let said = no_container(" of `web`", &[&host]);
        let expected = "no host that answers has a container of `web`; not read: `host-2`";
        assert_eq!(said, expected);
    }
}
