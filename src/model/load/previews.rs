//! Previews: which environment is one, what it has of its own, and what must differ from its base.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use super::{
    read::{Project, RawRecipe},
    recipes,
    scope::World,
};
use crate::{
    config::inventory::{Inventory, PreviewsSection},
    diagnostic::{Located, Place, Problem, Problems, SourceFile},
    model::{
        ConsulReady, ContainerSpec, HostRecipe, Name, Preview, PreviewName, PreviewSettings, Recipe,
    },
};

/// What is loaded.
pub(super) struct Target {
    /// The inventory.
    pub name: Name,
    /// Which preview of it, if it is one.
    pub preview: Option<Preview>,
}

/// What a name stands for: an inventory, or else a preview of one.
pub(super) fn target(project: &Project, environment: &str) -> Result<Target, Problem> {
    let unknown = match project.environment_name(environment) {
        Ok(name) => {
            let preview = None;
            return Ok(Target { name, preview });
        }
        Err(unknown) => unknown,
    };
    let parts = PreviewName::split(environment);
    let parts = parts.filter(|(base, _)| project.environments().contains(base));
    let (base, name) = parts.ok_or(unknown)?;
    Ok(Target {
        name: base.clone(),
        preview: Some(Preview { base, name }),
    })
}

/// `[previews]` of the inventory.
pub(super) fn settings(
    inventory: &Inventory,
    recipes: &[RawRecipe],
    problems: &mut Problems,
) -> Option<PreviewSettings> {
    let section = inventory.previews.as_ref()?;
    let PreviewsSection {
        recipes: named,
        keep,
        limit,
    } = &section.value;
    if named.as_ref().is_none_or(|named| named.is_empty()) {
        problems.push(
            Problem::error("`[previews]` names no recipes")
                .at(&section.place, "`recipes` is missing")
                .hint("add `recipes = [\"web\"]`: the recipes that each preview has of its own"),
        );
    }
    let mut own = Vec::new();
    for text in named.iter().flat_map(|named| &named.value) {
        let found = recipes.iter().find(|recipe| *recipe.name.value == **text);
        match found {
            Some(recipe) => own.push(recipe.name.value.clone()),
            None => problems.push(not_here(text, recipes)),
        }
    }
    Some(PreviewSettings {
        recipes: own,
        keep: keep.value().0,
        limit: usize::try_from(*limit.value()).unwrap_or(usize::MAX),
    })
}

fn not_here(text: &Located<String>, recipes: &[RawRecipe]) -> Problem {
    let known = recipes.iter().map(|recipe| &recipe.name.value);
    Problem::error(format!(
        "recipe `{}` is not in this environment",
        text.value
    ))
    .at(&text.place, "not in its `recipes`")
    .hint(format!("its recipes are {}", crate::text::list(known)))
}

/// A preview needs to know what it has of its own.
pub(super) fn refuse_without_settings(
    preview: &Preview,
    file: &SourceFile,
    inventory: &Inventory,
) -> Result<(), Problem> {
    if inventory.previews.is_some() {
        return Ok(());
    }
    let Preview { base, name } = preview;
    Err(
        Problem::error(format!("`{base}` has no previews, so there is no `{name}`"))
            .at(&file.place(0..0), "`[previews]` is missing")
            .hint("add `[previews]` with `recipes = [\"web\"]`: what each preview has of its own"),
    )
}

/// The recipes that are a preview's own, kept apart from its base, and those that it shares. Where it is no preview,
/// all are its own.
pub(super) fn keep_apart(
    world: &World<'_>,
    raw: &[RawRecipe],
    resolved: Vec<Recipe>,
    problems: &mut Problems,
) -> (Vec<Recipe>, Vec<Recipe>) {
    let Some(preview) = world.preview else {
        return (resolved, Vec::new());
    };
    let (mut own, shared): (Vec<_>, Vec<_>) = resolved
        .into_iter()
        .partition(|recipe| preview.has(&recipe.name));
    // What the base has under the same names. Its mistakes are told where it is loaded.
    let base = World {
        project: world.project,
        environment: world.environment,
        preview: None,
        members: world.members,
        default_source: world.default_source,
        named: RefCell::default(),
        steps: Cell::default(),
    };
    let of_base = recipes::resolve(&base, raw, &mut Problems::new());
    for recipe in &own {
        let base = of_base.iter().find(|base| base.name == recipe.name);
        let written = raw.iter().find(|raw| raw.name.value == recipe.name);
        if let (Some(base), Some(written)) = (base, written) {
            refuse_what_both_have(written, recipe, base, problems);
        }
        if let (Some(balancer), Some(written)) = (told_by_us(recipe, &shared), written) {
            problems.push(refuse_balancer(written, recipe, &balancer.name));
        }
    }
    let environment = preview.name.environment_of(world.environment);
    for on in own
        .iter_mut()
        .flat_map(|recipe| recipe.by_host.values_mut())
    {
        if let Some(spec) = &mut on.container {
            own_volumes(&environment, spec);
        }
    }
    (own, shared)
}

