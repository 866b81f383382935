//! The step `Start`: a container runs under its serving name and is not kept out of traffic.

use super::{
    make::{Made, RUN, make},
    names::{free_name, take_serving_name},
    outlast::outlast_a_stop,
    traffic::{hold, put_back},
};
use crate::{
    docker,
    hosts::{HostError, QUICK},
    plan::ContainerName,
    rollout::{machine::Side, slot::Placement},
};

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
        if make(placement, incoming).await? == Made::Before {
            start_all(placement, Side::New).await?;
        }
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

/// Puts what was started into traffic, under the ports that it has now; where it waits for the switch, it stays out.
async fn into_traffic(placement: &Placement, side: Side) -> Result<(), HostError> {
    placement.inspect_again(side).await?;
    if placement.is_held(side) {
        hold(placement, side).await?;
    } else if !placement.waits_for_switch(side) {
        put_back(placement, side).await?;
    }
    tell_of_all(placement, side).await
}

/// Tells a balancer that has just started, and is told by commands, of every container that requests may go to.
async fn tell_of_all(placement: &Placement, side: Side) -> Result<(), HostError> {
    for container in placement.containers_of(side).await {
        let Some(target) = placement.command_target(&container.name.active) else {
            continue;
        };
        for backend in placement.context.lists.active(target.recipes()).await {
            target.add_once_it_answers(&backend).await?;
        }
    }
    Ok(())
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
    give_list(placement, &name.active).await?;
    let reached = &placement.reached;
    reached
        .expect(docker::set_restart(&name.active, restart_policy), QUICK)
        .await?;
    reached
        .expect(docker::start(&name.active), RUN)
        .await
        .map(|_| ())
}

/// Gives a balancer its list of backends, if it has one: as it finds it when it starts, or where it runs already, as it
/// is told of it.
async fn give_list(placement: &Placement, container: &str) -> Result<(), HostError> {
    let Some(target) = placement.list_target(container) else {
        return Ok(());
    };
    let lists = &placement.context.lists;
    let there = placement.inspect(container).await?;
    if there.is_some_and(|there| there.state.running) {
        lists.write(&target).await
    } else {
        lists.place(&target).await
    }
}
