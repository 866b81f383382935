//! `[ready]` for one host.

use super::super::scope::Resolver;
use crate::{
    config::recipe::{HttpSection, ReadySection, Recipe as Raw},
    diagnostic::{Located, Place, Problem, Problems},
    model::{ConsulReady, ContainerSpec, HttpReady, Ready},
};

/// `[ready]` for one host.
pub(super) fn resolve(
    raw: &Raw,
    container: Option<&ContainerSpec>,
    resolver: &mut Resolver<'_>,
) -> Ready {
    let Some(section) = &raw.ready else {
        return Ready::default();
    };
    let ReadySection {
        http,
        tcp,
        consul,
        healthcheck,
        run,
    } = &section.value;
    if let (Some(http), Some(container)) = (http, container) {
        check_reachable(&http.value.0, &http.place, container, resolver.problems);
    }
    if let Some(tcp) = tcp.as_ref().filter(|tcp| tcp.value == 0) {
        resolver.problems.push(wrong_port(&tcp.place));
    }
    Ready {
        http: http
            .as_ref()
            .map(|http| self::http(&http.value.0, &http.place, resolver)),
        tcp: tcp.as_ref().map(|tcp| tcp.value),
        consul: consul
            .as_ref()
            .map(|text| match resolver.line(text).as_str() {
                "leader" => ConsulReady::Leader,
                service => ConsulReady::Service(service.to_owned()),
            }),
        healthcheck: healthcheck.as_ref().is_some_and(|flag| flag.value),
        run: run.as_ref().map(|run| resolver.command(run)),
    }
}

fn http(section: &HttpSection, place: &Place, resolver: &mut Resolver<'_>) -> HttpReady {
    let HttpSection { path, port, status } = section;
    if path.is_none() {
        resolver
            .problems
            .push(Problem::error("an HTTP check without a path").at(place, "`path` is missing"));
    }
    let text = path
        .as_ref()
        .map_or_else(|| "/".to_owned(), |path| resolver.line(path));
    if !text.starts_with('/') {
        let at = path.as_ref().map_or(place, |path| &path.place);
        resolver.problems.push(
            Problem::error(format!("`{text}` is not a path"))
                .at(at, "expected `/…`")
                .hint("the host and the port are the container's own"),
        );
    }
    if let Some(port) = port.as_ref().filter(|port| port.value == 0) {
        resolver.problems.push(wrong_port(&port.place));
    }
    HttpReady {
        path: text,
        port: port.as_ref().map(|port| port.value),
        status: self::status(status.as_ref(), resolver.problems),
    }
}

fn wrong_port(place: &Place) -> Problem {
    Problem::error("port 0").at(place, "expected 1 to 65535")
}

pub(super) fn status(status: Option<&Located<u16>>, problems: &mut Problems) -> Option<u16> {
    let status = status?;
    if !(100..=599).contains(&status.value) {
        problems.push(
            Problem::error(format!("`{}` is not an HTTP status", status.value))
                .at(&status.place, "expected 100 to 599"),
        );
    }
    Some(status.value)
}

/// An HTTP check needs a port that the host can reach.
fn check_reachable(
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
