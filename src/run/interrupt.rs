//! Ctrl-C, SIGTERM, and the SIGHUP of a closed terminal. The first asks for an orderly end, the second
//! stops the run at once.

use tokio::sync::watch;

/// What the user wants. `rollout/driver/drive.rs` and `deploy/rollouts/deployment.rs` obey both; everything else ends
/// with the first, as it has changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Finish or revert the hosts in hand, start no other.
    Graceful,
    /// Stop now.
    Immediate,
}

/// The interrupts of this process, one after the other. A clone begins at the one where it was cloned.
#[derive(Clone)]
pub struct Interrupts {
    count: watch::Sender<u8>,
    seen: u8,
}

impl Interrupts {
    /// Listens to SIGINT, SIGTERM and SIGHUP from now on, for as long as the process lives.
    pub fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let interrupts = Self {
            count: watch::Sender::new(0),
            seen: 0,
        };
        let listening = interrupts.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                listening.raise();
            }
        });
        Ok(interrupts)
    }

    /// Counts one more, as if the user had typed it: something else wants the run to end.
    pub fn raise(&self) {
        self.count
            .send_modify(|count| *count = count.saturating_add(1));
    }

    /// The interrupts from now on: those that have been do not count.
    #[must_use]
    pub fn from_now(&self) -> Self {
        let count = self.count.clone();
        let seen = *count.borrow();
        Self { count, seen }
    }

    /// Waits for the next one that this value has not returned yet.
    pub async fn next(&mut self) -> Interrupt {
        let seen = self.seen;
        let mut count = self.count.subscribe();
        // It is closed only when every value of this type is gone, and this one is here.
        let _ = count.wait_for(|count| *count > seen).await;
        self.seen += 1;
        if self.seen == 1 {
            Interrupt::Graceful
        } else {
            Interrupt::Immediate
        }
    }

    /// Whether there was one, returned or not.
    pub fn happened(&self) -> bool {
        *self.count.borrow() > 0
    }
}
