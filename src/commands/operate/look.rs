//! `status`, `history` and `logs`: they change nothing and work with as many hosts as answer.

use jiff::Timestamp;

use crate::{
    docker::{self, Container},
    event::{EventKind, HostRow, Outcome, OutputStream, Severity},
    hosts::{QUICK, Reached, Run, Stop},
    model::{HostName, Name},
    observe::observe,
    plan::Scope,
    release::{Action, Number},
    run::Context,
    state::lasting_lock::read_hold,
};

/// What every host runs of every recipe.
pub async fn status(context: &Context<'_>) -> Run<Outcome> {
    let environment = context.environment;
    let fleet = context
        .connect_to_any(&context.hosts_of(&Scope::default()))
        .await?;
    let observed = observe(&fleet, environment, context.events).await?;
    for reached in fleet.hosts() {
        let Some(facts) = observed.facts.hosts.get(reached.name()) else {
            continue;
        };
        for recipe in environment
            .recipes
            .iter()
            .filter(|recipe| recipe.has_container())
        {
            let wanted = recipe
                .on
                .get(reached.name())
                .map_or(0, |on| usize::from(on.instances));
            let containers = facts.of_recipe(&recipe.name);
            let running: Vec<_> = containers
                .iter()
                .copied()
                .filter(|container| container.state.running)
                .collect();
            for container in &running {
                context.events.send(EventKind::HostState {
                    row: running_row(reached, &recipe.name, container),
                });
            }
            for _ in running.len()..wanted {
                // The one that ended last: of a newer release there may be one that was taken back before.
                let stopped = containers.iter().filter(|it| !it.state.running);
                let last = stopped
                    .max_by(|one, other| one.state.finished_at.cmp(&other.state.finished_at));
                context.events.send(EventKind::HostState {
                    row: missing_row(reached, &recipe.name, last.copied()),
                });
            }
        }
    }
    if let Some(reached) = fleet.host(&environment.lock_host().name)
        && let Ok(Some(hold)) = read_hold(reached, &environment.name).await
    {
        let message = format!(
            "locked by {} since {}: {}",
            hold.by,
            hold.at.strftime("%Y-%m-%d %H:%M UTC"),
            hold.message
        );
        let hint = Some(format!("shipit unlock {}", environment.name));
        context.events.send(EventKind::Warning {
            host: None,
            message,
            hint,
        });
    }
    fleet.close().await;
    Ok(Outcome::NothingToDo)
}

fn release_of(container: &Container) -> Option<String> {
    container
        .identity()
        .map(|identity| Number(identity.release).to_string())
}

fn running_row(reached: &Reached, recipe: &Name, container: &Container) -> HostRow {
    let up = container.state.is_up();
    let since = container.state.started_at.parse::<Timestamp>().ok();
    let since = since
        .map(|at| format!(" since {}", at.strftime("%Y-%m-%d %H:%M UTC")))
        .unwrap_or_default();
    let ports = container.tcp_host_ports();
    let address = ports
        .first()
        .map(|port| format!("{}:{port} ", reached.host.address))
        .unwrap_or_default();
    HostRow {
        host: reached.name().to_string(),
        recipe: Some(recipe.to_string()),
        release: release_of(container),
        state: if up {
            format!("running{since}")
        } else {
            "restarting over and over".to_owned()
        },
        detail: Some(format!("{address}{} {}", container.name, container.image)),
        severity: if up { Severity::Good } else { Severity::Bad },
    }
}

fn missing_row(reached: &Reached, recipe: &Name, stopped: Option<&Container>) -> HostRow {
    HostRow {
        host: reached.name().to_string(),
        recipe: Some(recipe.to_string()),
        release: stopped.and_then(release_of),
        state: stopped.map_or_else(
            || "not there".to_owned(),
            |container| {
                format!(
                    "{} with {}",
                    container.state.status, container.state.exit_code
                )
            },
        ),
        detail: stopped.map(|container| container.name.clone()),
        severity: Severity::Bad,
    }
}

/// The newest releases, newest first.
pub async fn history(context: &Context<'_>, number: usize) -> Run<Outcome> {
    let fleet = context
        .connect_to_any(&context.hosts_of(&Scope::default()))
        .await?;
    let observed = observe(&fleet, context.environment, context.events).await?;
    let releases = observed.history.releases();
    if releases.is_empty() {
        let message = format!("`{}` has no release yet", context.environment.name);
        context.events.send(EventKind::Note { message });
    }
    let mut lines = vec![format!(
        "{:<8}{:<13}{:<22}{:<24}{:<16}WHAT",
        "RELEASE", "OUTCOME", "WHEN (UTC)", "BY", "REVISION"
    )];
    for release in releases.iter().rev().take(number) {
        let what = match release.action {
            Action::Deploy => "deploy".to_owned(),
            Action::RollbackTo(target) => format!("rollback to {target}"),
        };
        lines.push(format!(
            "{:<8}{:<13}{:<22}{:<24}{:<16}{what}",
            release.number,
            release.outcome,
            release.started.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            release.by,
            release.revision.as_deref().unwrap_or("-"),
        ));
    }
    if lines.len() > 1 {
        context.events.send(EventKind::Result { lines });
    }
    fleet.close().await;
    Ok(Outcome::NothingToDo)
}

