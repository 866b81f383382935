//! The ports of a host that containers get which publish `auto:PORT`.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    ops::RangeInclusive,
};

use crate::{
    docker,
    facts::ports::{parse_listening, read_sockets},
    hosts::{HostError, QUICK},
    model::ContainerSpec,
    plan::Incoming,
    rollout::slot::Placement,
};

/// What is to run, with a port of the host in the place of each `auto`: one that no container has, running or kept, that
/// nothing listens on, and that was not tried. Adds them to those that were `tried`.
pub(super) async fn give_ports(
    placement: &Placement,
    incoming: &Incoming,
    tried: &mut BTreeSet<u16>,
) -> Result<ContainerSpec, HostError> {
    let reached = &placement.reached;
    let listed = reached
        .expect_of_those_there(docker::list_ports(), QUICK)
        .await?;
    let sockets = reached.run(read_sockets(), QUICK).await?;
    let mut taken: BTreeSet<u16> = listed
        .lines()
        .filter_map(|it| it.trim().parse().ok())
        .collect();
    let listening = parse_listening(&sockets.stdout);
    taken.extend(listening.iter().map(|it| *it.ports.start()));
    let range = &placement.context.ports;
    let start = start(range, &placement.context.environment, &incoming.name.active);
    let mut spec = incoming.desired.spec.clone();
    for publish in spec.publish.iter_mut().filter(|publish| publish.auto) {
        let free = from(range, start).find(|port| !taken.contains(port) && !tried.contains(port));
        let Some(port) = free else {
            return Err(HostError::Fact(format!(
                "no port of {}-{} is free; `range` under [ports] in the inventory gives more",
                range.start(),
                range.end()
            )));
        };
        tried.insert(port);
        (publish.host_port, publish.auto) = (Some(port), false);
    }
    Ok(spec)
}

/// Whether docker could not start a container because somebody else was faster to take its port.
pub(super) fn is_port_taken(error: &HostError) -> bool {
    let mut lines = error.output().iter();
    lines.any(|line| {
        line.contains("port is already allocated") || line.contains("address already in use")
    })
}

/// Where the search for a free port begins: at another place for each container. A port that was just given up is then
/// not taken at once by another app, which whoever still routes there would reach; and deploys of several
/// environments are not after the same one.
fn start(range: &RangeInclusive<u16>, environment: &str, container: &str) -> u16 {
    let mut hasher = DefaultHasher::new();
    (environment, container).hash(&mut hasher);
    let length = u64::from(range.end() - range.start()) + 1;
    range.start() + u16::try_from(hasher.finish() % length).unwrap_or_default()
}

/// All of a range, beginning in its middle.
fn from(range: &RangeInclusive<u16>, start: u16) -> impl Iterator<Item = u16> {
    (start..=*range.end()).chain(*range.start()..start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_of_the_range_is_tried_once_wherever_the_search_begins() {
        let range = 20000..=20003;
        for container in ["web-r1", "web-r2", "web-r3", "api-r1"] {
            let start = start(&range, "staging", container);
            assert!(range.contains(&start), "{start}");
            let all: Vec<_> = from(&range, start).collect();
            assert_eq!(all[0], start);
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 4);
        }
        assert_eq!(start(&(7..=7), "staging", "web-r1"), 7);
        assert_eq!(from(&(1..=u16::MAX), 1).count(), 65535);
    }
}
