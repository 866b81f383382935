//! The step `Start`: a container runs under its serving name and is not kept out of traffic.

use std::time::Duration;

use super::{
    names::{free_name, take_serving_name},
    outlast::outlast_a_stop,
    traffic::put_back,
};
use crate::{
    docker::{self, Identity},
    hosts::{HostError, QUICK},
    plan::{ContainerName, Incoming},
    rollout::{machine::Side, slot::Placement},
};

/// The longest that `docker run` may take: the image is there, so it makes and starts a container.
const RUN: Duration = Duration::from_secs(120);

/// Starts the new container: made if it is not there yet, also by a try of this very step that was cut off.
pub(super) async fn start_new(placement: &Placement) -> Result<(), HostError> {
    let Some(incoming) = &placement.plan.incoming else {
        return Ok(());
    };
    let there = placement.inspect(&incoming.name.active).await?;
    let there = there.filter(|there| placement.is_incoming(there));
    if incoming.exists || there.is_some() {
        start_all(placement, Side::New).await?;
    } else {
        free_name(placement, &incoming.name.active).await?;
        make(placement, incoming).await?;
    }
    into_traffic(placement, Side::New).await
}

/// Sees that the containers of one side run still and are in traffic; starts those that have stopped.
pub(super) async fn resume(placement: &Placement, side: Side) -> Result<(), HostError> {
    for container in placement.containers_of(side).await {
        let there = placement.current(&container).await?;
        if !there.is_some_and(|there| there.state.is_up()) {
            start(placement, &container.name, &container.restart_policy).await?;
        }
    }
    into_traffic(placement, side).await
}

/// Starts the old containers again.
pub(super) async fn start_old(placement: &Placement) -> Result<(), HostError> {
    // A stop whose answer was lost may be under way still.
    if placement.stop_was_asked(Side::Old) {
        outlast_a_stop(placement, Side::Old).await?;
    }
    start_all(placement, Side::Old).await?;
    into_traffic(placement, Side::Old).await
}

/// Puts what was started into traffic, under the ports that it has now.
async fn into_traffic(placement: &Placement, side: Side) -> Result<(), HostError> {
    placement.inspect_again(side).await?;
    put_back(placement, side).await
}

/// Makes and starts the container. A try whose connection was lost may still be at it: docker goes on without us,
/// and refuses the name to a second one.
async fn make(placement: &Placement, incoming: &Incoming) -> Result<(), HostError> {
    match run(placement, incoming).await {
        Err(error) if is_name_taken(&error) => {
            let there = placement.inspect(&incoming.name.active).await?;
            if there.is_some_and(|there| placement.is_incoming(&there)) {
                start_all(placement, Side::New).await
            } else {
                Err(error)
            }
        }
        result => result,
    }
}

fn is_name_taken(error: &HostError) -> bool {
    let mut lines = error.output().iter();
    lines.any(|line| line.contains("is already in use by"))
}

async fn run(placement: &Placement, incoming: &Incoming) -> Result<(), HostError> {
    let context = &placement.context;
    let identity = Identity {
        environment: context.environment.clone(),
        preview_of: context.preview_of.clone(),
        recipe: context.recipe.name.to_string(),
        release: context.release.0,
        instance: placement.plan.instance,
        spec: incoming.hash.clone(),
    };
    let desired = &incoming.desired;
    let command = docker::run(
        &desired.spec,
        &incoming.name.active,
        &desired.image,
        &identity,
        &desired.secrets,
    );
    placement.reached.expect(command, RUN).await.map(|_| ())
}

async fn start_all(placement: &Placement, side: Side) -> Result<(), HostError> {
    for container in placement.containers_of(side).await {
        start(placement, &container.name, &container.restart_policy).await?;
    }
    Ok(())
}

/// Starts a container that is there, under its serving name and with the restart policy that it has while it
/// serves.
async fn start(
    placement: &Placement,
    name: &ContainerName,
    restart_policy: &str,
) -> Result<(), HostError> {
    take_serving_name(placement, name).await?;
    let reached = &placement.reached;
    reached
        .expect(docker::set_restart(&name.active, restart_policy), QUICK)
        .await?;
    reached
        .expect(docker::start(&name.active), RUN)
        .await
        .map(|_| ())
}
