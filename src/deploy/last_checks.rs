//! Phase: the last checks before anything is changed.

use crate::{
    event::Outcome,
    hosts::{Fleet, Run, Stop},
    model::Environment,
    observe::Observed,
    plan::{self, Plan},
    rollout::{driver::Promotion, quorum},
    run::Context,
};

/// Checks that Consul is whole and that somebody can promote the canaries. In the plan, the host of Consul's leader
/// moves to the end.
pub async fn last_checks(
    context: &Context<'_>,
    fleet: &Fleet,
    observed: &Observed,
    promotion: &Promotion,
    plan: &mut Plan,
) -> Run<()> {
    let environment = context.environment;
    quorum::consul_is_ready(environment, fleet, &observed.facts, plan).await?;
    quorum::leader_last(environment, fleet, plan).await;
    promotion_can_be_answered(environment, plan, promotion)
}

/// Canaries that wait for a promotion need somebody who can be asked for it.
fn promotion_can_be_answered(
    environment: &Environment,
    plan: &Plan,
    promotion: &Promotion,
) -> Run<()> {
    let asks = |recipe_plan: &&plan::RecipePlan| {
        let rollout = environment
            .recipe(&recipe_plan.recipe)
            .map(|recipe| &recipe.rollout);
        // As the rollout counts: a first deploy has no canaries, nor has a stop, and what runs is only confirmed.
        let slots = || recipe_plan.changes();
        let is_first = slots().all(|slot| slot.outgoing.is_empty());
        let comes = slots().any(|slot| slot.incoming.is_some());
        let runs = |slot: &&plan::SlotPlan| slot.incoming.as_ref().is_some_and(|it| it.runs);
        let to_try = slots().count() - slots().filter(runs).count();
        rollout.is_some_and(|rollout| {
            let canaries = usize::from(rollout.canary);
            let has_others = canaries > 0 && canaries < to_try;
            !rollout.auto_promote && !is_first && comes && has_others
        })
    };
    match plan.recipes.iter().find(asks) {
        Some(recipe_plan) if matches!(promotion, Promotion::Nobody) => Err(Stop::new(
            Outcome::Usage,
            format!("the canaries of `{}` need a promotion, and there is nobody to ask; nothing was changed", recipe_plan.recipe),
        )
        .hint("use `--promote`, or set `auto_promote = true`")),
        _ => Ok(()),
    }
}
