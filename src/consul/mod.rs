//! A typed client for the HTTP API of Consul's agent, over streams that SSH opens: nobody has to expose
//! port 8500. Paths and JSON are those of Consul's API documentation (v1).

mod access;
mod agent;
mod error;
mod types;

#[cfg(any(test, fuzzing))]
pub(crate) use types::{RaftConfiguration, join};

pub use access::{Access, NoAccess};
pub use agent::Agent;
pub use error::{ConsulError, Lack};
pub use types::{AgentCheck, AgentService, CheckStatus, Member, ServiceInstance};