/// The base's balancer of a preview's recipe that learns of containers from us alone.
fn told_by_us<'s>(recipe: &Recipe, shared: &'s [Recipe]) -> Option<&'s Recipe> {
    let named = recipe.drain.iter().flat_map(|drain| &drain.balancers);
    let mut balancers =
        named.filter_map(|name| shared.iter().find(|balancer| balancer.name == *name));
    balancers.find(|balancer| {
        let mut views = balancer
            .by_host
            .values()
            .filter_map(|on| on.balancer.as_ref());
        views.any(|view| view.backends.is_some() || view.commands.is_some())
    })
}

/// Such a balancer has one list for each recipe: a preview's containers in it would get the base's requests.
fn refuse_balancer(written: &RawRecipe, recipe: &Recipe, balancer: &Name) -> Problem {
    let place = match &written.file.content.drain {
        Some(drain) => drain.place.clone(),
        None => written.name.place.clone(),
    };
    Problem::error(format!(
        "a preview of `{}` would be put into the list of `{balancer}`, which has the base's containers",
        recipe.name
    ))
    .at(&place, "the base's balancer, and shipit tells it of its backends")
    .hint("name a balancer that follows Consul, or let `[previews] recipes` have the balancer too")
}

/// A preview that answers to the base's name in Consul would get the base's requests; and a port of a host is one
/// container's.
fn refuse_what_both_have(
    written: &RawRecipe,
    recipe: &Recipe,
    base: &Recipe,
    problems: &mut Problems,
) {
    let raw = &written.file.content;
    let both = |of: &dyn Fn(&HostRecipe) -> BTreeSet<String>| {
        let mut hosts = recipe.by_host.iter();
        hosts.find_map(|(host, on)| {
            let base = base.by_host.get(host).map(of).unwrap_or_default();
            of(on).intersection(&base).next().cloned()
        })
    };
    let consul = raw
        .ready
        .as_ref()
        .and_then(|ready| ready.value.consul.as_ref());
    let container = raw.container.as_ref();
    let env = container.and_then(|container| container.value.env.as_ref());
    let publish = container.and_then(|container| container.value.publish.as_ref());
    let in_name = |service: &str| {
        format!(
            "write `\"{service}{{{{#if preview}}}}-{{{{preview}}}}{{{{/if}}}}\"`, here and wherever the service is named"
        )
    };
    if let (Some(service), Some(consul)) = (both(&ready_service), consul) {
        let problem = Problem::error(format!(
            "a preview of `{}` would be the service `{service}` in Consul, as the base is",
            recipe.name
        ));
        problems.push(at_both(problem, &consul.place, &in_name(&service)));
    } else if let (Some(service), Some(env)) = (both(&registered_service), env) {
        let problem = Problem::error(format!(
            "a preview of `{}` would be registered as `{service}`, as the base is, and get its requests",
            recipe.name
        ));
        problems.push(at_both(problem, &env.place, &in_name(&service)));
    }
    if let (Some(port), Some(publish)) = (both(&fixed_ports), publish) {
        let problem = Problem::error(format!(
            "a preview of `{}` would publish the port {port}, as the base does",
            recipe.name
        ));
        let hint =
            "use `publish_all = true` behind a balancer, or a var for the port that `--set` gives";
        problems.push(at_both(problem, &publish.place, hint));
    }
}

fn at_both(problem: Problem, place: &Place, hint: &str) -> Problem {
    problem
        .at(place, "the same with and without a preview")
        .hint(hint)
}

/// The service that a container is to be in Consul.
fn ready_service(on: &HostRecipe) -> BTreeSet<String> {
    match &on.ready.consul {
        Some(ConsulReady::Service(service)) => [service.clone()].into(),
        _ => BTreeSet::new(),
    }
}

/// The services under which Registrator registers a container.
fn registered_service(on: &HostRecipe) -> BTreeSet<String> {
    let env = on.container.iter().flat_map(|spec| &spec.env);
    let names = env.filter(|(key, _)| key.starts_with("SERVICE_") && key.ends_with("NAME"));
    names.map(|(_, service)| service.clone()).collect()
}

fn fixed_ports(on: &HostRecipe) -> BTreeSet<String> {
    let publish = on.container.iter().flat_map(|spec| &spec.publish);
    let ports = publish.filter_map(|publish| publish.host_port);
    ports.map(|port| port.to_string()).collect()
}

/// Puts the preview's name before its volumes', so that it has volumes of its own; the dot is in no preview's name.
/// Folders of the host are the same for all, and what a driver takes for a name is its own.
fn own_volumes(environment: &Name, spec: &mut ContainerSpec) {
    let has_driver = recipes::has_volume_driver(spec);
    for volume in spec.volumes.iter_mut().filter(|_| !has_driver) {
        let source = volume.split_once(':').map(|(source, _)| source);
        if source.is_some_and(|source| !source.starts_with('/')) {
            *volume = format!("{environment}.{volume}");
        }
    }
}
