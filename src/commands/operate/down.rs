//! `down`: everything that shipit made in an environment goes.

use crate::{
    docker::{self, Container},
    event::{EventKind, Outcome, Phase, Severity},
    hosts::{HostError, QUICK, Reached, Run, Stop, preflight, progress, row},
    observe::{Observed, observe},
    plan::Scope,
    run::Context,
    state::lock,
    text,
};

/// Asks a question; returns whether the answer is yes.
pub type Confirm = Box<dyn Fn(&str) -> Run<bool> + Send + Sync>;

/// How the question is answered.
pub struct DownRequest {
    /// Asked before anything goes; returns whether it may.
    pub confirm: Confirm,
}

/// Removes every container that shipit made in the environment, the last recipe's first, and its records.
pub async fn down(context: &Context<'_>, request: DownRequest) -> Run<Outcome> {
    let environment = context.environment;
    let fleet = context
        .connect(&context.hosts_of(&Scope::default()))
        .await?;
    preflight::check(&fleet, context.events).await?;
    let lock = lock::take(context, &fleet, "down").await?;
    let observed = observe(&fleet, environment, context.events).await?;
    let containers: usize = observed
        .facts
        .hosts
        .values()
        .map(|facts| facts.containers.len())
        .sum();
    let releases = observed.history.releases().len();
    if containers == 0 && releases == 0 {
        fleet.close().await;
        return Ok(Outcome::NothingToDo);
    }
    let question = format!(
        "Remove {} of `{}` on {}, and the records of {}?",
        text::count(containers, "container"),
        environment.name,
        text::count(fleet.hosts().len(), "host"),
        text::count(releases, "release"),
    );
    let confirm = request.confirm;
    let asking = tokio::task::spawn_blocking(move || confirm(&question));
    let agreed = context
        .interruptible("nothing was removed", async {
            asking.await.unwrap_or(Ok(false))
        })
        .await?;
    if !agreed {
        fleet.close().await;
        context.events.send(EventKind::Note {
            message: "nothing was removed".to_owned(),
        });
        return Ok(Outcome::NothingToDo);
    }
    context.events.send(EventKind::Phase {
        phase: Phase::Deploy,
    });
    let mut failures = Vec::new();
    for group in in_order_of_removal(context, &observed) {
        if context.interrupts.happened() {
            let message = "interrupted; what was not yet removed is still there";
            return Err(Stop::new(Outcome::Interrupted, message)
                .hint(format!("shipit down {}", environment.name)));
        }
        let removed = fleet
            .each(|reached| remove_recipe(context, reached, &observed, group.as_deref()))
            .await;
        failures.extend(
            removed
                .into_iter()
                .filter_map(|(reached, result)| Some((reached.name().clone(), result.err()?))),
        );
    }
    let forgotten = fleet
        .each(|reached| forget(reached, &environment.name))
        .await;
    failures.extend(
        forgotten
            .into_iter()
            .filter_map(|(reached, result)| Some((reached.name().clone(), result.err()?))),
    );
    drop(lock);
    for reached in fleet.hosts() {
        let failed = failures.iter().any(|(host, _)| host == reached.name());
        let (state, severity) = if failed {
            ("needs a hand", Severity::Bad)
        } else {
            ("empty", Severity::Good)
        };
        context.events.send(EventKind::HostState {
            row: row(reached.name(), state, severity),
        });
    }
    fleet.close().await;
    if failures.is_empty() {
        return Ok(Outcome::Done);
    }
    let names = text::list(failures.iter().map(|(host, _)| host));
    Err(Stop::on_hosts(
        Outcome::Failed,
        format!("not everything could be removed on {names}"),
        &failures,
    )
    .hint(format!("shipit down {}", environment.name)))
}

/// What others need goes last: the recipes from the last to the first, before them (`None`) the containers
/// of recipes that the files no longer have.
fn in_order_of_removal(context: &Context<'_>, observed: &Observed) -> Vec<Option<String>> {
    let known: Vec<_> = context
        .environment
        .recipes
        .iter()
        .map(|recipe| recipe.name.to_string())
        .collect();
    let orphan = observed
        .facts
        .hosts
        .values()
        .flat_map(|facts| &facts.containers)
        .any(|container| {
            container
                .identity()
                .is_none_or(|identity| !known.contains(&identity.recipe))
        });
    let orphans = orphan.then_some(None);
    orphans
        .into_iter()
        .chain(known.into_iter().rev().map(Some))
        .collect()
}

async fn remove_recipe(
    context: &Context<'_>,
    reached: &Reached,
    observed: &Observed,
    recipe: Option<&str>,
) -> Result<(), HostError> {
    let environment = context.environment;
    let facts = observed.facts.hosts.get(reached.name());
    let belongs = |container: &&Container| {
        let of = container.identity().map(|identity| identity.recipe);
        match recipe {
            Some(recipe) => of.as_deref() == Some(recipe),
            None => of.is_none_or(|of| environment.recipe(&of).is_none()),
        }
    };
    for container in facts
        .map(|facts| facts.containers.as_slice())
        .unwrap_or_default()
        .iter()
        .filter(belongs)
    {
        let work = async {
            if container.state.running {
                reached
                    .expect(
                        docker::stop(&container.name),
                        container.stop_timeout + QUICK,
                    )
                    .await?;
            }
            reached.expect(docker::remove(&container.name), QUICK).await
        };
        let step = format!("remove {}", container.name);
        progress::tell(context.events, reached.name(), recipe, &step, work, |_| {
            None
        })
        .await?;
    }
    Ok(())
}

/// Removes the records. A lasting lock stays: it was placed on purpose.
async fn forget(reached: &Reached, environment: &str) -> Result<(), HostError> {
    let volumes = reached
        .read(docker::inspect_volumes(environment), docker::parse_volumes)
        .await?;
    let records: Vec<_> = volumes
        .iter()
        .filter(|volume| volume.labels.contains_key(docker::label::RECORD))
        .map(|volume| volume.name.as_str())
        .collect();
    if records.is_empty() {
        return Ok(());
    }
    reached
        .expect(docker::volume_remove(&records), QUICK)
        .await
        .map(|_| ())
}
