//! What is done once to a container.

/// Something that the driver does once and that ends by itself, well or badly. Each is idempotent: a
/// revert may ask for what is already so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The container runs, out of maintenance: made if it is not there, else started. The recipe's
    /// `before` and `after` commands belong to this step.
    Start,
    /// The container runs as after `Start`, but is kept out of traffic until `Switch`.
    StartHeld,
    /// From now on requests go to the containers of this side, and where a list says so at once, to no others: in
    /// every slot together.
    Switch,
    /// A `docker stop` that may still be under way has ended, as a release that was cut off can leave one.
    OutlastStop,
    /// It runs still, out of maintenance; started again if it has stopped.
    Resume,
    /// Balancers that do not learn of it by themselves are told of it.
    EnterRotation,
    /// It is taken out of traffic: its services are in Consul's maintenance mode, or balancers are told to leave it.
    EnterMaintenance,
    /// `docker stop` with its timeout; fine if it is not there.
    Stop,
    /// What Consul still has of it is deregistered through the agent that owns it.
    Deregister,
    /// The stopped container is kept for a rollback: restart policy off.
    Retire,
}
