//! The containers that balancers route to, from what runs.

use std::collections::BTreeSet;

use super::{Facts, HostFacts, routes::routes_to};
use crate::{
    docker::Container,
    model::{
        BackendsFile, EQUAL_WEIGHT, Environment, Host, HostName, HostRecipe, ListedBackend, Name,
        Order, Recipe,
    },
};

/// The ports under which a container is reached at its host's `address`: in the container, and on the host.
pub fn ports_of(container: &Container, on: &HostRecipe, address: &str) -> Vec<(u16, u16)> {
    if container.uses_host_network() {
        let port = on.ready.port().into_iter();
        return port.map(|port| (port, port)).collect();
    }
    container.ports.pairs(address)
}

/// The port of the host that requests come to: that of the check of `[ready]`, else the first.
pub fn main_port(ports: &[(u16, u16)], on: &HostRecipe) -> Option<u16> {
    let checked = on.ready.port();
    let checked = ports.iter().find(|(inside, _)| Some(*inside) == checked);
    checked.or(ports.first()).map(|(_, outside)| *outside)
}

/// A file with backends, on one host or in one container there.
#[derive(Debug, Clone)]
pub struct ListFile<'e> {
    /// The balancer's recipe.
    pub recipe: &'e Recipe,
    /// The host.
    pub host: HostName,
    /// The container that it is in; `None` for a file of the host's.
    pub container: Option<String>,
    /// What is to be in it.
    pub file: &'e BackendsFile,
    /// What is in it now; `None` where it is not there.
    pub now: Option<String>,
}

/// Every file with backends that is there, or could be: one for each host, or for each container that runs.
pub fn list_files<'e>(environment: &'e Environment, facts: &Facts) -> Vec<ListFile<'e>> {
    let mut files = Vec::new();
    for recipe in &environment.recipes {
        for (host, facts) in &facts.hosts {
            let on = recipe.by_host.get(host);
            let file = on.and_then(|on| on.balancer.as_ref()?.backends.as_ref());
            let Some(file) = file else { continue };
            for container in containers(facts, &recipe.name, file.on_host) {
                let key = (recipe.name.clone(), container.clone());
                files.push(ListFile {
                    recipe,
                    host: host.clone(),
                    now: facts.lists.get(&key).cloned(),
                    container,
                    file,
                });
            }
        }
    }
    files
}

/// Where a balancer is on a host: each of its containers that run, or the host itself.
pub fn containers(facts: &HostFacts, recipe: &Name, on_host: bool) -> Vec<Option<String>> {
    if on_host {
        return vec![None];
    }
    let containers = facts.of_recipe(recipe).into_iter();
    let up = containers.filter(|container| container.state.is_up());
    up.map(|container| Some(container.name.clone())).collect()
}

/// A container as balancers know it, from how docker shows it.
pub fn listed(recipe: &Recipe, host: &Host, container: &Container) -> ListedBackend {
    let nothing = HostRecipe::none();
    let on = recipe.by_host.get(&host.name).unwrap_or(&nothing);
    let ports = ports_of(container, on, &host.address);
    ListedBackend {
        recipe: recipe.name.clone(),
        host: host.name.clone(),
        address: host.address.clone(),
        container: container.name.clone(),
        port: main_port(&ports, on),
        ports,
        weight: EQUAL_WEIGHT,
    }
}

