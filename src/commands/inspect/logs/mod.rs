//! `shipit logs`.

mod follow;
mod late;
mod line;
mod select;

use clap::Args;
use futures::future::join_all;
use regex::Regex;

use self::{
    follow::Following,
    late::{EVERY, Late},
    line::Shown,
    select::{OnHost, containers, no_container},
};
use crate::{
    commands::{
        arguments::{DefaultEnvironment, Kind, value},
        command::{HostCommand, Needs, Words},
        on_hosts::{invocation::Invocation, scope::scope},
    },
    docker::{self, LogRange},
    event::{Outcome, OutputStream},
    hosts::{self, QUICK, Run, Stop, each_line},
    model::{HostName, Name, Recipe},
    observe::observe_any,
    plan::Scope,
    release::{Number, Terms},
    run::Context,
    text,
    transport::{Deadline, Output},
};

/// How many lines of each container are shown, where nothing else narrows them down.
const LINES: u64 = 100;

/// Show the logs of recipes' containers
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
A time is so long ago (10m), or a date and time in UTC ('2026-11-23 04:50').

Examples:
  shipit logs staging flask-nanoservice
  shipit logs staging flask-nanoservice dr-con --since 10m --grep 'HTTP/1.1. 5..'
  shipit logs staging flask-nanoservice --release r42 -n 500
  shipit logs flask-nanoservice --host host-2 -f
  shipit logs pr-42                  # a preview, with all recipes of its own"
)]
pub struct Logs {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// The recipes
    #[arg(value_name = "RECIPE", required = true, add = Kind::ContainerRecipe)]
    pub recipes: Vec<Name>,
    /// Logs of this release, even if it no longer runs [default: what runs now]
    #[arg(long, value_name = "rN", value_parser = value::release, add = Kind::Release)]
    pub release: Option<u64>,
    /// Only from this host
    #[arg(long, alias = "limit", value_name = "HOST", add = Kind::Host)]
    pub host: Option<String>,
    /// Number of lines from each container [default: 100; all with a time or --grep]
    #[arg(short = 'n', long, value_name = "NUMBER")]
    pub lines: Option<u64>,
    /// Only lines from this time on
    #[arg(long, value_name = "TIME", value_parser = value::moment)]
    pub since: Option<String>,
    /// Only lines up to this time
    #[arg(long, value_name = "TIME", value_parser = value::moment, conflicts_with = "follow")]
    pub until: Option<String>,
    /// Only lines that this regular expression matches
    #[arg(long, value_name = "RE", value_parser = value::expression)]
    pub grep: Option<Regex>,
    /// Show Docker's time before each line
    #[arg(short, long)]
    pub timestamps: bool,
    /// Follow new lines until interrupted, also of containers that take the place of these
    #[arg(short, long)]
    pub follow: bool,
}

impl Logs {
    /// Which part of each log.
    fn range(&self) -> LogRange {
        let is_narrow = self.since.is_some() || self.until.is_some() || self.grep.is_some();
        LogRange {
            tail: self.lines.or((!is_narrow).then_some(LINES)),
            since: self.since.clone(),
            until: self.until.clone(),
            timestamps: self.timestamps || self.follow,
            follow: self.follow,
        }
    }
}

impl HostCommand for Logs {
    const TAKES_WHOLE_PREVIEWS: bool = true;
    const NAME: &'static str = "logs";
    const NEEDS: Needs = Needs {
        exit_codes: &[0, 1, 2, 3, 130, 141],
        ..Needs::HOSTS_THAT_ANSWER
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

    fn ends_with_reader(&self) -> bool {
        true
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        scope(invocation, &self.recipes, self.host.as_slice())
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let environment = context.environment;
        let recipes = environment.recipes.iter();
        let recipes: Vec<_> = recipes.filter(|it| scope.has_recipe(&it.name)).collect();
        let mut hosts = context.hosts_of(&scope);
        hosts.retain(|host| {
            recipes
                .iter()
                .any(|recipe| recipe.hosts.contains(&host.name))
        });
        let fleet = context.connect_to_any(&hosts).await?;
        let observed = observe_any(&fleet, environment, Terms::default(), context.events).await?;
        let release = self.release.map(Number);
        let containers = containers(&fleet, &observed, &recipes, release);
        if containers.is_empty() {
            return Err(nothing(
                context,
                &recipes,
                release,
                &observed.unread(&hosts),
            ));
        }
        let shown = Shown {
            grep: self.grep.clone(),
            timestamps: self.timestamps,
        };
        let range = self.range();
        if self.follow {
            let names: Vec<_> = recipes.iter().map(|recipe| recipe.name.clone()).collect();
            let following = fleet.hosts().iter().map(|reached| Following {
                context,
                reached,
                recipes: names.clone(),
                first: of_host(&containers, reached.name()),
                range: range.clone(),
                shown: &shown,
                only_first: release.is_some(),
            });
            let following: Vec<_> = following.collect();
            let away = hosts.iter().filter(|host| {
                // A release that was named has no containers but those of now.
                release.is_none() && fleet.host(&host.name).is_none()
            });
            let late: Vec<_> = away
                .map(|host| Late {
                    context,
                    host,
                    recipes: &names,
                    range: &range,
                    shown: &shown,
                    every: EVERY,
                })
                .collect();
            let all = join_all(following.iter().map(Following::follow));
            let late = join_all(late.iter().map(Late::follow));
            let mut interrupts = context.interrupts.clone();
            tokio::select! {
                _ = futures::future::join(all, late) => {}
                _ = interrupts.next() => {}
            }
        } else {
            let showing = async {
                let mut failed = None;
                // One that cannot be read keeps nobody from seeing the others.
                for container in &containers {
                    let result = show(context, container, &range, &shown).await;
                    failed = failed.or(result.err());
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

fn of_host<'a>(containers: &[OnHost<'a>], host: &HostName) -> Vec<OnHost<'a>> {
    let of_host = containers.iter().filter(|it| it.reached.name() == host);
    of_host.cloned().collect()
}

/// The error where no container was found.
#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
fn nothing(
    context: &Context<'_>,
    recipes: &[&Recipe],
    release: Option<Number>,
    unread: &[&HostName],
) -> Box<Stop> {
    let of = release.map_or_else(String::new, |number| format!(" of {number}"));
    let names = text::list(recipes.iter().map(|recipe| &recipe.name));
    let message = no_container(&format!("{of} of {names}"), unread);
    Stop::new(Outcome::Failed, message).hint(format!(
        "`shipit history {0}` and `shipit status {0}` show what there is",
        context.environment.name
    ))
}

async fn show(
    context: &Context<'_>,
    container: &OnHost<'_>,
    range: &LogRange,
    shown: &Shown,
) -> Run<()> {
    let OnHost { reached, name, .. } = container;
    let command = docker::container_logs(name, range);
    let typed = hosts::short(&command);
    let host = reached.name().to_string();
    let on_line = |stream: OutputStream, line: &str| {
        let line = if range.timestamps {
            shown.line(line)
        } else {
            shown.plain(line)
        };
        let sent = line.map(|line| {
            let name = Some(name.clone());
            context.events.output_of(host.clone(), name, stream, line)
        });
        async move {
            if let Some(sent) = sent {
                sent.await;
            }
        }
    };
    let result = match each_line(reached, command, Deadline::Idle(QUICK), on_line).await {
        Ok((0, _)) => Ok(()),
        Ok((status, last)) => {
            let output = Output {
                status,
                stdout: String::new(),
                stderr: last.join("\n"),
            };
            Err(hosts::failed(typed, &output))
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
