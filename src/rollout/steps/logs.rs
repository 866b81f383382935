//! What containers have logged, for an error.

use crate::{
    docker::{self, LogRange},
    hosts::{QUICK, last_lines},
    rollout::{machine::Side, slot::Placement},
};

/// The last `lines` that each container of one side has logged, with its name.
pub async fn last_logs(
    placement: &Placement,
    side: Side,
    lines: u32,
) -> Vec<(String, Vec<String>)> {
    let most = usize::try_from(lines).unwrap_or(usize::MAX);
    let range = LogRange {
        tail: Some(lines.into()),
        ..LogRange::default()
    };
    let mut logs = Vec::new();
    for container in placement.containers_of(side).await {
        for name in [&container.name.active, &container.name.retired] {
            let command = docker::container_logs(name, &range);
            if let Ok((0, last)) = last_lines(&placement.reached, command, most, QUICK).await {
                logs.push((name.clone(), last));
                break;
            }
        }
    }
    logs
}
