//! Whether a container can be asked what its `[ready]` asks.

use crate::{
    config::recipe::{HttpSection, Recipe as Raw},
    diagnostic::{Place, Problem, Problems},
    model::{ContainerSpec, Recipe},
};

/// Checks that the checks of a recipe can reach its container on every host.
pub(super) fn check_reachable(raw: &Raw, recipe: &Recipe, problems: &mut Problems) {
    let Some(http) = raw.ready.as_ref().and_then(|ready| ready.http.as_ref()) else {
        return;
    };
    for container in recipe
        .by_host
        .values()
        .filter_map(|on| on.container.as_ref())
    {
        check_http(&http.value.0, &http.place, container, problems);
    }
}

/// An HTTP check needs a port that the host can reach.
fn check_http(
    http: &HttpSection,
    place: &Place,
    container: &ContainerSpec,
    problems: &mut Problems,
) {
    if container.uses_host_network() {
        if http.port.is_none() {
            problems.push(
                Problem::error("an HTTP check on the host's network needs its port")
                    .at(place, "which port?")
                    .hint("write `http = { path = \"/health\", port = 8080 }`"),
            );
        }
    } else if !container.publish_all && container.publish.is_empty() {
        problems.push(
            Problem::error("an HTTP check of a container that publishes no port")
                .at(place, "cannot be reached")
                .hint("add `publish_all = true` or `publish = […]`, or check with `run`"),
        );
    }
}
