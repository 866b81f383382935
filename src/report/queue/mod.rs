//! What waits for the reader of standard output, in order: a little of it in memory, more of it in a file.
//!
//! A command that has to wait for its reader holds up the whole connection to its host, the lock's heartbeat too, and
//! a server that hears nothing for minutes ends it. So a reader may be late by much more than memory should hold.

mod spill;

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;

use self::spill::Spill;
use crate::event::{Event, EventKind, Unshown};

/// How many bytes of output wait in memory.
const MEMORY: usize = 4 * 1024 * 1024;

/// The end that takes events in.
pub(super) struct Sender(Arc<Queue>);

/// The end that hands them out.
pub(super) struct Receiver(Arc<Queue>);

/// What comes next.
pub(super) enum Next {
    /// This.
    Event(Unshown),
    /// Nothing within the time.
    Nothing,
    /// Nothing ever.
    End,
}

/// A queue: its two ends.
pub(super) fn queue() -> (Sender, Receiver) {
    with_memory(MEMORY)
}

fn with_memory(memory: usize) -> (Sender, Receiver) {
    let queue = Arc::new(Queue {
        state: Mutex::new(State {
            waiting: VecDeque::new(),
            in_memory: 0,
            memory,
            spill: None,
            is_closed: false,
            is_abandoned: false,
        }),
        changed: Condvar::new(),
    });
    (Sender(Arc::clone(&queue)), Receiver(queue))
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waiting: VecDeque<Waiting>,
    /// The bytes of output in memory, and how many there may be.
    in_memory: usize,
    memory: usize,
    spill: Option<Spill>,
    /// Nobody sends any more.
    is_closed: bool,
    /// Nobody shows anything any more.
    is_abandoned: bool,
}

enum Waiting {
    Here(Unshown),
    /// So many lines of output, in the file.
    Spilled(u64),
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sender {
    /// Takes an event in. It never waits for the reader.
    pub(super) fn send(&self, mut unshown: Unshown) {
        unshown.leave_channel();
        self.0.lock().push(unshown);
        self.0.changed.notify_one();
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.changed.notify_one();
    }
}

impl Receiver {
    /// What comes next, within a time.
    pub(super) fn next(&self, within: Duration) -> Next {
        let is_idle = |state: &mut State| state.waiting.is_empty() && !state.is_closed;
        let waited = self
            .0
            .changed
            .wait_timeout_while(self.0.lock(), within, is_idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.pop() {
            Some(unshown) => Next::Event(unshown),
            None if state.is_closed => Next::End,
            None => Next::Nothing,
        }
    }
}

/// Whoever waits for room must not wait for a reporter that has panicked.
impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_abandoned = true;
        state.waiting.clear();
        state.spill = None;
    }
}

impl State {
    fn push(&mut self, unshown: Unshown) {
        if self.is_abandoned {
            return;
        }
        let size = size_of(&unshown);
        let is_full = size > 0 && self.in_memory + size > self.memory;
        let kept = if is_full {
            self.spill(unshown)
        } else {
            Some(unshown)
        };
        if let Some(unshown) = kept {
            self.in_memory += size;
            self.waiting.push_back(Waiting::Here(unshown));
        }
    }

    /// Puts a line into the file; returns it where that is not possible.
    fn spill(&mut self, unshown: Unshown) -> Option<Unshown> {
        let unshown = match &mut self.spill {
            Some(spill) => spill.write(unshown),
            None => match Spill::new() {
                Ok(mut spill) => {
                    let unshown = spill.write(unshown);
                    self.spill = Some(spill);
                    unshown
                }
                Err(_) => Some(unshown),
            },
        };
        match (&unshown, self.waiting.back_mut()) {
            // Without the file there is only the room that memory has.
            (Some(unshown), _) => {
                if let Some(room) = &unshown.room {
                    let semaphore = room.semaphore();
                    semaphore.forget_permits(semaphore.available_permits());
                }
            }
            (None, Some(Waiting::Spilled(lines))) => *lines += 1,
            (None, _) => self.waiting.push_back(Waiting::Spilled(1)),
        }
        unshown
    }

