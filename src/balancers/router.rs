//! What every way of routing requests has to offer to a rollout.

use futures::{FutureExt, future::BoxFuture, stream::BoxStream};

use super::Backend;
use crate::{hosts::HostError, model::HostName, text};

/// What a router answers when it is asked, or how that failed.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, HostError>>;

/// One way in which balancers learn of containers.
///
/// The rollout of a recipe asks in this order: a container is put back when it has started and put in when it is
/// ready, it must be among the [`Routes`] of every balancer before another one goes, it is taken out, it must no longer be among the
/// routes, it is stopped, and it must have no registration left. Everything here may be asked again after it is
/// so, as a revert or the next deploy does.
///
/// No answer is not a yes: what cannot be asked is an error, or [`Routes::Failed`].
pub trait RequestRouter: Send + Sync {
    /// What each balancer routes to now, with the host it runs on. One is asked when the stream comes to it.
    fn routes(&self) -> BoxStream<'_, (HostName, Routes)>;

    /// Tells balancers of containers that are ready, where they do not learn of them by themselves.
    fn put_in<'a>(&'a self, backends: &'a [Backend]) -> Answer<'a, ()>;

    /// Takes containers out, so that balancers route no further request to them. `reason` is for operators who
    /// look there. Fills in what finds the containers later ([`Backend::service_ids`]), and returns a warning
    /// for each that runs and that nothing takes traffic away from.
    fn take_out<'a>(
        &'a self,
        backends: &'a mut [Backend],
        reason: &'a str,
    ) -> Answer<'a, Vec<String>>;

    /// Ends what [`take_out`](Self::take_out) did. An operator's own maintenance mode is left alone.
    fn put_back<'a>(&'a self, backends: &'a [Backend]) -> Answer<'a, ()>;

    /// Keeps containers that have just started out of traffic until the switch of a blue-green rollout, where balancers
    /// would learn of them by themselves; whether that is so now. The others learn of them by the switch.
    fn hold<'a>(&'a self, _: &'a [Backend], _: &'a str) -> Answer<'a, bool> {
        async { Ok(true) }.boxed()
    }

    /// Has requests go to the containers of one slot, which are ready: those of `switch` for all slots at once, where
    /// one write has all.
    fn switch<'a>(&'a self, own: &'a [Backend], _: &'a Switch) -> Answer<'a, ()> {
        async {
            self.put_back(own).await?;
            self.put_in(own).await
        }
        .boxed()
    }

    /// Gives every container the same part of the requests, where canaries have had a smaller one.
    fn weigh_equally(&self) -> Answer<'_, ()> {
        async { Ok(()) }.boxed()
    }

    /// What balancers can learn of one container now. Empty once it has left.
    fn registrations<'a>(&'a self, backend: &'a Backend) -> Answer<'a, Vec<Registration>>;

    /// Takes note that containers have stopped.
    fn forget<'a>(&'a self, backends: &'a [Backend]) -> Answer<'a, ()>;

    /// Takes away what is left of containers that are stopped.
    fn deregister<'a>(&'a self, backends: &'a [Backend]) -> Answer<'a, ()>;
}

/// What a blue-green rollout switches, in all its slots.
pub struct Switch {
    /// Requests go to these.
    pub come: Vec<Backend>,
    /// They no longer go to these.
    pub go: Vec<Backend>,
}

/// The error where some balancers could not be told: each of them routes as before, and `told` have `done` it.
pub(super) fn only_some(
    failures: &[(String, HostError)],
    told: &[String],
    done: &str,
) -> HostError {
    let facts = failures.iter().map(|(name, error)| {
        let why = text::chain(error).join(": ");
        format!("{name} routes as before: {why}")
    });
    let mut facts: Vec<_> = facts.collect();
    if !told.is_empty() {
        facts.push(format!("{} {done}", told.join(" and ")));
    }
    HostError::Fact(facts.join("; "))
}

/// What one balancer said when it was asked what it routes to.
pub enum Routes {
    /// It printed this: every `ADDRESS:PORT` in it is routed to.
    Printed(String),
    /// It could not say; what it printed instead.
    Refused(String),
    /// Its container does not run, so it routes to nothing; which one, and how docker shows it.
    Down {
        /// The container's name.
        container: String,
        /// `exited`, `created`, or `gone`.
        status: String,
    },
    /// It could not be asked.
    Failed(HostError),
}

/// One service under which balancers find a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Its id.
    pub id: String,
    /// The service's name.
    pub service: String,
    /// The port on the host.
    pub port: u16,
    /// What its checks complain of, as one line; `None` when all pass. Maintenance mode is its rotation's.
    pub complaint: Option<String>,
    /// Whether requests may be routed to it.
    pub rotation: Rotation,
}

/// Whether requests may be routed to a container, if it is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// They may.
    In,
    /// A deploy has taken it out.
    OutByDeploy,
    /// An operator has taken it out, for this reason: theirs to end.
    OutByOperator(String),
}
