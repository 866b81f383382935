//! Who gets the lock, who waits for it, and what those are shown who do not get it.

use std::{cell::RefCell, collections::BTreeSet};

use futures::{
    FutureExt,
    future::{LocalBoxFuture, ready},
};

use super::*;
use crate::{
    hosts::{HostError, failed},
    model::HostName,
    release::{Number, Record, RecordKey, Terms},
    state::backend::{LastingLock, StoredRecords},
    transport::Output,
};

/// A backend that keeps no records, and whose locks are as a test wants them.
#[derive(Default)]
struct Locks {
    lasting: Option<LastingLock>,
    held_by: Option<&'static str>,
    account: Option<&'static str>,
    may_not_look: bool,
    /// The run that has the lock ends then.
    ends_at: Option<Instant>,
    /// Another one is first then.
    next: Option<&'static str>,
}

impl Backend for Locks {
    fn try_lock<'a>(
        &'a self,
        _holder: &'a str,
    ) -> LocalBoxFuture<'a, Result<Attempt, HostFailure>> {
        let has_ended = self.ends_at.is_some_and(|at| at <= Instant::now());
        let held_by = if has_ended { self.next } else { self.held_by };
        let attempt = match held_by {
            None if has_ended => {
                let (_, lost) = tokio::sync::watch::channel(None);
                Ok(Attempt::Taken {
                    lock: Lock::new(tokio::spawn(async {}), lost),
                    weakness: None,
                })
            }
            Some(name) => Ok(Attempt::HeldBy(Holder {
                name: name.to_owned(),
                account: self.account.map(str::to_owned),
            })),
            None => Err((
                "host-1".into(),
                HostError::Fact("no flock there".to_owned()),
            )),
        };
        ready(attempt).boxed_local()
    }

    fn forget_lock(&self) -> LocalBoxFuture<'_, Result<(), HostFailure>> {
        async { Ok(()) }.boxed_local()
    }

    fn lock_requirement(&self) -> &'static str {
        "install flock"
    }

    fn lasting_lock(&self) -> LocalBoxFuture<'_, Result<Option<LastingLock>, HostFailure>> {
        let looked = if self.may_not_look {
            let denied = "permission denied while trying to connect to the Docker daemon";
            let output = Output {
                status: 1,
                stdout: String::new(),
                stderr: denied.to_owned(),
            };
            Err(("host-1".into(), failed("docker volume ls".into(), &output)))
        } else {
            Ok(self.lasting.clone())
        };
        ready(looked).boxed_local()
    }

    fn place_lasting_lock<'a>(
        &'a self,
        _lock: &'a LastingLock,
    ) -> LocalBoxFuture<'a, Result<(), HostFailure>> {
        ready(Ok(())).boxed_local()
    }

    fn release_lasting_lock(&self) -> LocalBoxFuture<'_, Result<(), HostFailure>> {
        ready(Ok(())).boxed_local()
    }

    fn read_records<'a>(
        &'a self,
        _terms: Terms<'a>,
        _: Duration,
    ) -> LocalBoxFuture<'a, StoredRecords> {
        ready(StoredRecords::default()).boxed_local()
    }

    fn write_records<'a>(
        &'a self,
        _records: &'a [Record],
        _key: Option<&'a RecordKey>,
    ) -> LocalBoxFuture<'a, Vec<HostFailure>> {
        ready(Vec::new()).boxed_local()
    }

    fn sign_records<'a>(
        &'a self,
        _records: &'a [Record],
        _key: &'a RecordKey,
    ) -> LocalBoxFuture<'a, Vec<HostFailure>> {
        ready(Vec::new()).boxed_local()
    }

    fn remove_records<'a>(
        &'a self,
        _releases: &'a BTreeSet<Number>,
        _except: &'a BTreeSet<HostName>,
    ) -> LocalBoxFuture<'a, Vec<HostFailure>> {
        ready(Vec::new()).boxed_local()
    }

    fn remove_all_records(&self) -> LocalBoxFuture<'_, Vec<HostFailure>> {
        ready(Vec::new()).boxed_local()
    }
}

/// What bob is shown who deploys `staging`, line by line.
async fn shown(locks: Locks) -> Vec<String> {
    waiting(&locks, Duration::ZERO).await.1
}

/// What bob is told while he waits, and what he is shown when he has not got the lock.
async fn waiting(locks: &Locks, wait: Duration) -> (Vec<String>, Vec<String>) {
    let told = RefCell::new(Vec::new());
    let queue = Queue {
        backend: locks,
        environment: "staging",
        holder: &|| "bob@desk (deploy)".to_owned(),
        wait,
        tell: &|message| told.borrow_mut().push(message),
    };
    let taken = queue.take().await;
    let shown = taken.map_or_else(|stop| lines(*stop), |_| Vec::new());
    (told.into_inner(), shown)
}

