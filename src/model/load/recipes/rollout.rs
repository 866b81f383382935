//! `[rollout]`.

use std::time::Duration;

use crate::{
    config::{
        recipe::{Recipe as Raw, RolloutSection},
        values::{CountValue, DurationValue, UpdateOrder},
    },
    diagnostic::{Located, Problem, Problems},
    model::{Count, Order, RolloutPolicy},
};

/// `[rollout]`.
pub(super) fn resolve(raw: &Raw, problems: &mut Problems) -> RolloutPolicy {
    let default = RolloutPolicy::default();
    let Some(section) = &raw.rollout else {
        return default;
    };
    let RolloutSection {
        order,
        max_parallel,
        canary,
        auto_promote,
        min_healthy_time,
        healthy_deadline,
        progress_deadline,
        auto_revert,
        max_failures,
    } = &section.value;
    let policy = RolloutPolicy {
        order: order.as_ref().map(|order| match order.value {
            UpdateOrder::StartFirst => Order::StartFirst,
            UpdateOrder::StopFirst => Order::StopFirst,
        }),
        max_parallel: max_parallel.as_ref().map_or(default.max_parallel, |count| {
            match count.value {
                CountValue::Number(number) => Count::Number(number),
                CountValue::Percent(percent) => Count::Percent(percent),
            }
        }),
        canary: canary.as_ref().map_or(default.canary, |value| value.value),
        auto_promote: auto_promote
            .as_ref()
            .map_or(default.auto_promote, |value| value.value),
        min_healthy_time: duration(min_healthy_time.as_ref(), default.min_healthy_time),
        healthy_deadline: duration(healthy_deadline.as_ref(), default.healthy_deadline),
        progress_deadline: duration(progress_deadline.as_ref(), default.progress_deadline),
        auto_revert: auto_revert
            .as_ref()
            .map_or(default.auto_revert, |value| value.value),
        max_failures: max_failures
            .as_ref()
            .map_or(default.max_failures, |value| value.value),
    };
    for (shorter, longer) in [
        (
            (
                "min_healthy_time",
                min_healthy_time,
                policy.min_healthy_time,
            ),
            (
                "healthy_deadline",
                healthy_deadline,
                policy.healthy_deadline,
            ),
        ),
        (
            (
                "healthy_deadline",
                healthy_deadline,
                policy.healthy_deadline,
            ),
            (
                "progress_deadline",
                progress_deadline,
                policy.progress_deadline,
            ),
        ),
    ] {
        if shorter.2 >= longer.2 {
            let at = shorter.1.as_ref().or(longer.1.as_ref());
            let place = at.map_or(&section.place, |at| &at.place);
            problems.push(
                Problem::error(format!(
                    "`{}` ({}) is not shorter than `{}` ({})",
                    shorter.0,
                    shown(shorter.2),
                    longer.0,
                    shown(longer.2)
                ))
                .at(place, "no container could ever be in time")
                .hint("`min_healthy_time` < `healthy_deadline` < `progress_deadline`"),
            );
        }
    }
    policy
}

fn shown(duration: Duration) -> String {
    jiff::SignedDuration::try_from(duration).map_or_else(
        |_| format!("{duration:?}"),
        |duration| format!("{duration:#}"),
    )
}

pub(super) fn duration(value: Option<&Located<DurationValue>>, default: Duration) -> Duration {
    value.map_or(default, |value| value.value.0)
}
