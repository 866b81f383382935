//! What is to be done on a host, for a person to agree to.

use super::{found::Found, steps::Step};
use crate::model::HostName;

/// What is to be done on one host.
#[derive(Debug, Clone)]
pub struct HostPlan {
    /// The host.
    pub host: HostName,
    /// What it has.
    pub found: Found,
    /// How far its clock is from this machine's, in seconds.
    pub skew: Option<i64>,
    /// What is to be done, in order.
    pub steps: Vec<Step>,
}

impl HostPlan {
    /// What a person agrees to, as lines.
    pub fn lines(&self) -> Vec<String> {
        let host = match &*self.found.distribution.name {
            "" => self.host.to_string(),
            name => format!("{} ({name})", self.host),
        };
        if self.steps.is_empty() {
            return vec![format!("{host}: nothing to do")];
        }
        let steps = self.steps.iter().map(|step| format!("  {step}"));
        std::iter::once(host).chain(steps).collect()
    }
}
