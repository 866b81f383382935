//! The files with backends that are written for balancers: what they have, and what they will have.

use std::collections::BTreeSet;

use super::{
    changes::{Change, ListPlan, Plan, RecipePlan, Remark, SlotPlan},
    input::Input,
};
use crate::{
    facts::backends::{ListFile, in_service, list_files},
    model::{EQUAL_WEIGHT, HostName, HostRecipe, ListError, ListedBackend, Recipe},
};

/// Plans what the files with backends will have, those that a deploy of the scope touches.
pub(super) fn plan_lists(input: &Input, plan: &mut Plan) {
    let now = in_service(input.environment, input.facts, &unconfirmed(plan));
    let later = afterwards(input, plan, &now);
    let mut lists = Vec::new();
    let mut obstacles = Vec::new();
    for (file, is_there) in files(input, plan) {
        let rendered = file.file.render(&now, &[]);
        let rendered = rendered.and_then(|now| Ok((now, file.file.render(&later, &[])?)));
        let (at_first, new) = match rendered {
            Ok(texts) => texts,
            Err(error) => {
                obstacles.push(cannot_be_written(&file, &error));
                continue;
            }
        };
        // One that is about to be made or started has none, and is given its own.
        let is_drifted = is_there && file.now.as_ref() != Some(&at_first);
        if is_drifted || file.now.as_ref() != Some(&new) {
            lists.push(ListPlan {
                recipe: file.recipe.name.clone(),
                host: file.host,
                container: file.container,
                to: file.file.to.clone(),
                old: file.now,
                new,
                is_drifted,
            });
        }
    }
    plan.obstacles.extend(obstacles);
    plan.active = now;
    plan.lists = lists;
}

/// The containers that run already and have yet to be found ready.
fn unconfirmed(plan: &Plan) -> BTreeSet<(HostName, String)> {
    let slots = plan.recipes.iter().flat_map(|recipe| &recipe.slots);
    let incoming = slots.filter(|slot| slot.change != Change::Keep);
    let incoming = incoming.filter_map(|slot| {
        let incoming = slot.incoming.as_ref()?;
        Some((slot.host.clone(), incoming.name.active.clone()))
    });
    incoming.collect()
}

/// The containers that requests may go to once the plan is carried out.
fn afterwards(input: &Input, plan: &Plan, now: &[ListedBackend]) -> Vec<ListedBackend> {
    let mut later = now.to_vec();
    for recipe_plan in &plan.recipes {
        let recipe = input.environment.recipe(&recipe_plan.recipe);
        let is_told = |recipe: &&Recipe| recipe.drain.as_ref().is_some_and(|it| it.is_told);
        let Some(recipe) = recipe.filter(is_told) else {
            continue;
        };
        for slot in recipe_plan.changes() {
            let goes = |one: &ListedBackend| {
                one.host == slot.host
                    && slot
                        .outgoing
                        .iter()
                        .any(|name| name.active == one.container)
            };
            later.retain(|one| !goes(one));
            later.extend(comes(input, recipe, slot).filter(|one| {
                let is_there = |other: &ListedBackend| other.is(one);
                !now.iter().any(is_there)
            }));
        }
    }
    later
}

/// The container that a slot brings. Its port is known where the files say it.
fn comes(input: &Input, recipe: &Recipe, slot: &SlotPlan) -> Option<ListedBackend> {
    let incoming = slot.incoming.as_ref()?;
    let host = input.environment.host(&slot.host)?;
    let nothing = HostRecipe::none();
    let on = recipe.by_host.get(&slot.host).unwrap_or(&nothing);
    let checked = on.ready.port();
    let spec = &incoming.desired.spec;
    let mut tcp = spec.publish.iter().filter(|it| it.protocol == "tcp");
    let published = tcp
        .clone()
        .find(|it| Some(it.container_port) == checked)
        .or_else(|| tcp.next());
    let port = if spec.uses_host_network() {
        checked
    } else {
        published.and_then(|it| it.host_port)
    };
    Some(ListedBackend {
        recipe: recipe.name.clone(),
        host: slot.host.clone(),
        address: host.address.clone(),
        container: incoming.name.active.clone(),
        port,
        ports: Vec::new(),
        weight: EQUAL_WEIGHT,
    })
}