/// Whose logs are wanted.
pub struct LogsRequest {
    /// The recipe.
    pub recipe: Name,
    /// Of this release; of what runs when absent.
    pub release: Option<Number>,
    /// Only of these hosts; all of the recipe's when empty.
    pub hosts: Vec<HostName>,
    /// How many lines of each container.
    pub lines: u32,
    /// Whether to go on with new ones.
    pub follow: bool,
}

/// Shows the logs of a recipe's containers.
pub async fn logs(context: &Context<'_>, request: LogsRequest) -> Run<Outcome> {
    let environment = context.environment;
    let Some(recipe) = environment.recipe(&request.recipe) else {
        return Ok(Outcome::NothingToDo);
    };
    let hosts: Vec<_> = environment
        .hosts
        .iter()
        .filter(|host| recipe.hosts.contains(&host.name))
        .filter(|host| request.hosts.is_empty() || request.hosts.contains(&host.name))
        .collect();
    let fleet = context.connect_to_any(&hosts).await?;
    let observed = observe(&fleet, environment, context.events).await?;
    let mut wanted = Vec::new();
    for reached in fleet.hosts() {
        let Some(facts) = observed.facts.hosts.get(reached.name()) else {
            continue;
        };
        let containers = facts.of_recipe(&recipe.name);
        let found: Vec<_> = if let Some(number) = request.release {
            let record = observed.history.record(reached.name(), number);
            let recorded = record.and_then(|record| record.recipes.get(&*recipe.name));
            let recorded = recorded.map(|recipe| recipe.hash.clone());
            containers
                .iter()
                .filter(|container| is_of_release(container, recorded.as_deref(), number))
                .collect()
        } else {
            let running: Vec<_> = containers
                .iter()
                .filter(|container| container.state.running)
                .collect();
            if running.is_empty() {
                containers.iter().take(1).collect()
            } else {
                running
            }
        };
        wanted.extend(
            found
                .into_iter()
                .map(|container| (reached, container.name.clone())),
        );
    }
    if wanted.is_empty() {
        let of = request
            .release
            .map(|number| format!(" of {number}"))
            .unwrap_or_default();
        return Err(Stop::new(
            Outcome::Failed,
            format!("no host has a container{of} of `{}`", recipe.name),
        )
        .hint(format!(
            "`shipit history {0}` and `shipit status {0}` show what there is",
            environment.name
        )));
    }
    if request.follow {
        follow(context, &wanted, request.lines).await;
    } else {
        for (reached, name) in &wanted {
            show(context, reached, name, request.lines).await?;
        }
    }
    fleet.close().await;
    Ok(Outcome::NothingToDo)
}

/// Whether a container was made by a release, or is what that release ran again.
fn is_of_release(container: &Container, recorded: Option<&str>, number: Number) -> bool {
    container.identity().is_some_and(|identity| {
        identity.release == number.0 || Some(identity.spec.as_str()) == recorded
    })
}

async fn show(context: &Context<'_>, reached: &Reached, name: &str, lines: u32) -> Run<()> {
    let text = reached
        .expect(docker::container_logs(name, lines), QUICK)
        .await
        .map_err(|error| {
            Stop::on_host(
                Outcome::Failed,
                format!("cannot read the logs of `{name}`"),
                reached.name(),
                &error,
            )
        })?;
    for line in text.lines() {
        let (host, line) = (reached.name().to_string(), line.to_owned());
        context.events.send(EventKind::Output {
            host,
            stream: OutputStream::Stdout,
            line,
        });
    }
    Ok(())
}

/// Shows new lines as they come, until the user has enough or every container has ended.
async fn follow(context: &Context<'_>, wanted: &[(&Reached, String)], lines: u32) {
    /// Following has no end of its own; a day is more than anyone looks.
    const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
    let following = wanted.iter().map(|(reached, name)| async move {
        let command = docker::container_logs_follow(name, lines);
        if let Err(error) = crate::tasks::stream(reached, command, DAY, context.events).await {
            let message = format!(
                "the logs of `{name}` broke off: {}",
                crate::text::chain(&error).join(": ")
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
