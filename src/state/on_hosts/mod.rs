//! State on the environment's own hosts: the locks on its first host, each host's records on that host and the
//! next one.

pub mod lasting_lock;
pub mod lock;
pub mod records;
