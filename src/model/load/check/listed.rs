//! Whether balancers whose list is written can know a recipe's containers by their ports.

use crate::{
    config::recipe::{ContainerSection, Recipe as Raw},
    diagnostic::{Located, Place, Problem, Problems},
    model::{ContainerSpec, Recipe},
};

/// A container that is in a list needs a port there.
pub(super) fn check_listed(raw: &Raw, recipe: &Recipe, problems: &mut Problems) {
    let is_told = recipe.drain.as_ref().is_some_and(|drain| drain.is_told);
    let (Some(drain), Some(container)) = (raw.drain.as_ref().filter(|_| is_told), &raw.container)
    else {
        return;
    };
    let what = ("its list", "the list of its balancer");
    check_ports(&drain.place, container, recipe, what, problems);
}

/// What knows a container by its address and port needs such a port, and the same one after docker has restarted it.
/// `what` is that, at its place and in a sentence.
pub(super) fn check_ports(
    place: &Place,
    container: &Located<ContainerSection>,
    recipe: &Recipe,
    (what, knower): (&str, &str),
    problems: &mut Problems,
) {
    let specs = || recipe.containers();
    let publishes = |spec: &ContainerSpec| {
        let mut ports = spec.publish.iter();
        spec.publish_all || spec.uses_host_network() || ports.any(|it| it.protocol == "tcp")
    };
    let hint = "`publish = [\"auto:PORT\"]` gives each container a port of its own, which it keeps";
    if !specs().all(publishes) {
        problems.push(
            Problem::error("nothing is published that a balancer could route to")
                .at(place, format!("{what} has an address and a port"))
                .at(&container.place, "publishes no TCP port")
                .hint(hint),
        );
        return;
    }
    let changes = |spec: &ContainerSpec| {
        let mut ports = spec.publish.iter();
        spec.publish_all || ports.any(|it| it.host_port.is_none() && !it.auto)
    };
    let written = container.publish.as_ref().map(|it| &it.place);
    let written = written.or(container.publish_all.place());
    if let Some(written) = written.filter(|_| specs().any(changes)) {
        problems.push(
            Problem::warning(format!(
                "docker gives another port whenever it restarts the container, which {knower} does not know"
            ))
                .at(written, "any free port, at each start")
                .hint(hint),
        );
    }
}
