//! The channel from those who send events to those who show them.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{
    OwnedSemaphorePermit, Semaphore,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::kind::{Event, EventKind, OutputStream};

/// How many bytes of commands' output may wait to be shown. Whoever sends more waits until some were.
const ROOM: usize = 256 * 1024 * 1024;

/// How many of them may wait in memory for whoever sorts them out.
const INTAKE: usize = 2 * 1024 * 1024;

/// What a line costs beside its text.
const LINE_OVERHEAD: usize = 256;

/// Where events go. Cheap to clone.
///
/// What a run says of itself is little, and [`Events::send`] never waits: a paused terminal must not hold up a
/// rollout. What commands print may be endless, so [`Events::output`] waits for its reader.
#[derive(Debug, Clone)]
pub struct Events {
    sender: UnboundedSender<Unshown>,
    intake: Arc<Semaphore>,
    room: Arc<Semaphore>,
}

/// An event that was not shown yet, and the room that it takes up until it is dropped.
#[derive(Debug)]
pub struct Unshown {
    /// The event.
    pub event: Event,
    /// What it takes of the room for output, until it is shown.
    pub room: Option<OwnedSemaphorePermit>,
    /// What it takes of the room in the channel.
    intake: Option<OwnedSemaphorePermit>,
}

impl Unshown {
    /// An event that takes no room.
    pub fn small(event: Event) -> Self {
        Self {
            event,
            room: None,
            intake: None,
        }
    }

    /// A line of output, with the room that it takes until it is shown.
    pub fn output(event: Event, room: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            room,
            ..Self::small(event)
        }
    }

    /// It is out of the channel, and waits somewhere else from here on.
    pub fn leave_channel(&mut self) {
        drop(self.intake.take());
    }
}

/// The end that receives events, in order.
#[derive(Debug)]
pub struct Receiver(UnboundedReceiver<Unshown>);

impl Events {
    /// A new stream of events: the end that sends and the end that receives, in order.
    pub fn channel() -> (Self, Receiver) {
        Self::channel_with_room(ROOM)
    }

    /// A stream of events with room for so many bytes of output.
    pub fn channel_with_room(bytes: usize) -> (Self, Receiver) {
        let (sender, receiver) = unbounded_channel();
        let events = Self {
            sender,
            intake: Arc::new(Semaphore::new(INTAKE)),
            room: Arc::new(Semaphore::new(bytes)),
        };
        (events, Receiver(receiver))
    }

    /// Sends one event, stamped with the current time.
    pub fn send(&self, kind: EventKind) {
        let at = Timestamp::now();
        self.put(Unshown::small(Event { at, kind }));
    }

    /// Sends a line that a command printed, once there is room for it.
    pub fn output(
        &self,
        host: String,
        stream: OutputStream,
        line: String,
    ) -> impl Future<Output = ()> + Send + use<> {
        self.output_of(host, None, stream, line)
    }

    /// Sends a line that a container logged, once there is room for it.
    pub fn output_of(
        &self,
        host: String,
        container: Option<String>,
        stream: OutputStream,
        line: String,
    ) -> impl Future<Output = ()> + Send + use<> {
        let events = self.clone();
        // No line is as long as all the room there is, but one that were must not wait for ever.
        let most = u32::try_from(INTAKE / 2).unwrap_or(u32::MAX);
        let cost = u32::try_from(line.len() + LINE_OVERHEAD).map_or(most, |cost| cost.min(most));
        async move {
            // The semaphores are never closed, so this only waits.
            let room = Arc::clone(&events.room).acquire_many_owned(cost).await;
            let intake = Arc::clone(&events.intake).acquire_many_owned(cost).await;
            let kind = EventKind::Output {
                host,
                container,
                stream,
                line,
            };
            let at = Timestamp::now();
            events.put(Unshown {
                intake: intake.ok(),
                ..Unshown::output(Event { at, kind }, room.ok())
            });
        }
    }

    fn put(&self, unshown: Unshown) {
        // A reporter that is gone (a closed pipe) must not stop a deploy.
        let _ = self.sender.send(unshown);
    }
}

impl Receiver {
    /// The next event, with the room that it takes up; `None` when every sender is gone.
    pub async fn next(&mut self) -> Option<Unshown> {
        self.0.recv().await
    }

    /// The next event that is there now, with the room that it takes up.
    #[cfg(test)]
    pub fn try_next_unshown(&mut self) -> Option<Unshown> {
        self.0.try_recv().ok()
    }

    /// The next event, taken as shown; `None` when there is none now.
    pub fn try_next(&mut self) -> Option<Event> {
        Some(self.0.try_recv().ok()?.event)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn print(events: &Events) -> impl Future<Output = ()> + use<> {
        events.output("host-1".into(), OutputStream::Stdout, "a line".into())
    }

    #[tokio::test]
    async fn output_waits_for_its_reader_and_nothing_else_does() {
        let (events, mut receiver) = Events::channel_with_room(2 * (LINE_OVERHEAD + 6));
        print(&events).await;
        print(&events).await;
        let mut third = Box::pin(print(&events));
        assert!((&mut third).now_or_never().is_none(), "there is no room");
        events.send(EventKind::Answered);
        let first = receiver.next().await.expect("it was sent");
        assert!((&mut third).now_or_never().is_none(), "it is not shown yet");
        drop(first);
        third.await;
        let kinds = std::iter::from_fn(|| receiver.try_next());
        let answered = kinds.map(|event| event.kind == EventKind::Answered);
        assert_eq!(answered.collect::<Vec<_>>(), [false, true, false]);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_reader_that_is_gone() {
        let (events, receiver) = Events::channel_with_room(LINE_OVERHEAD + 6);
        print(&events).await;
        drop(receiver);
        for _ in 0..3 {
            print(&events).await;
        }
    }
}