/// The files that a deploy of the scope touches: of balancers in it, and of those that a recipe in it drains through.
/// With each whether its balancer runs: those of containers that the plan makes or starts are among them.
fn files<'e>(input: &Input<'e>, plan: &Plan) -> Vec<(ListFile<'e>, bool)> {
    let files = list_files(input.environment, input.facts).into_iter();
    let mut files: Vec<_> = files.map(|file| (file, true)).collect();
    let replaced = |file: &ListFile<'_>| {
        let mut slots = slots(plan, file);
        slots.any(|slot| {
            let mut outgoing = slot.outgoing.iter();
            outgoing.any(|name| Some(&name.active) == file.container.as_ref())
        })
    };
    files.retain(|(file, _)| !replaced(file));
    for recipe in &input.environment.recipes {
        for (host, on) in &recipe.by_host {
            let file = on.balancer.as_ref().and_then(|on| on.backends.as_ref());
            let Some(file) = file.filter(|file| !file.on_host) else {
                continue;
            };
            let of_recipe = plan.recipes.iter().filter(|it| it.recipe == recipe.name);
            let slots = of_recipe.flat_map(RecipePlan::changes);
            for slot in slots.filter(|slot| slot.host == *host) {
                let incoming = slot.incoming.as_ref().filter(|incoming| !incoming.runs);
                files.extend(incoming.map(|incoming| {
                    let file = ListFile {
                        recipe,
                        host: host.clone(),
                        container: Some(incoming.name.active.clone()),
                        file,
                        now: None,
                    };
                    (file, false)
                }));
            }
        }
    }
    let is_touched = |file: &ListFile<'_>| {
        let mut recipes = file.file.recipes.iter();
        input.scope.has_recipe(&file.recipe.name) && input.scope.has_host(&file.host)
            || recipes.any(|recipe| input.scope.has_recipe(recipe))
    };
    files.retain(|(file, _)| is_touched(file));
    files
}

fn slots<'p>(plan: &'p Plan, file: &ListFile<'_>) -> impl Iterator<Item = &'p SlotPlan> {
    let (recipe, host) = (file.recipe.name.clone(), file.host.clone());
    let plans = plan.recipes.iter().filter(move |it| it.recipe == recipe);
    let slots = plans.flat_map(RecipePlan::changes);
    slots.filter(move |slot| slot.host == host)
}

fn cannot_be_written(file: &ListFile<'_>, error: &ListError) -> Remark {
    Remark {
        host: Some(file.host.clone()),
        message: format!("the list of `{}`: {error}", file.recipe.name),
        hint: None,
    }
}

/// A recipe with a balancer that cannot be asked: what its `[drain] wait` stands for.
pub(super) fn warn_of_what_is_not_proved(input: &Input, recipe: &Recipe, plan: &mut Plan) {
    let Some(drain) = &recipe.drain else { return };
    let recipes = plan.recipes.iter();
    let mut own = recipes.filter(|it| it.recipe == recipe.name);
    let goes = own.any(|it| it.changes().any(SlotPlan::replaces_a_running_one));
    let unseen: Vec<_> = drain
        .balancers
        .iter()
        .filter(|name| {
            let balancer = input.environment.recipe(name);
            let mut views = balancer.into_iter().flat_map(|it| it.by_host.values());
            views.any(|on| {
                on.balancer
                    .as_ref()
                    .is_some_and(|it| it.upstreams.is_none())
            })
        })
        .collect();
    let rests = format!(
        "that no request comes to a container of `{}` that goes rests on `[drain] wait` ({})",
        recipe.name,
        crate::text::duration(drain.wait)
    );
    let message = if !unseen.is_empty() {
        format!(
            "{} cannot print what it routes to: {rests}",
            crate::text::list(&unseen)
        )
    } else if drain.balancers.is_empty() && !drain.through_consul {
        format!("no balancer is named: {rests}")
    } else {
        return;
    };
    if goes {
        plan.warnings.push(Remark {
            host: None,
            message,
            hint: None,
        });
    }
}
