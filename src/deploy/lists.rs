//! Phase: bring the files with backends in line with what runs, before any container is touched.

use crate::{
    balancers::{BackendLists, ListTarget},
    event::Outcome,
    facts::Facts,
    hosts::{Fleet, Run, Stop},
    model::{Environment, LateValues},
    plan::{ListPlan, Plan},
};

/// Writes the files that are not as what runs wants them: somebody changed them, or a balancer lost its own. Takes note
/// of those that are.
pub async fn settle(
    environment: &Environment,
    fleet: &Fleet,
    facts: &Facts,
    plan: &Plan,
    lists: &BackendLists,
) -> Run<()> {
    for list in &plan.lists {
        let Some(target) = target(environment, fleet, facts, list) else {
            continue;
        };
        if !list.is_drifted {
            let seen = list.old.as_deref().unwrap_or_default();
            lists.note_written(&target, seen).await;
            continue;
        }
        lists.write(&target).await.map_err(|error| {
            let message = format!(
                "cannot write the list of `{}` on `{}`; no container was touched",
                list.recipe, list.host
            );
            Stop::on_host(Outcome::Failed, message, &list.host, &error)
        })?;
    }
    Ok(())
}

fn target(
    environment: &Environment,
    fleet: &Fleet,
    facts: &Facts,
    list: &ListPlan,
) -> Option<ListTarget> {
    let on = environment.recipe(&list.recipe)?.by_host.get(&list.host)?;
    let container = list
        .container
        .clone()
        .unwrap_or_else(|| list.recipe.to_string());
    Some(ListTarget {
        recipe: list.recipe.clone(),
        reached: fleet.host(&list.host)?.clone(),
        file: on.balancer.as_ref()?.backends.clone()?,
        late: LateValues {
            release: String::new(),
            image: facts.image_of(&list.host, &container),
            container,
        },
    })
}
