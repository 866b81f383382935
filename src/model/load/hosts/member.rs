//! A host of the environment, as the rest of the loading sees it.

use serde_json::{Map, Value};

use crate::{
    diagnostic::Located,
    model::{Host, Name},
};

/// A host and what it says to templates.
pub(in super::super) struct Member {
    /// The host.
    pub host: Host,
    /// Its address as the file has it, which may be a range.
    pub written: Located<String>,
    /// Its vars: the inventory's, its groups', its own, `--set`.
    pub vars: Map<String, Value>,
}

/// The hosts, and the groups that they make.
pub(in super::super) struct Members {
    /// In the inventory's order.
    pub hosts: Vec<Member>,
    /// The groups in the order in which the hosts name them.
    pub groups: Vec<Name>,
    /// The inventory's vars and `--set`, for what is about no host.
    pub vars: Map<String, Value>,
}
