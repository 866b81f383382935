//! How many channels of a connection may be open at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Channels that may be open on one connection at once. sshd's `MaxSessions` is 10 by default; the tenth
/// is left for a session that has ended and that sshd has not yet cleared away.
const CHANNELS: usize = 9;

/// The places of one connection. There are fewer after the server has refused one.
pub(super) struct Places {
    free: Arc<Semaphore>,
    all: AtomicUsize,
}

impl Places {
    pub(super) fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(CHANNELS)),
            all: AtomicUsize::new(CHANNELS),
        }
    }

    /// Waits for a free place.
    pub(super) async fn take(self: &Arc<Self>) -> Place {
        let permit = Arc::clone(&self.free).acquire_owned().await;
        Place {
            // The semaphore is never closed.
            permit: permit.ok(),
            places: Arc::clone(self),
        }
    }
}

/// One place, free again when dropped.
pub(super) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    places: Arc<Places>,
}

impl Place {
    /// Whether no other place is taken.
    pub(super) fn is_the_only_one(&self) -> bool {
        let all = self.places.all.load(Ordering::SeqCst);
        self.places.free.available_permits() + 1 >= all
    }

    /// Takes the place out of use for good: the server has fewer.
    pub(super) fn abolish(mut self) {
        if let Some(permit) = self.permit.take() {
            self.places.all.fetch_sub(1, Ordering::SeqCst);
            permit.forget();
        }
    }
}
