//! What balancers have that are told of their backends.

use std::collections::BTreeMap;

use crate::{
    command::RemoteCommand,
    docker,
    facts::{HostFacts, backends},
    hosts::{HostError, QUICK, Reached},
    model::{BalancerView, Environment, LateValues, Name, TemplateError},
};

/// Reads what a balancer has that is told of its backends; `None` for one that learns of them by itself, or cannot say.
fn what_it_has(
    balancer: &BalancerView,
    container: Option<&str>,
    image: String,
) -> Result<Option<RemoteCommand>, TemplateError> {
    if let Some(file) = &balancer.backends {
        return Ok(Some(docker::read_file(container, &file.to)));
    }
    let (Some(_), Some(upstreams)) = (&balancer.commands, &balancer.upstreams) else {
        return Ok(None);
    };
    let late = LateValues {
        release: String::new(),
        container: container.unwrap_or_default().to_owned(),
        image,
    };
    Ok(Some(RemoteCommand::shell(upstreams.render(&late)?)))
}

/// What the balancers of this host have, by the recipe and the container; without a container the host's own. One that
/// cannot be read is left out: a file is then written anew.
pub(super) async fn read(
    reached: &Reached,
    environment: &Environment,
    facts: &HostFacts,
) -> Result<BTreeMap<(Name, Option<String>), String>, HostError> {
    let mut lists = BTreeMap::new();
    for recipe in &environment.recipes {
        let on = recipe.by_host.get(reached.name());
        let Some(balancer) = on.and_then(|on| on.balancer.as_ref()) else {
            continue;
        };
        let on_host = match &balancer.backends {
            Some(file) => file.on_host,
            None => !balancer.in_container,
        };
        for container in backends::containers(facts, &recipe.name, on_host) {
            let mut all = facts.containers.iter();
            let found = all.find(|found| Some(&found.name) == container.as_ref());
            let image = found.map(|found| found.image.clone()).unwrap_or_default();
            let read = what_it_has(balancer, container.as_deref(), image);
            let read = read.map_err(|error| HostError::Fact(error.to_string()))?;
            let Some(read) = read else { continue };
            let output = reached.run(read, QUICK).await?;
            if output.status == 0 {
                lists.insert((recipe.name.clone(), container), output.stdout);
            }
        }
    }
    Ok(lists)
}
