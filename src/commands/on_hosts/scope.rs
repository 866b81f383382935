//! What was typed for recipes and hosts, as names of the environment.

use super::invocation::Invocation;
use crate::{
    event::Outcome,
    hosts::{Run, Stop},
    model::{Environment, Host, HostName, Name, Recipe},
    plan::Scope,
    text,
};

/// The part of the environment with these recipes, on these hosts and groups. Without recipes it has all
/// of them, without hosts likewise. A name that the environment does not have is a mistake of the user's.
pub fn scope(invocation: &Invocation<'_>, recipes: &[Name], hosts: &[String]) -> Run<Scope> {
    let environment = invocation.context.environment;
    Ok(Scope {
        recipes: known_recipes(environment, recipes)?,
        hosts: limit(environment, hosts)?,
    })
}

/// The same for a command that only containers can obey.
pub fn scope_of_containers(
    invocation: &Invocation<'_>,
    recipes: &[Name],
    hosts: &[String],
) -> Run<Scope> {
    let environment = invocation.context.environment;
    let scope = scope(invocation, recipes, hosts)?;
    let named = environment.recipes.iter();
    let mut named = named.filter(|recipe| scope.recipes.contains(&recipe.name));
    match named.find(|recipe| !recipe.has_container()) {
        None => Ok(scope),
        Some(Recipe { name, .. }) => {
            let message = format!("`{name}` has no container, so nothing of it stays running");
            let hint = format!("shipit run {} {name}", environment.name);
            Err(Stop::new(Outcome::Usage, message).hint(hint))
        }
    }
}

/// The host that has the environment's locks.
pub fn lock_host(invocation: &Invocation<'_>) -> Scope {
    Scope {
        recipes: Vec::new(),
        hosts: vec![invocation.context.environment.lock_host().name.clone()],
    }
}

/// The host of this name, or those of the group.
pub fn hosts_called(environment: &Environment, word: &str) -> impl Iterator<Item = HostName> {
    let is_called =
        move |host: &&Host| &*host.name == word || host.groups.iter().any(|group| &**group == word);
    let hosts = environment.hosts.iter().filter(is_called);
    hosts.map(|host| host.name.clone())
}

/// The hosts that names of hosts and of groups stand for, each once.
fn limit(environment: &Environment, limits: &[String]) -> Run<Vec<HostName>> {
    let mut hosts = Vec::new();
    for wanted in limits {
        let found: Vec<_> = hosts_called(environment, wanted).collect();
        if found.is_empty() {
            let names = text::list(environment.hosts.iter().map(|host| &host.name));
            return Err(Stop::new(
                Outcome::Usage,
                format!(
                    "`{wanted}` is neither a host nor a group of `{}`",
                    environment.name
                ),
            )
            .hint(format!("its hosts are {names}")));
        }
        for host in found {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
    }
    Ok(hosts)
}

fn known_recipes(environment: &Environment, names: &[Name]) -> Run<Vec<Name>> {
    let find = |wanted: &Name| {
        environment
            .recipe(wanted)
            .map(|recipe| recipe.name.clone())
            .ok_or_else(|| {
                let known = text::list(environment.recipes.iter().map(|recipe| &recipe.name));
                Stop::new(
                    Outcome::Usage,
                    format!("`{}` has no recipe `{wanted}`", environment.name),
                )
                .hint(format!("its recipes are {known}"))
            })
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Overrides, Project, load};

    fn staging() -> Environment {
        let project = Project {
            root: env!("CARGO_MANIFEST_DIR").into(),
        };
        load(&project, "staging", &Overrides::default())
            .unwrap_or_else(|problems| panic!("{problems}"))
            .environment
    }

    #[test]
    fn a_limit_names_hosts_and_groups() {
        let environment = staging();
        let limited = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(ToString::to_string).collect();
            limit(&environment, &words)
                .map(|hosts| {
                    hosts
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(" ")
                })
                .map_err(|stop| stop.report.message)
        };
        assert_eq!(limited(&[]), Ok(String::new()), "no limit");
        assert_eq!(limited(&["host-3"]), Ok("host-3".into()));
        assert_eq!(limited(&["apps"]), Ok("host-1 host-2".into()));
        assert_eq!(
            limited(&["apps", "host-1"]),
            Ok("host-1 host-2".into()),
            "none twice"
        );
        let unknown = "`host` is neither a host nor a group of `staging`";
        assert_eq!(limited(&["apps", "host"]), Err(unknown.into()));
    }
}
