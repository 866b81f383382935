//! Taking the environment's lock: at most one change at a time.

use jiff::Timestamp;

use super::{
    backend::{Advice, Attempt, Backend, Holder, Lock},
    open::open,
};
use crate::{
    event::{EventKind, Outcome, Phase},
    hosts::{Fleet, HostFailure, Run, Stop},
    run::Context,
};

/// Takes the environment's lock for `what`, the word that others are shown.
pub async fn take(context: &Context<'_>, fleet: &Fleet, what: &str) -> Run<Lock> {
    context.events.send(EventKind::Phase { phase: Phase::Lock });
    let since = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
    let holder = format!("{} ({what}, since {since})", context.by);
    let backend = open(context.environment, fleet);
    let (lock, weakness) = take_from(&*backend, &context.environment.name, &holder).await?;
    if let Some(Advice { fact, hint }) = weakness {
        context.events.send(EventKind::Warning {
            host: Some(context.environment.lock_host().name.to_string()),
            message: fact,
            hint: Some(hint),
        });
    }
    Ok(lock)
}

async fn take_from(
    backend: &dyn Backend,
    environment: &str,
    holder: &str,
) -> Run<(Lock, Option<Advice>)> {
    let lasting = backend.lasting_lock().await;
    if let Some(lock) = lasting.map_err(|failure| cannot_look(&failure))? {
        let at = lock.at.strftime("%Y-%m-%d %H:%M UTC");
        return Err(Stop::new(
            Outcome::Locked,
            format!(
                "`{environment}` is locked by {} since {at}: {}",
                lock.by, lock.message
            ),
        )
        .hint(format!("shipit unlock {environment}")));
    }
    let cannot = |failure| cannot_take(backend, &failure);
    match backend.try_lock(holder).await.map_err(cannot)? {
        Attempt::Taken { lock, weakness } => Ok((lock, weakness)),
        Attempt::HeldBy(Holder { name, account }) => {
            let name = if name.is_empty() {
                "someone else"
            } else {
                &name
            };
            let account = account.map_or_else(String::new, |account| format!(", as {account}"));
            Err(Stop::new(
                Outcome::Locked,
                format!("`{environment}` is being changed by {name}{account}"),
            )
            .hint("wait until that run ends; the lock ends with it"))
        }
        Attempt::Obstructed(Advice { fact, hint }) => {
            let message = format!("cannot take the lock of `{environment}`");
            Err(Stop::new(Outcome::NotReady, message).cause(fact).hint(hint))
        }
    }
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
fn cannot_look((host, error): &HostFailure) -> Box<Stop> {
    let message = format!("cannot find out on `{host}` whether the environment is locked");
    Stop::on_host(Outcome::NotReady, message, host, error)
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
fn cannot_take(backend: &dyn Backend, (host, error): &HostFailure) -> Box<Stop> {
    let message = format!("cannot take the lock on `{host}`");
    let stop = Stop::on_host(Outcome::NotReady, message, host, error);
    // What the lock needs there is no help where the host does not answer.
    if error.is_unreachable() {
        stop
    } else {
        stop.hint(backend.lock_requirement())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

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
    }

    impl Backend for Locks {
        fn try_lock<'a>(
            &'a self,
            _holder: &'a str,
        ) -> LocalBoxFuture<'a, Result<Attempt, HostFailure>> {
            let attempt = match self.held_by {
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
        let taken = take_from(&locks, "staging", "bob@desk (deploy)").await;
        let stop = taken.map(drop).expect_err("no lock");
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
        let hint = "wait until that run ends; the lock ends with it";
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
}
