//! `[rollout]`.

use super::super::{
    section::section,
    values::{Count, DurationValue, Order, Percentage},
};

/// The keys of `[rollout]`. `RolloutSection` and `RolloutPolicy` are both made from this list; what a key
/// does is said once more, in the rollout's state machine.
macro_rules! rollout_keys {
    ($make:ident $name:ident $($more:tt)*) => {
        $make! {
            /// How containers are replaced. The names and meanings are Nomad's; `order` is Docker Swarm's.
            "`[rollout]`" $name {
                /// Which container comes first; with `blue-green` all new ones are ready before requests are switched to them.
                #[default = "`stop-first` with a fixed port or the host's network, else `start-first`"]
                order: Order => Option<Order>,
                /// How many containers are replaced at a time.
                #[default(Count::Number(1))]
                max_parallel: Count => Count,
                /// How many containers are replaced first, on their own.
                #[default(0)]
                canary: u16 => u16,
                /// The share of all requests that the canaries get until the others follow, for balancers that have a
                /// weight: `"5%"`. At most an equal share.
                #[default = "an equal share"]
                canary_weight: Percentage => Option<Percentage>,
                /// How long healthy canaries serve before the others follow, or before the question.
                #[default(DurationValue::seconds(0))]
                canary_time: DurationValue => Duration,
                /// Whether the others follow healthy canaries without a question.
                #[default(true)]
                auto_promote: bool => bool,
                /// How long a container must be ready without a break before it counts as healthy.
                #[default(DurationValue::seconds(2))]
                min_healthy_time: DurationValue => Duration,
                /// How long a container may take to become healthy. One that was updated and stops being ready
                /// has the same time to recover before it counts as failed.
                #[default(DurationValue::seconds(60))]
                healthy_deadline: DurationValue => Duration,
                /// The longest that a rollout may go on without one more healthy container.
                #[default(DurationValue::seconds(600))]
                progress_deadline: DurationValue => Duration,
                /// Whether a failure returns every host that the deploy has changed.
                #[default(true)]
                auto_revert: bool => bool,
                /// How many containers of the whole rollout may fail before it stops. Updated containers are
                /// watched until it ends, and one that dies counts.
                #[default(0)]
                max_failures: u16 => u16,
            }
            $($more)*
        }
    };
}
pub(crate) use rollout_keys;

rollout_keys!(section RolloutSection);
