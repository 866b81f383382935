//! Whether what the slot's recipe requires runs on its host: without it the checks that rest on it cannot come true.

use std::collections::BTreeSet;

use super::observation::never;
use crate::{
    docker,
    rollout::{machine::Observation, slot::Placement},
};

/// Names a required recipe of which docker says that nothing runs on the slot's host. Asked when a check found
/// nothing, as that is the better reason.
pub(super) async fn what_is_down(placement: &Placement) -> Option<Observation> {
    let context = &placement.context;
    let host = placement.reached.name();
    let mut required = context.required.iter().filter(|it| it.hosts.contains(host));
    required.clone().next()?;
    let mut containers = Vec::new();
    let environments: BTreeSet<_> = required.clone().map(|it| &it.environment).collect();
    for environment in environments {
        let command = docker::list_containers(environment);
        let read = placement.reached.read(command, docker::parse_containers);
        containers.extend(read.await.ok()?);
    }
    let down = required.find(|required| {
        let runs = |container: &docker::Container| {
            let is_of = container.identity().is_some_and(|it| {
                *it.recipe == *required.name && *it.environment == *required.environment
            });
            is_of && container.state.running
        };
        !containers.iter().any(runs)
    })?;
    Some(never(format!(
        "`{}`, which `{}` requires, does not run on `{host}`; `shipit deploy {}` starts it",
        down.name, context.recipe.name, down.environment
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::{
        machine::Verdict,
        testing::{FakeHost, TestSlot},
    };

    async fn down(host: FakeHost) -> Option<Observation> {
        let mut slot = TestSlot::new("", vec![host.behaviour()]).await;
        slot.requires("consul");
        slot.requires("registrator");
        what_is_down(&slot.placement).await
    }

    #[tokio::test]
    async fn what_a_recipe_requires_is_named_when_it_does_not_run() {
        let host = || {
            FakeHost::default()
                .has("web-r2", true)
                .has("consul-r1", true)
        };
        for host in [host(), host().has("registrator-r1", false)] {
            let seen = down(host).await.expect("one is down");
            assert_eq!(seen.verdict, Verdict::Never);
            let told = "`registrator`, which `web` requires, does not run on `host-1`; `shipit deploy staging` starts it";
            assert_eq!(seen.detail, told);
        }
        let all = host()
            .has("registrator-r1", false)
            .has("registrator-r2", true);
        assert_eq!(down(all).await, None);
    }
}
