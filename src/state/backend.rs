//! What any place that keeps state must be able to do.

use std::{collections::BTreeSet, time::Duration};

use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    hosts::HostFailure,
    model::HostName,
    release::{Number, Reading, Record, RecordKey, Terms},
};

/// Where one environment's state is kept.
///
/// Every failure names a host: whatever keeps the state, it is reached through the session to one. Each method
/// has a deadline of its own.
pub trait Backend {
    /// Tries to take the lock. `holder` is the line that everyone else is shown, such as
    /// `alice@laptop (deploy, since 2026-11-26 10:00:00 UTC)`.
    ///
    /// The lock does not outlive its holder: it is free again soon after the returned [`Lock`] is dropped, or
    /// after its process is killed or cut off.
    fn try_lock<'a>(&'a self, holder: &'a str) -> LocalBoxFuture<'a, Result<Attempt, HostFailure>>;

    /// Removes what the lock has left where it is kept, for an environment that is no more. Whoever has the lock by then
    /// keeps it.
    fn forget_lock(&self) -> LocalBoxFuture<'_, Result<(), HostFailure>>;

    /// What the lock needs where it is kept: the hint when it cannot be taken.
    fn lock_requirement(&self) -> &'static str;

    /// The lasting lock, if there is one.
    fn lasting_lock(&self) -> LocalBoxFuture<'_, Result<Option<LastingLock>, HostFailure>>;

    /// Places the lasting lock. It stays until it is released, whoever placed it.
    fn place_lasting_lock<'a>(
        &'a self,
        lock: &'a LastingLock,
    ) -> LocalBoxFuture<'a, Result<(), HostFailure>>;

    /// Releases the lasting lock. Without one there is nothing to do.
    fn release_lasting_lock(&self) -> LocalBoxFuture<'_, Result<(), HostFailure>>;

    /// Reads the records of all releases. What does not answer within `deadline` is a failure.
    fn read_records<'a>(
        &'a self,
        terms: Terms<'a>,
        deadline: Duration,
    ) -> LocalBoxFuture<'a, StoredRecords>;

    /// Writes records, signed where there is a key; one of the same release and host that is not finished is
    /// replaced. A run that is cut off meanwhile leaves the old record or the new one, never none.
    fn write_records<'a>(
        &'a self,
        records: &'a [Record],
        key: Option<&'a RecordKey>,
    ) -> LocalBoxFuture<'a, Vec<HostFailure>>;

    /// Signs records that are there: each is written in its own place.
    fn sign_records<'a>(
        &'a self,
        records: &'a [Record],
        key: &'a RecordKey,
    ) -> LocalBoxFuture<'a, Vec<HostFailure>>;

    /// Removes the records of these releases, but not those about a host in `except`.
    fn remove_records<'a>(
        &'a self,
        releases: &'a BTreeSet<Number>,
        except: &'a BTreeSet<HostName>,
    ) -> LocalBoxFuture<'a, Vec<HostFailure>>;

    /// Removes every record, also those that cannot be read. A lasting lock stays.
    fn remove_all_records(&self) -> LocalBoxFuture<'_, Vec<HostFailure>>;
}

/// What came of trying to take the lock.
pub enum Attempt {
    /// This run has it.
    Taken {
        /// It.
        lock: Lock,
        /// What is said once where accounts that may not deploy can hold it up: the fact, and what to type.
        weakness: Option<Advice>,
    },
    /// This holder has it.
    HeldBy(Holder),
    /// Somebody is in the way who could not take it; or the place for it is not to be trusted.
    Obstructed(Advice),
}

/// A fact, and what to type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// The fact.
    pub fact: String,
    /// What to type.
    pub hint: String,
}

/// Who has the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// What the holder says of itself. Empty when it has left no name.
    pub name: String,
    /// The account that really holds it, and where.
    pub account: Option<String>,
}

/// The lock, for as long as this lives.
pub struct Lock {
    keeping: JoinHandle<()>,
    lost: watch::Receiver<Option<String>>,
}

impl Lock {
    /// A lock that is held for as long as the task `keeping` runs. The task writes to `lost` why it no longer
    /// can.
    pub fn new(keeping: JoinHandle<()>, lost: watch::Receiver<Option<String>>) -> Self {
        Self { keeping, lost }
    }

    /// Why the lock is lost, if it is.
    pub fn is_lost(&self) -> Option<String> {
        self.lost.borrow().clone()
    }

    /// Waits until the lock is lost, so that someone else could take it. Returns why.
    pub async fn lost(&mut self) -> String {
        match self.lost.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

/// The lasting lock (`shipit lock`): a note that keeps everyone from changing the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastingLock {
    /// Why it was placed.
    pub message: String,
    /// Who placed it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The records that could be read.
#[derive(Debug, Default)]
pub struct StoredRecords {
    /// Those that count, and those that are left out.
    pub reading: Reading,
    /// What could not be asked for records.
    pub failures: Vec<HostFailure>,
}
