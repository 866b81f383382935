//! How many channels of a connection may be open at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Channels that may be open on one connection at once. sshd's `MaxSessions` is 10 by default; the tenth
/// is left for a session that has ended and that sshd has not yet cleared away.
const CHANNELS: usize = 9;

/// The limit of one connection. It is lower after the server has refused a channel.
pub(super) struct ChannelLimit {
    free: Arc<Semaphore>,
    all: AtomicUsize,
}

impl ChannelLimit {
    pub(super) fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(CHANNELS)),
            all: AtomicUsize::new(CHANNELS),
        }
    }

    /// Whether the server has refused a channel.
    pub(super) fn is_lowered(&self) -> bool {
        self.all.load(Ordering::SeqCst) < CHANNELS
    }

    /// Waits until one more channel may be open.
    pub(super) async fn acquire(self: &Arc<Self>) -> ChannelPermit {
        let permit = Arc::clone(&self.free).acquire_owned().await;
        ChannelPermit {
            // The semaphore is never closed.
            permit: permit.ok(),
            limit: Arc::clone(self),
        }
    }
}

/// Leave for one channel to be open, given back when dropped.
pub(super) struct ChannelPermit {
    permit: Option<OwnedSemaphorePermit>,
    limit: Arc<ChannelLimit>,
}

impl ChannelPermit {
    /// Whether no other permit is taken.
    pub(super) fn is_the_only_one(&self) -> bool {
        let all = self.limit.all.load(Ordering::SeqCst);
        self.limit.free.available_permits() + 1 >= all
    }

    /// Lowers the limit for good by this one: the server allows fewer.
    pub(super) fn forget(mut self) {
        if let Some(permit) = self.permit.take() {
            self.limit.all.fetch_sub(1, Ordering::SeqCst);
            permit.forget();
        }
    }
}