fn lines(stop: Stop) -> Vec<String> {
    let report = stop.report;
    let outcome = stop.outcome.exit_code().to_string();
    [outcome, report.message]
        .into_iter()
        .chain(report.causes)
        .chain(report.hint)
        .collect()
}

#[tokio::test]
async fn a_lasting_lock_comes_before_one_that_is_held() {
    let lasting = Some(LastingLock {
        message: "the database moves".to_owned(),
        by: "alice@laptop".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    });
    let held_by = Some("carol@ci (deploy)");
    assert_eq!(
        shown(Locks {
            lasting,
            held_by,
            ..Locks::default()
        })
        .await,
        [
            "4",
            "`staging` is locked by alice@laptop since 1970-01-01 00:00 UTC: the database moves",
            "shipit unlock staging"
        ]
    );
}

#[tokio::test]
async fn who_holds_the_lock_is_shown() {
    let held_by = |holder| Locks {
        held_by: Some(holder),
        ..Locks::default()
    };
    let hint = "`--wait 10m` waits until that run ends; the lock ends with it";
    assert_eq!(
        shown(held_by("carol@ci (deploy)")).await,
        ["4", "`staging` is being changed by carol@ci (deploy)", hint]
    );
    assert_eq!(
        shown(held_by("")).await,
        ["4", "`staging` is being changed by someone else", hint]
    );
    let with_account = Locks {
        account: Some("`deploy` on `host-1`"),
        ..held_by("carol@ci (deploy)")
    };
    assert_eq!(
        shown(with_account).await[1],
        "`staging` is being changed by carol@ci (deploy), as `deploy` on `host-1`"
    );
}

#[tokio::test(start_paused = true)]
async fn who_waits_gets_the_lock_when_the_run_that_has_it_ends() {
    let began = Instant::now();
    let locks = Locks {
        held_by: Some("carol@ci (deploy)"),
        ends_at: Some(began + Duration::from_secs(61)),
        ..Locks::default()
    };
    let (told, shown) = waiting(&locks, Duration::from_secs(600)).await;
    let held = "waiting up to 10m for the lock: `staging` is being changed by carol@ci (deploy)";
    assert_eq!((told, shown), (vec![held.to_owned()], Vec::new()));
    assert_eq!(began.elapsed(), Duration::from_secs(62));
}

#[tokio::test(start_paused = true)]
async fn who_waits_in_vain_is_told_of_each_holder_and_gives_up_in_time() {
    let began = Instant::now();
    let locks = Locks {
        held_by: Some("carol@ci (deploy)"),
        ends_at: Some(began + Duration::from_secs(30)),
        next: Some("dan@desk (rollback)"),
        ..Locks::default()
    };
    let (told, shown) = waiting(&locks, Duration::from_secs(45)).await;
    assert_eq!(
        told,
        [
            "waiting up to 45s for the lock: `staging` is being changed by carol@ci (deploy)",
            "waiting up to 15s for the lock: `staging` is being changed by dan@desk (rollback)",
        ]
    );
    assert_eq!(
        shown,
        [
            "4",
            "`staging` is being changed by dan@desk (rollback)",
            "waited 45s for it",
            "try again when that run ends; the lock ends with it",
        ]
    );
    assert_eq!(began.elapsed(), Duration::from_secs(45));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_lasting_lock() {
    let lasting = LastingLock {
        message: "the database moves".to_owned(),
        by: "alice@laptop".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    };
    let (began, lasting) = (Instant::now(), Some(lasting));
    let locks = Locks {
        lasting,
        ..Locks::default()
    };
    let (told, shown) = waiting(&locks, Duration::from_secs(600)).await;
    assert_eq!((told, shown[0].as_str()), (Vec::new(), "4"));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn who_may_not_use_docker_is_not_told_of_what_the_lock_needs() {
    let shown = shown(Locks {
        may_not_look: true,
        ..Locks::default()
    })
    .await;
    assert_eq!(
        shown[1],
        "cannot find out on `host-1` whether the environment is locked"
    );
    let hint = shown.last().expect("a hint");
    assert!(hint.contains("usermod -aG docker"), "{hint}");
}

#[tokio::test]
async fn a_lock_that_cannot_be_taken_says_what_it_needs() {
    assert_eq!(
        shown(Locks::default()).await,
        [
            "3",
            "cannot take the lock on `host-1`",
            "no flock there",
            "install flock"
        ]
    );
}
