//! Making a container: a part of the step `Start`.

use std::{collections::BTreeSet, time::Duration};

use super::ports::{give_ports, is_port_taken};
use crate::{
    docker::{self, Identity},
    hosts::{HostError, QUICK},
    model::ContainerSpec,
    plan::Incoming,
    rollout::slot::Placement,
};

/// The longest that docker may take to make and start a container whose image is there.
pub(super) const RUN: Duration = Duration::from_secs(120);

/// How many ports a container is tried with before the host has none that is free.
const MOST_TRIES: usize = 20;

/// Whether a container was made and started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// It was, just now.
    Now,
    /// It was made before, by a try of this very step; it is to be started.
    Before,
}

/// Makes and starts the container. A try whose connection was lost may still be at it: docker goes on without us,
/// and refuses the name to a second one.
pub(super) async fn make(placement: &Placement, incoming: &Incoming) -> Result<Made, HostError> {
    match with_free_ports(placement, incoming).await {
        Err(error) if is_name_taken(&error) => {
            let there = placement.inspect(&incoming.name.active).await?;
            if there.is_some_and(|there| placement.is_incoming(&there)) {
                Ok(Made::Before)
            } else {
                Err(error)
            }
        }
        result => result.map(|()| Made::Now),
    }
}

fn is_name_taken(error: &HostError) -> bool {
    let mut lines = error.output().iter();
    lines.any(|line| line.contains("is already in use by"))
}

/// Tries one port after the other, where it is for us to choose: whether one is free, docker knows when it binds it.
async fn with_free_ports(placement: &Placement, incoming: &Incoming) -> Result<(), HostError> {
    let spec = &incoming.desired.spec;
    if !spec.publish.iter().any(|publish| publish.auto) {
        return run(placement, incoming, spec).await;
    }
    let mut tried = BTreeSet::new();
    loop {
        let given = give_ports(placement, incoming, &mut tried).await?;
        match run(placement, incoming, &given).await {
            Err(error) if is_port_taken(&error) && tried.len() < MOST_TRIES => {
                // Docker has made it, and could not start it.
                let name = &incoming.name.active;
                let there = placement.inspect(name).await?;
                if there.is_some_and(|there| placement.is_incoming(&there)) {
                    let remove = docker::remove(name);
                    placement.reached.expect(remove, QUICK).await?;
                }
            }
            result => return result,
        }
    }
}

async fn run(
    placement: &Placement,
    incoming: &Incoming,
    spec: &ContainerSpec,
) -> Result<(), HostError> {
    let context = &placement.context;
    let identity = Identity {
        environment: context.environment.clone(),
        preview_of: context.preview_of.clone(),
        recipe: context.recipe.name.to_string(),
        release: context.release.0,
        instance: placement.plan.instance,
        spec: incoming.hash.clone(),
    };
    let (name, desired) = (&incoming.name.active, &incoming.desired);
    let (image, secrets) = (&desired.image, &desired.secrets);
    let reached = &placement.reached;
    let Some(target) = placement.list_target(name) else {
        let run = docker::run(spec, name, image, &identity, secrets);
        return reached.expect(run, RUN).await.map(|_| ());
    };
    // A balancer finds its list when it starts: not for a moment does it route to nothing.
    let create = docker::create(spec, name, image, &identity, secrets);
    reached.expect(create, RUN).await?;
    context.lists.place(&target).await?;
    reached.expect(docker::start(name), RUN).await.map(|_| ())
}