/// The containers that requests may go to now: those that run, of recipes that drain through a balancer that is
/// told of them.
///
/// Where several run in one place, a deploy was cut off between two writes, and those that are listed count. One that
/// is `unconfirmed` has yet to become ready, and counts only where it is listed. With blue-green, of several that are
/// listed the newest counts.
pub fn in_service(
    environment: &Environment,
    facts: &Facts,
    unconfirmed: &BTreeSet<(HostName, String)>,
) -> Vec<ListedBackend> {
    let mut all = Vec::new();
    for recipe in &environment.recipes {
        let Some(drain) = recipe.drain.as_ref().filter(|drain| drain.is_told) else {
            continue;
        };
        let lists = facts.hosts.values().flat_map(|host| &host.lists);
        let texts: Vec<_> = lists
            .filter(|((balancer, _), _)| drain.balancers.contains(balancer))
            .map(|(_, text)| text)
            .collect();
        let is_switched = recipe.rollout.order == Some(Order::BlueGreen);
        for host in &environment.hosts {
            let Some(facts) = facts.hosts.get(&host.name) else {
                continue;
            };
            let containers = facts.of_recipe(&recipe.name).into_iter();
            let up = containers.filter(|container| container.state.is_up());
            let up: Vec<_> = up
                .filter_map(|container| {
                    let identity = container.identity()?;
                    let place = (identity.instance, identity.release);
                    let backend = listed(recipe, host, container);
                    let port = backend.port?;
                    let is_listed = texts
                        .iter()
                        .any(|text| routes_to(text, &host.address, port));
                    Some((place, is_listed, backend))
                })
                .collect();
            for ((instance, release), is_listed, backend) in &up {
                let others = || {
                    let listed = up.iter().filter(|(_, is_listed, _)| *is_listed);
                    let listed = listed.map(|(place, ..)| *place);
                    listed.filter(|(other, _)| other == instance)
                };
                // A switch that was cut off goes on: nobody sees the older one again.
                let is_left = is_switched && others().any(|(_, other)| other > *release);
                let key = (host.name.clone(), backend.container.clone());
                let may_be = others().next().is_none() && !unconfirmed.contains(&key);
                if (*is_listed || may_be) && !is_left {
                    all.push(backend.clone());
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        docker::{Identity, SpecHash, parse_containers},
        model::testing::TestProject,
    };

    /// `web` and `api` drain through `lb`, whose list is written; `other` through nothing.
    fn environment() -> Environment {
        let project = TestProject::new();
        let write = |path: &str, text: &str| project.write(path, text);
        write(
            "inventory/staging.toml",
            "recipes = [\"lb\", \"web\", \"api\", \"other\"]\n[hosts]\nhost-1 = { address = \"10.0.0.1\" }\n",
        );
        write(
            "recipes/lb.toml",
            "hosts = \"all\"\n[balancer]\nupstreams = \"routes\"\nbackends = { template = \"list\", to = \"/list\", reload = \"true\" }\n",
        );
        write(
            "list",
            "{{#each backends}}{{#each this}}{{endpoint}} {{/each}}{{/each}}",
        );
        let app = "hosts = \"all\"\n[container]\nimage = \"app\"\npublish = [\"auto:80\"]\n";
        write(
            "recipes/web.toml",
            &format!("{app}[drain]\nbalancers = [\"lb\"]\n"),
        );
        write(
            "recipes/api.toml",
            &format!("{app}[drain]\nbalancers = [\"lb\"]\n"),
        );
        write("recipes/other.toml", app);
        project.environment()
    }

    /// Containers as `(RECIPE-rN, port, whether it runs)`, and what the balancer's file has.
    fn facts(all: &[(&str, u16, bool)], list: Option<&str>) -> Facts {
        let shown = all.iter().map(|(name, port, runs)| {
            let (recipe, release) = name.rsplit_once("-r").expect("a release");
            let labels = Identity {
                environment: "staging".into(),
                preview_of: None,
                recipe: recipe.into(),
                release: release.parse().expect("a number"),
                instance: 1,
                spec: SpecHash::from_labels("aa", None),
            };
            let ports = if *runs {
                json!({"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": port.to_string()}]})
            } else {
                json!({})
            };
            json!({
                "Id": name, "Name": format!("/{name}"), "Image": "sha256:aa",
                "State": {"Status": if *runs { "running" } else { "exited" }, "Running": runs},
                "Config": {"Labels": labels.labels()}, "HostConfig": {},
                "NetworkSettings": {"Ports": ports},
            })
        });
        let containers = shown.collect::<serde_json::Value>().to_string();
        let key = ("lb".parse().expect("a name"), None);
        let host = HostFacts {
            containers: parse_containers(&containers).expect("docker's JSON"),
            lists: list
                .map(|list| (key, list.to_owned()))
                .into_iter()
                .collect(),
            ..HostFacts::default()
        };
        Facts {
            hosts: [("host-1".into(), host)].into(),
        }
    }

    fn serving(all: &[(&str, u16, bool)], list: Option<&str>, unconfirmed: &[&str]) -> Vec<String> {
        let unconfirmed = unconfirmed.iter();
        let unconfirmed = unconfirmed.map(|name| ("host-1".into(), (*name).to_owned()));
        let active = in_service(&environment(), &facts(all, list), &unconfirmed.collect());
        let shown = active
            .iter()
            .map(|one| format!("{} {}", one.container, one.endpoint()));
        shown.collect()
    }

    #[test]
    fn what_runs_behind_a_balancer_whose_list_is_written_is_in_service() {
        let all = [
            ("web-r2", 20000, true),
            ("web-r1", 20005, false),
            ("api-r1", 20001, true),
            ("other-r1", 20002, true),
        ];
        let expected = ["web-r2 10.0.0.1:20000", "api-r1 10.0.0.1:20001"];
        for list in [None, Some(""), Some("10.0.0.1:20000 10.0.0.1:20001")] {
            assert_eq!(serving(&all, list, &[]), expected, "{list:?}");
        }
    }

    #[test]
    fn of_two_in_one_place_those_count_that_are_listed() {
        let two = [("web-r2", 20001, true), ("web-r1", 20000, true)];
        let (old, new) = ("web-r1 10.0.0.1:20000", "web-r2 10.0.0.1:20001");
        // The new one was not ready yet; then both were listed; then the old one was leaving.
        assert_eq!(serving(&two, Some("10.0.0.1:20000"), &["web-r2"]), [old]);
        assert_eq!(serving(&two, Some("10.0.0.1:20000"), &[]), [old]);
        assert_eq!(
            serving(&two, Some("10.0.0.1:20000 10.0.0.1:20001"), &["web-r2"]),
            [new, old]
        );
        assert_eq!(serving(&two, Some("10.0.0.1:20001"), &["web-r2"]), [new]);
    }

    #[test]
    fn where_a_switch_was_cut_off_the_newest_that_is_listed_counts() {
        let mut environment = environment();
        for recipe in &mut environment.recipes {
            recipe.rollout.order = Some(Order::BlueGreen);
        }
        let two = [("web-r2", 20001, true), ("web-r1", 20000, true)];
        for (list, expected) in [
            ("10.0.0.1:20000", "web-r1"),
            ("10.0.0.1:20000 10.0.0.1:20001", "web-r2"),
            ("10.0.0.1:20001", "web-r2"),
        ] {
            let unconfirmed = [("host-1".into(), "web-r2".to_owned())].into();
            let active = in_service(&environment, &facts(&two, Some(list)), &unconfirmed);
            let active: Vec<_> = active.iter().map(|one| &*one.container).collect();
            assert_eq!(active, [expected], "{list}");
        }
    }

    #[test]
    fn what_has_yet_to_become_ready_is_not_in_service() {
        let one = [("web-r1", 20000, true)];
        assert_eq!(serving(&one, Some(""), &["web-r1"]), [""; 0]);
        assert_eq!(serving(&one, None, &["web-r1"]), [""; 0]);
        assert_eq!(serving(&one, Some("10.0.0.1:20000"), &["web-r1"]).len(), 1);
    }
}
