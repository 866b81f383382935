//! What containers have logged, for an error.

use crate::{
    docker,
    hosts::QUICK,
    rollout::{machine::Side, slot::Placement},
};

/// The last `lines` that each container of one side has logged, with its name.
pub async fn last_logs(
    placement: &Placement,
    side: Side,
    lines: u32,
) -> Vec<(String, Vec<String>)> {
    let mut logs = Vec::new();
    for container in placement.containers_of(side).await {
        for name in [&container.name.active, &container.name.retired] {
            let command = docker::container_logs(name, lines);
            let Ok(output) = placement.reached.run(command, QUICK).await else {
                continue;
            };
            if output.status == 0 {
                let lines = output.stdout.lines().map(str::to_owned).collect();
                logs.push((name.clone(), lines));
                break;
            }
        }
    }
    logs
}
