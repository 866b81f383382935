//! Whether the times of a rollout fit each other.

use std::time::Duration;

use crate::{
    config::recipe::Recipe as Raw,
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

fn shown(duration: Duration) -> String {
    jiff::SignedDuration::try_from(duration).map_or_else(
        |_| format!("{duration:?}"),
        |duration| format!("{duration:#}"),
    )
}
