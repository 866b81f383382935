//! Which container a console opens in.

use crate::{
    docker::{self, Container},
    event::{EventKind, Outcome},
    hosts::{Fleet, Reached, Run, Stop},
    model::Name,
    run::Context,
    text,
};

/// A container that runs, and its host.
pub struct Chosen {
    /// The host.
    pub reached: Reached,
    /// The container.
    pub container: Container,
}

/// The newest container of a recipe that runs on one of the hosts: of the newest release, and of those the one that
/// started last. `instance` takes one of several on a host.
pub async fn choose(
    context: &Context<'_>,
    fleet: &Fleet,
    recipe: &Name,
    instance: Option<u16>,
) -> Run<Chosen> {
    let environment = &context.environment.name;
    let read = fleet.each(|reached| {
        reached.read(
            docker::list_containers(environment),
            docker::parse_containers,
        )
    });
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for (reached, containers) in read.await {
        match containers {
            Ok(containers) => {
                let containers = containers.into_iter();
                let of_recipe = containers.filter_map(|it| {
                    let identity = it.identity()?;
                    let is_meant = *identity.recipe == **recipe
                        && instance.is_none_or(|instance| instance == identity.instance);
                    (is_meant && it.state.is_up()).then_some((identity.release, it))
                });
                found.extend(of_recipe.map(|(release, it)| (release, reached.clone(), it)));
            }
            Err(error) => failures.push((reached.name().clone(), error)),
        }
    }
    let newest = found.into_iter().max_by(|(one, _, a), (other, _, b)| {
        one.cmp(other)
            .then_with(|| a.state.started_at.cmp(&b.state.started_at))
    });
    let hosts = text::list(fleet.hosts().iter().map(Reached::name));
    match newest {
        Some((_, reached, container)) => {
            for (host, error) in &failures {
                context.events.send(EventKind::Warning {
                    host: Some(host.to_string()),
                    message: format!("left out: {}", text::chain(error).join(": ")),
                    hint: error.hint(),
                });
            }
            Ok(Chosen { reached, container })
        }
        None if failures.is_empty() => {
            let which = instance.map_or_else(String::new, |number| format!(" (instance {number})"));
            let message = format!("no container of `{recipe}`{which} runs on {hosts}");
            Err(Stop::not_ready(message).hint(format!("shipit status {environment}")))
        }
        None => {
            let message = format!("cannot read what runs on {hosts}");
            Err(Stop::on_hosts(Outcome::NotReady, message, &failures))
        }
    }
}
