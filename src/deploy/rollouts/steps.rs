//! How much every host has before it.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    event::EventKind,
    images,
    model::HostName,
    plan::{Plan, RecipePlan},
    rollout::driver,
    run::Context,
};

/// The steps of a host, and the time that passes between them.
#[derive(Default)]
struct Work {
    steps: usize,
    waiting: Duration,
}

/// Announces what each host has before it, its images included, for its bar.
pub fn announce_work(context: &Context<'_>, plan: &Plan) {
    let needed = images::needed(plan);
    announce(context, plan, |host| {
        needed.get(host).map_or(0, BTreeSet::len)
    });
}

/// Announces what each host has before it once it has its images.
pub(super) fn announce_rollouts(context: &Context<'_>, plan: &Plan) {
    announce(context, plan, |_| 0);
}

fn announce(context: &Context<'_>, plan: &Plan, images: impl Fn(&HostName) -> usize) {
    for host in plan.changed_hosts(context.environment) {
        let mut work = Work {
            steps: images(&host),
            ..Work::default()
        };
        for recipe_plan in &plan.recipes {
            work.add(context, recipe_plan, &host);
        }
        context.events.send(EventKind::HostSteps {
            host: host.to_string(),
            total: work.steps as u64,
            waiting: work.waiting,
        });
    }
}

impl Work {
    fn add(&mut self, context: &Context<'_>, recipe_plan: &RecipePlan, host: &HostName) {
        let Some(recipe) = context.environment.recipe(&recipe_plan.recipe) else {
            return;
        };
        let policy = driver::policy(recipe, recipe_plan.order, recipe_plan.changes().count());
        let on_host = || recipe_plan.changes().filter(|slot| slot.host == *host);
        for slot in on_host() {
            let runs = slot.incoming.as_ref().map(|incoming| incoming.runs);
            let goes = slot.replaces_a_running_one();
            self.steps += policy.steps(runs, goes);
            self.waiting += policy.waiting(runs, goes);
        }
        let tasks = recipe_plan.tasks.iter().filter(|task| task.host == *host);
        self.steps += tasks.count();
        if let Some(host_recipe) = recipe.by_host.get(host)
            && on_host().any(|slot| slot.incoming.is_some())
        {
            self.steps += host_recipe.before.len() + host_recipe.after.len();
        }
    }
}
