//! The names of containers: each is renamed while it is kept, so that its name is free for the next.

use crate::{
    docker,
    hosts::{HostError, QUICK},
    model::Order,
    plan::ContainerName,
    rollout::slot::Placement,
};

/// Gives a container its serving name, if it has the one under which it was kept.
pub(super) async fn take_serving_name(
    placement: &Placement,
    name: &ContainerName,
) -> Result<(), HostError> {
    if name.active == name.retired || placement.inspect(&name.retired).await?.is_none() {
        return Ok(());
    }
    free_name(placement, &name.active).await?;
    let rename = docker::rename(&name.retired, &name.active);
    placement.reached.expect(rename, QUICK).await.map(|_| ())
}

/// Makes room for a container of this name: one of ours that still has it, stopped, gets the name that
/// is its release's own. (The plan has made sure that nobody else's has it.)
pub(super) async fn free_name(placement: &Placement, name: &str) -> Result<(), HostError> {
    let context = &placement.context;
    let Some(there) = placement.inspect(name).await? else {
        return Ok(());
    };
    let identity = there
        .identity()
        .filter(|identity| identity.environment == context.environment);
    let Some(identity) = identity else {
        return Err(HostError::Fact(format!(
            "a container named `{name}` that does not belong to `{}` appeared meanwhile; the next deploy uses another name",
            context.environment
        )));
    };
    let unique = docker::container_base_name(
        &identity.recipe,
        Order::StartFirst,
        identity.release,
        identity.instance,
    );
    let is_preview = context.preview_of.is_some();
    let own = docker::own_name(&context.environment, is_preview, &unique);
    if there.state.running || unique == name || own == name {
        return Err(HostError::Fact(format!(
            "the container `{name}` is in the way: it is {}",
            there.state.status
        )));
    }
    // Another environment's container of the same recipe and number may have that name.
    let is_free = placement.inspect(&unique).await?.is_none();
    let kept = if is_free && !is_preview { unique } else { own };
    placement
        .reached
        .expect(docker::rename(name, &kept), QUICK)
        .await
        .map(|_| ())
}
