//! Images on their way over SSH connections, as the archives of `docker save`.
//!
//! An image comes from the deployer's Docker (`from_docker`) or from a host (`from_host`) into a temporary file
//! (`saved`), and from there to any number of hosts (`sender`), without the layers that a host has (`load`, `stream`).
//! A host keeps what arrives until docker has all of it, so that a transfer that is cut off goes on (`partial`).

mod from_docker;
mod from_host;
mod load;
mod partial;
mod saved;
mod sender;
mod stream;
#[cfg(test)]
mod tests;

pub use from_host::save_from_host;
pub use saved::SavedImage;
pub use sender::Sender;