    fn pop(&mut self) -> Option<Unshown> {
        if let Some(Waiting::Spilled(lines)) = self.waiting.front_mut() {
            *lines -= 1;
            let left = *lines;
            if left == 0 {
                self.waiting.pop_front();
            }
            let read = self.spill.as_mut()?.read();
            return Some(read.unwrap_or_else(|error| {
                if left > 0 {
                    self.waiting.pop_front();
                }
                lost(left + 1, &error)
            }));
        }
        let Waiting::Here(unshown) = self.waiting.pop_front()? else {
            return None;
        };
        self.in_memory -= size_of(&unshown);
        Some(unshown)
    }
}

/// The bytes of memory that count: those of output.
fn size_of(unshown: &Unshown) -> usize {
    let room = unshown.room.as_ref();
    room.map_or(0, OwnedSemaphorePermit::num_permits)
}

/// What is shown in the place of lines that the file does not give back.
fn lost(lines: u64, error: &std::io::Error) -> Unshown {
    Unshown::small(Event {
        at: Timestamp::now(),
        kind: EventKind::Warning {
            host: None,
            message: format!(
                "{lines} lines of output are lost: cannot read them back from a temporary file: {error}"
            ),
            hint: None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Events, OutputStream};

    /// Prints numbered lines of many lengths, each third with a note behind it.
    async fn print(events: &Events, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let line = format!("{number} {}", "é".repeat(number % 200));
            let stream = if number % 2 == 0 {
                OutputStream::Stdout
            } else {
                OutputStream::Stderr
            };
            events
                .output(format!("host-{}", number % 5), stream, line)
                .await;
            if number % 3 == 0 {
                let message = format!("after {number}");
                events.send(EventKind::Note { message });
            }
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_into_memory_comes_back_as_it_was_and_in_order() {
        const LINES: usize = 1_500;
        let (events, mut sent) = Events::channel();
        let (expected, mut wanted) = Events::channel();
        print(&expected, 0..LINES).await;
        let (sender, receiver) = with_memory(10_000);
        let mut came = Vec::new();
        // The reader is late, catches up in the middle, and is late again.
        for part in [0..500, 500..LINES] {
            print(&events, part).await;
            while let Some(event) = sent.try_next_unshown() {
                sender.send(event);
            }
            let state = receiver.0.lock();
            assert!(state.in_memory <= 10_000, "{}", state.in_memory);
            drop(state);
            while let Next::Event(unshown) = receiver.next(Duration::ZERO) {
                came.push(unshown.event.kind);
            }
        }
        let wanted: Vec<_> = std::iter::from_fn(|| wanted.try_next())
            .map(|event| event.kind)
            .collect();
        assert!(came == wanted, "{} of {}", came.len(), wanted.len());
        drop(sender);
        assert!(matches!(receiver.next(Duration::ZERO), Next::End));
    }

    #[tokio::test]
    async fn a_line_has_its_room_until_it_is_taken_out_wherever_it_waits() {
        let line = || "a line".to_owned();
        let (events, mut sent) = Events::channel_with_room(3_000);
        let (sender, receiver) = with_memory(0);
        let mut printed = 0;
        let mut print = async || {
            let print = events.output("host-1".into(), OutputStream::Stdout, line());
            let has_room = tokio::time::timeout(Duration::ZERO, print).await.is_ok();
            if let Some(unshown) = sent.try_next_unshown() {
                sender.send(unshown);
            }
            has_room
        };
        while print().await {
            printed += 1;
        }
        assert!(printed > 5, "{printed}");
        assert!(matches!(receiver.next(Duration::ZERO), Next::Event(_)));
        assert!(print().await, "one was taken out");
        assert!(!print().await);
        drop(receiver);
        for _ in 0..2 * printed {
            assert!(print().await, "nobody shows anything any more");
        }
    }
}
