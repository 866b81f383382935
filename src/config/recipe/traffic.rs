//! `[drain]`, `[balancer]` and `[probe]`.

use super::super::{
    section::section,
    values::{DurationValue, Line, Script},
};
use crate::diagnostic::Located;

section! {
    /// How traffic is taken away from a container before it is stopped.
    "`[drain]`" DrainSection {
        /// The recipes of the balancers that must have stopped routing to it. They come up before it, as if it
        /// required them.
        balancers: Vec<Located<String>>,
        /// A pause after that, for balancers whose old workers still finish.
        #[default(DurationValue::seconds(1))]
        wait: DurationValue,
        /// The longest to wait for its connections to end.
        #[default(DurationValue::seconds(30))]
        timeout: DurationValue,
    }
}

section! {
    /// How a load balancer tells what it routes to.
    "`[balancer]`" BalancerSection {
        /// A command that prints every `ADDRESS:PORT` that the balancer routes to now.
        #[needed = "needed"]
        upstreams: Script,
    }
}

section! {
    /// A steady stream of GET requests for the length of a rollout.
    "`[probe]`" ProbeSection {
        /// The URL, `http://…`.
        #[needed = "needed"]
        url: Line,
        /// Requests a second.
        #[default(20)]
        #[range(1.., "no requests a second")]
        rate: u16,
        /// The status that each must answer.
        #[default = "any from 200 to 399"]
        #[range(100..=599, "`{}` is not an HTTP status")]
        status: u16,
        /// How many may fail before the rollout stops.
        #[default(0)]
        budget: u64,
        /// The longest that one request may take.
        #[default(DurationValue::seconds(5))]
        #[range(1.., "no time to answer")]
        timeout: DurationValue,
        /// Send them through the SSH connection of this host.
        #[default = "from the deployer"]
        through: String,
    }
}
