//! Phase: open a session to every host, and check that it is fit for a change.

use std::collections::BTreeSet;

use super::request::{DeployRequest, Goal};
use crate::{
    hosts::{Fleet, Run, preflight},
    model::{Environment, Host, HostName},
    plan::Scope,
    run::Context,
};

/// Reaches the hosts of a deploy. One that is needed and is not reached, or not fit, ends the run; one that only
/// helps is left out.
pub async fn reach(context: &Context<'_>, request: &DeployRequest) -> Run<Fleet> {
    let needed = needed(context.environment, &request.scope);
    let hosts = needed_or_helpful(context.environment, request, &needed);
    let fleet = context
        .connect_to(&hosts, |host| needed.contains(host))
        .await?;
    let is_needed = |host: &HostName| needed.contains(host);
    preflight::fit(&fleet, context.environment, is_needed, context.events).await
}

/// The hosts of the scope, the lock host, those of every balancer that a rollout asks, and those that a probe goes
/// through.
fn needed(environment: &Environment, scope: &Scope) -> BTreeSet<HostName> {
    let balancers: BTreeSet<&HostName> = environment
        .recipes
        .iter()
        .filter(|recipe| scope.has_recipe(&recipe.name))
        .flat_map(|recipe| recipe.drain.iter().flat_map(|drain| &drain.balancers))
        .filter_map(|name| environment.own_or_shared(name))
        .flat_map(|recipe| &recipe.hosts)
        .collect();
    let listed = listed(environment, scope);
    let probed_through: BTreeSet<&HostName> = environment
        .recipes
        .iter()
        .filter(|recipe| scope.has_recipe(&recipe.name))
        .filter_map(|recipe| recipe.probe.as_ref()?.through.as_ref())
        .collect();
    let wanted = |host: &&Host| {
        scope.has_host(&host.name)
            || host.name == environment.lock_host().name
            || balancers.contains(&host.name)
            || listed.contains(&host.name)
            || probed_through.contains(&host.name)
    };
    let wanted = environment.hosts.iter().filter(wanted);
    wanted.map(|host| host.name.clone()).collect()
}

/// The hosts of all that a balancer is told of, where a rollout of the scope tells one: a recipe that nobody asked for
/// must not be dropped from a list.
fn listed<'e>(environment: &'e Environment, scope: &Scope) -> BTreeSet<&'e HostName> {
    let mut hosts = BTreeSet::new();
    for balancer in &environment.recipes {
        let views = balancer.by_host.values();
        let mut told = views.filter_map(|on| on.balancer.as_ref()?.recipes());
        let Some(recipes) = told.next() else { continue };
        let is_touched = scope.has_recipe(&balancer.name)
            || recipes.iter().any(|recipe| scope.has_recipe(recipe));
        if is_touched {
            let recipes = recipes.iter();
            let recipes = recipes.filter_map(|recipe| environment.recipe(recipe));
            hosts.extend(recipes.chain([balancer]).flat_map(|recipe| &recipe.hosts));
        }
    }
    hosts
}

/// The hosts that are needed, and those that help if they answer. That is the keeper of each host that gets a record,
/// which has copies of its records: they are written there, and read where a reinstalled host has lost them. Consul's
/// servers, which are counted before one of them goes. And for a stop the other hosts of what is drained: whether
/// anything is left to serve decides how long balancers are waited for.
fn needed_or_helpful<'e>(
    environment: &'e Environment,
    request: &DeployRequest,
    needed: &BTreeSet<HostName>,
) -> Vec<&'e Host> {
    let scope = &request.scope;
    let lock_host = &environment.lock_host().name;
    let recorded = environment.hosts.iter().map(|host| &host.name);
    let keepers: BTreeSet<_> = recorded
        .filter(|host| scope.has_host(host) || *host == lock_host)
        .filter_map(|host| environment.keeper_of(host))
        .collect();
    let is_server = |host: &HostName| {
        let mut recipes = environment.recipes.iter();
        recipes.any(|recipe| {
            recipe.is_consul() && scope.has_recipe(&recipe.name) && recipe.hosts.contains(host)
        })
    };
    let may_serve = |host: &HostName| {
        let mut recipes = environment.recipes.iter();
        request.goal == Goal::Stop
            && recipes.any(|recipe| {
                recipe.drain.is_some()
                    && scope.has_recipe(&recipe.name)
                    && recipe.hosts.contains(host)
            })
    };
    let wanted = |host: &&Host| {
        needed.contains(&host.name)
            || keepers.contains(&host.name)
            || is_server(&host.name)
            || may_serve(&host.name)
    };
    environment.hosts.iter().filter(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::TestProject;

    const LB: &str =
        "hosts = [\"host-3\"]\n[container]\nimage = \"lb\"\n[balancer]\nupstreams = \"routes\"\n";
    const APP: &str =
        "[container]\nimage = \"app\"\npublish = [\"auto:80\"]\n[drain]\nbalancers = [\"lb\"]\n";

    /// The hosts that a deploy of `web` to `host-2` needs. `host-1` has the lock, `host-3` the balancer with these keys,
    /// `host-4` a further recipe behind it, and `host-5` nothing of these.
    fn needed_with(balancer: &str) -> Vec<String> {
        let project = TestProject::new();
        let write = |path: &str, text: &str| project.write(path, text);
        let host = |number| format!("host-{number} = {{ address = \"10.0.0.{number}\" }}\n");
        let hosts: String = (1..=5).map(host).collect();
        write(
            "inventory/staging.toml",
            &format!("recipes = [\"lb\", \"web\", \"api\"]\n[hosts]\n{hosts}"),
        );
        write("recipes/lb.toml", &format!("{LB}{balancer}"));
        write("recipes/web.toml", &format!("hosts = [\"host-2\"]\n{APP}"));
        write("recipes/api.toml", &format!("hosts = [\"host-4\"]\n{APP}"));
        write(
            "list",
            "{{#each backends}}{{#each this}}{{endpoint}} {{/each}}{{/each}}",
        );
        let environment = project.environment();
        let scope = Scope {
            recipes: vec!["web".parse().expect("a name")],
            hosts: vec!["host-2".into()],
        };
        let needed = needed(&environment, &scope);
        needed.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_deploy_ends_before_any_change_where_a_balancer_or_what_is_on_its_list_is_down() {
        let list = "backends = { template = \"list\", to = \"/list\", reload = \"true\" }\n";
        let commands =
            "add = \"add {{backend.endpoint}}\"\nremove = \"remove {{backend.endpoint}}\"\n";
        for told in [list, commands] {
            assert_eq!(
                needed_with(told),
                ["host-1", "host-2", "host-3", "host-4"],
                "{told}"
            );
        }
    }
}
