//! Whether the times of a rollout fit each other.

use std::time::Duration;

use crate::{
    config::{recipe::Recipe as Raw, values::Order},
    diagnostic::{Problem, Problems},
    model::Recipe,
};

/// A shorter time must be shorter than a longer one, or no container could become healthy in time.
pub(super) fn check_times(raw: &Raw, recipe: &Recipe, problems: &mut Problems) {
    let Some(section) = &raw.rollout else {
        return;
    };
    let policy = &recipe.rollout;
    let times = [
        (
            "min_healthy_time",
            section.min_healthy_time.place(),
            policy.min_healthy_time,
        ),
        (
            "healthy_deadline",
            section.healthy_deadline.place(),
            policy.healthy_deadline,
        ),
        (
            "progress_deadline",
            section.progress_deadline.place(),
            policy.progress_deadline,
        ),
    ];
    for pair in times.windows(2) {
        let [(shorter, shorter_at, short), (longer, longer_at, long)] = pair else {
            continue;
        };
        if short < long {
            continue;
        }
        let place = shorter_at.or(*longer_at).unwrap_or(&section.place);
        problems.push(
            Problem::error(format!(
                "`{shorter}` ({}) is not shorter than `{longer}` ({})",
                shown(*short),
                shown(*long)
            ))
            .at(place, "no container could become healthy in time")
            .hint("`min_healthy_time` < `healthy_deadline` < `progress_deadline`"),
        );
    }
}

/// With blue-green all containers go together, and all or none of them arrive.
pub(super) fn check_blue_green(raw: &Raw, recipe: &Recipe, problems: &mut Problems) {
    let Some(section) = &raw.rollout else {
        return;
    };
    let order = section.order.as_ref();
    let Some(order) = order.filter(|order| order.value == Order::BlueGreen) else {
        return;
    };
    let policy = &recipe.rollout;
    let refused = [
        (
            "max_parallel",
            section.max_parallel.place(),
            true,
            "all containers are replaced together",
        ),
        (
            "canary",
            section.canary.place(),
            policy.canary > 0,
            "no container serves before all others do",
        ),
        (
            "max_failures",
            section.max_failures.place(),
            policy.max_failures > 0,
            "the first failure switches back",
        ),
        (
            "auto_revert = false",
            section.auto_revert.place(),
            !policy.auto_revert,
            "a switch that has failed is always taken back",
        ),
    ];
    for (key, place, is_refused, why) in refused {
        if let Some(place) = place.filter(|_| is_refused) {
            problems.push(
                Problem::error(format!("`{key}` with `order = \"blue-green\"`: {why}"))
                    .at(place, "has no meaning then")
                    .at(&order.place, "all or none")
                    .hint(format!(
                        "leave it away, or use `order = \"start-first\"`, which replaces `{}` bit by bit",
                        recipe.name
                    )),
            );
        }
    }
    if recipe.is_consul() {
        problems.push(
            Problem::error("`blue-green` for Consul's own servers: they go one at a time")
                .at(&order.place, "all at once")
                .hint("use `order = \"stop-first\"`"),
        );
    } else if recipe.drain.is_none() && !recipe.is_registered() {
        problems.push(
            Problem::error("`blue-green` without a balancer: there is nothing to switch")
                .at(&order.place, "no `[drain]`")
                .hint("name the balancers: `[drain] balancers = [\"…\"]`"),
        );
    }
}

fn shown(duration: Duration) -> String {
    jiff::SignedDuration::try_from(duration).map_or_else(
        |_| format!("{duration:?}"),
        |duration| format!("{duration:#}"),
    )
}
