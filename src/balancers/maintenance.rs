//! Consul's maintenance mode: which of it is ours, and which a person's.

use crate::consul::ServiceInstance;

/// How the reason begins that Consul is given for a maintenance mode of ours, so that one which a person
/// asked for is left alone.
pub const MAINTENANCE: &str = "shipit ";

/// Whether a deploy of ours put a service into maintenance mode.
pub fn is_own_maintenance(service: &ServiceInstance) -> bool {
    let mut reason = service.maintenance().into_iter();
    reason.any(|reason| reason.starts_with(MAINTENANCE))
}

/// Why a person keeps a service out of traffic, if one does: that is theirs to end.
pub fn operator_maintenance(service: &ServiceInstance) -> Option<&str> {
    service
        .maintenance()
        .filter(|_| !is_own_maintenance(service))
}
