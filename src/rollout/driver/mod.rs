//! Carries out what the machine of a rollout decides: performs its steps, looks at its gates, keeps its time, and
//! reports back. Nothing is decided here.

mod describe;
mod drive;
mod policy;
mod progress;
mod promotion;
mod running;
mod watches;

pub use describe::headline;
pub use drive::{Driven, drive};
pub use policy::policy;
pub use promotion::Promotion;
pub use running::Running;
