//! The step `Retire`: a stopped container is kept for a rollback.

use crate::{
    docker,
    hosts::{HostError, QUICK},
    plan::ContainerName,
    rollout::{machine::Side, slot::Placement},
};

/// Keeps the containers of one side: not restarted by docker, and under the name that is their release's own.
pub(super) async fn retire(placement: &Placement, side: Side) -> Result<(), HostError> {
    for container in placement.containers_of(side).await {
        let ContainerName { active, retired } = &container.name;
        let Some(name) = placement.current(&container).await?.map(|there| there.name) else {
            continue;
        };
        placement
            .reached
            .expect(docker::set_restart(&name, "no"), QUICK)
            .await?;
        if name == *active && active != retired {
            placement
                .reached
                .expect(docker::rename(active, retired), QUICK)
                .await?;
        }
    }
    Ok(())
}
