//! How a rollout is to be done.

use std::time::Duration;

use crate::model::Order;

/// How a rollout is to be done, resolved for its number of slots.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own, and none excludes another"
)]
pub struct Policy {
    /// Which container comes first.
    pub order: Order,
    /// How many slots are in hand at once; at least 1.
    pub max_parallel: usize,
    /// How many slots go first on their own, beside those that run already; 0 for none.
    pub canary: usize,
    /// Whether the others follow without a question.
    pub auto_promote: bool,
    /// Whether canaries get a smaller part of the requests, which ends with their promotion. Then it is asked for also
    /// where no other slot follows.
    pub weighs_canaries: bool,
    /// How long [`Gate::Ready`](super::Gate::Ready) must hold without a break.
    pub min_healthy_time: Duration,
    /// From the moment a slot's `Start` is asked for to ready and routed. Also how long an updated slot may
    /// be without being ready before it has failed after all.
    pub healthy_deadline: Duration,
    /// The longest without another slot becoming healthy, while one is waited for. It moves on with each
    /// that does, and stands still during a promotion's question, a drain and the return of a failed slot.
    pub progress_deadline: Duration,
    /// Whether a failure takes back what was done in every slot.
    pub auto_revert: bool,
    /// How many slots may fail before the rollout stops.
    pub max_failures: usize,
    /// How long the outgoing container is given to leave the balancers and Consul, each.
    pub leave_deadline: Duration,
    /// Whether [`Gate::Quorum`](super::Gate::Quorum) stands before each replacement of an old container. It also means one
    /// slot at a time, whatever `max_parallel` says.
    pub quorum: bool,
    /// Whether traffic comes through balancers: without, the gates `Routed`, `Unrouted` and `Idle` fall
    /// away.
    pub drain: Option<DrainPolicy>,
    /// Whether Consul has the containers: without, `Gone` and `Deregister` fall away. The step
    /// `EnterMaintenance` falls away when there is neither this nor a drain.
    pub registered: bool,
    /// Whether shipit itself registers a container that is ready.
    pub registers: bool,
}

impl Policy {
    /// With blue-green all slots go together, and all or none of them arrive: what else is set has no meaning then.
    /// Balancers are told by the switch.
    #[must_use]
    pub fn settled(mut self) -> Self {
        if self.order == Order::BlueGreen {
            self.max_parallel = usize::MAX;
            self.canary = 0;
            self.weighs_canaries = false;
            self.auto_revert = true;
            self.max_failures = 0;
            self.quorum = false;
            self.registers = false;
            if let Some(drain) = &mut self.drain {
                drain.is_told = false;
            }
        }
        self
    }

    /// Whether all slots arrive or none does, whatever the user interrupts.
    pub(super) fn is_all_or_none(&self) -> bool {
        self.order == Order::BlueGreen
    }
}

/// How an outgoing container is drained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrainPolicy {
    /// A pause after the balancers have left it.
    pub wait: Duration,
    /// The longest to wait for its connections.
    pub timeout: Duration,
    /// Whether balancers are told of a container that is ready: others learn of it by themselves.
    pub is_told: bool,
}
