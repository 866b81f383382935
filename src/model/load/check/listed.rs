//! Whether balancers whose list is written can know a recipe's containers by their ports.

use crate::{
    config::recipe::Recipe as Raw,
    diagnostic::{Problem, Problems},
    model::{ContainerSpec, Recipe},
};

/// A container that is in a list needs a port there, and the same one after docker has restarted it.
pub(super) fn check_listed(raw: &Raw, recipe: &Recipe, problems: &mut Problems) {
    let is_told = recipe.drain.as_ref().is_some_and(|drain| drain.is_told);
    let (Some(drain), Some(container)) = (raw.drain.as_ref().filter(|_| is_told), &raw.container)
    else {
        return;
    };
    let specs = || {
        let on = recipe.by_host.values();
        on.filter_map(|on| on.container.as_ref())
    };
    let publishes = |spec: &ContainerSpec| {
        let mut ports = spec.publish.iter();
        spec.publish_all || spec.uses_host_network() || ports.any(|it| it.protocol == "tcp")
    };
    let hint = "`publish = [\"auto:PORT\"]` gives each container a port of its own, which it keeps";
    if !specs().all(publishes) {
        problems.push(
            Problem::error("nothing is published that a balancer could route to")
                .at(&drain.place, "its list has an address and a port")
                .at(&container.place, "publishes no TCP port")
                .hint(hint),
        );
        return;
    }
    let changes = |spec: &ContainerSpec| {
        let mut ports = spec.publish.iter();
        spec.publish_all || ports.any(|it| it.host_port.is_none() && !it.auto)
    };
    let place = container.publish.as_ref().map(|it| &it.place);
    let place = place.or(container.publish_all.place());
    if let Some(place) = place.filter(|_| specs().any(changes)) {
        problems.push(
            Problem::warning("docker gives another port whenever it restarts the container, which the list of its balancer does not know")
                .at(place, "any free port, at each start")
                .hint(hint),
        );
    }
}
