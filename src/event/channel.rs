//! The channel from those who send events to those who show them.

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::kind::{Event, EventKind};

/// Where events go. Cheap to clone; sending never blocks and never fails.
#[derive(Debug, Clone)]
pub struct Events {
    sender: UnboundedSender<Event>,
}

impl Events {
    /// A new stream of events: the end that sends and the end that receives, in order.
    pub fn channel() -> (Self, UnboundedReceiver<Event>) {
        let (sender, receiver) = unbounded_channel();
        (Self { sender }, receiver)
    }

    /// Sends one event, stamped with the current time.
    pub fn send(&self, kind: EventKind) {
        // A reporter that is gone (a closed pipe) must not stop a deploy.
        let _ = self.sender.send(Event {
            at: Timestamp::now(),
            kind,
        });
    }
}
