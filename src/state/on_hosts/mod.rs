//! State on the environment's own hosts: the locks on its first host, each host's records on that host and the
//! next one.

mod lasting_lock;
mod lock;
mod records;

use std::{collections::BTreeSet, time::Duration};

use futures::{FutureExt, future::LocalBoxFuture};

use super::backend::{Attempt, Backend, LastingLock, StoredRecords};
use crate::{
    hosts::{Fleet, HostError, HostFailure, Reached},
    model::{Environment, HostName},
    release::{Number, Record, RecordKey, Terms},
};

/// The state of an environment, on those of its hosts that this run has reached.
pub struct OnHosts<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// The sessions to its hosts.
    pub fleet: &'a Fleet,
}

impl OnHosts<'_> {
    /// Does something on the host that keeps the locks.
    async fn on_lock_host<T>(
        &self,
        work: impl AsyncFnOnce(&Reached) -> Result<T, HostError>,
    ) -> Result<T, HostFailure> {
        let name = &self.environment.lock_host().name;
        let done = match self.fleet.host(name) {
            Some(reached) => work(reached).await,
            None => Err(HostError::Fact(
                "it keeps the lock, and this run has not reached it".to_owned(),
            )),
        };
        done.map_err(|error| (name.clone(), error))
    }
}

impl Backend for OnHosts<'_> {
    fn try_lock<'a>(&'a self, holder: &'a str) -> LocalBoxFuture<'a, Result<Attempt, HostFailure>> {
        let name = &self.environment.name;
        self.on_lock_host(async |reached| lock::try_lock(reached, name, holder).await)
            .boxed_local()
    }

    fn forget_lock(&self) -> LocalBoxFuture<'_, Result<(), HostFailure>> {
        let name = &self.environment.name;
        self.on_lock_host(async |reached| lock::forget(reached, name).await)
            .boxed_local()
    }

    fn lock_requirement(&self) -> &'static str {
        lock::REQUIREMENT
    }

    fn lasting_lock(&self) -> LocalBoxFuture<'_, Result<Option<LastingLock>, HostFailure>> {
        let name = &self.environment.name;
        self.on_lock_host(async |reached| lasting_lock::read(reached, name).await)
            .boxed_local()
    }

    fn place_lasting_lock<'a>(
        &'a self,
        lock: &'a LastingLock,
    ) -> LocalBoxFuture<'a, Result<(), HostFailure>> {
        let name = &self.environment.name;
        self.on_lock_host(async |reached| lasting_lock::place(reached, name, lock).await)
            .boxed_local()
    }

    fn release_lasting_lock(&self) -> LocalBoxFuture<'_, Result<(), HostFailure>> {
        let name = &self.environment.name;
        self.on_lock_host(async |reached| lasting_lock::release(reached, name).await)
            .boxed_local()
    }

    fn read_records<'a>(
        &'a self,
        terms: Terms<'a>,
        deadline: Duration,
    ) -> LocalBoxFuture<'a, StoredRecords> {
        records::read(self.fleet, self.environment, terms, deadline).boxed_local()
    }

    fn write_records<'a>(
        &'a self,
        records: &'a [Record],
        key: Option<&'a RecordKey>,
    ) -> LocalBoxFuture<'a, Vec<HostFailure>> {
        let write = async move |reached: &Reached, record: &Record| {
            records::write_one(reached, record, key).await
        };
        records::on_each(self.fleet, self.environment, records, write).boxed_local()
    }

    fn sign_records<'a>(
        &'a self,
        records: &'a [Record],
        key: &'a RecordKey,
    ) -> LocalBoxFuture<'a, Vec<HostFailure>> {
        let sign = async move |reached: &Reached, record: &Record| {
            records::sign_one(reached, record, key).await
        };
        records::on_each(self.fleet, self.environment, records, sign).boxed_local()
    }

    fn remove_records<'a>(
        &'a self,
        releases: &'a BTreeSet<Number>,
        except: &'a BTreeSet<HostName>,
    ) -> LocalBoxFuture<'a, Vec<HostFailure>> {
        let is_gone = |volume: &_| records::is_of(volume, releases, except);
        let name = &self.environment.name;
        async move {
            if releases.is_empty() {
                return Vec::new();
            }
            records::remove(self.fleet, name, is_gone).await
        }
        .boxed_local()
    }

    fn remove_all_records(&self) -> LocalBoxFuture<'_, Vec<HostFailure>> {
        records::remove(self.fleet, &self.environment.name, |_| true).boxed_local()
    }
}
