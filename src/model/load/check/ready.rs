//! Whether a container can be asked what its `[ready]` asks.

use std::collections::BTreeSet;

use crate::{
    config::recipe::{ReadySection, Recipe as Raw},
    diagnostic::{Place, Problem, Problems},
    model::{ContainerSpec, Recipe},
    text,
};

/// Checks that the checks of a recipe can reach its container on every host.
pub(super) fn check_reachable(raw: &Raw, recipe: &Recipe, problems: &mut Problems) {
    let Some(ready) = &raw.ready else {
        return;
    };
    for container in recipe.containers() {
        for asked in asked(ready) {
            if let Some(problem) = unreachable(&asked, container) {
                problems.push(problem.at(asked.place, "cannot be reached"));
            }
        }
    }
}

/// A check that connects to a container.
struct Asked<'a> {
    /// What it is, with its article.
    what: &'static str,
    /// The port that it names.
    port: Option<u16>,
    place: &'a Place,
}

/// The checks that connect to a container. Exhaustive, so that a kind that comes later is not forgotten here.
fn asked(ready: &ReadySection) -> Vec<Asked<'_>> {
    let ReadySection {
        http,
        tcp,
        grpc,
        consul: _,
        healthcheck: _,
        run: _,
    } = ready;
    let http = http.as_ref().map(|http| Asked {
        what: "an HTTP check",
        port: http.value.0.port.as_ref().map(|port| port.value),
        place: &http.place,
    });
    let with_port = [("a TCP check", tcp), ("a gRPC check", grpc)];
    let with_port = with_port.into_iter().filter_map(|(what, port)| {
        let port = port.as_ref()?;
        Some(Asked {
            what,
            port: Some(port.value),
            place: &port.place,
        })
    });
    http.into_iter().chain(with_port).collect()
}

/// Why a check cannot reach a container, as far as the files say it.
fn unreachable(asked: &Asked<'_>, container: &ContainerSpec) -> Option<Problem> {
    let what = asked.what;
    if container.uses_host_network() {
        return asked.port.is_none().then(|| {
            Problem::error(format!("{what} on the host's network needs its port"))
                .hint("write `http = { path = \"/health\", port = 8080 }`")
        });
    }
    // Port 0 has been told.
    if container.publish_all || asked.port == Some(0) {
        return None;
    }
    let published = container.publish.iter().filter(|it| it.protocol == "tcp");
    let published: BTreeSet<_> = published.map(|it| it.container_port).collect();
    let shown: Vec<_> = published.iter().map(ToString::to_string).collect();
    match asked.port {
        _ if published.is_empty() => Some(
            Problem::error(format!("{what} of a container that publishes no port"))
                .hint("add `publish_all = true` or `publish = […]`, or check with `run`"),
        ),
        Some(port) if !published.contains(&port) => Some(
            Problem::error(format!("{what} of port {port}, which is not published"))
                .hint(format!("the container publishes {}", text::list(shown))),
        ),
        None if published.len() > 1 => Some(
            Problem::error(format!(
                "{what} of a container that publishes several ports"
            ))
            .hint(format!(
                "say which `port`: it publishes {}",
                text::list(shown)
            )),
        ),
        _ => None,
    }
}
