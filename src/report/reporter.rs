//! What every reporter can do.

use jiff::Timestamp;

use crate::event::Event;

/// Shows events to someone. Infallible: what cannot be shown is lost, as a closed pipe must not stop a
/// deploy.
pub trait Reporter {
    /// Something happened.
    fn event(&mut self, event: &Event);

    /// Time has passed: about ten times a second.
    fn tick(&mut self, now: Timestamp) {
        let _ = now;
    }
}

/// A reporter that [`drive()`](super::drive()) can own.
pub type BoxedReporter = Box<dyn Reporter + Send>;
