//! The words of a rollout's failures: what was waited for, how long, and what was last seen.

use std::{fmt, time::Duration};

use super::{
    gate::{Gate, Observation, Purpose, Verdict},
    outcome::Failure,
    sequence::Await,
    slot::Side,
};

/// A duration as people write it: `500ms`, `2.5s`, `60s`, `1m30s`, `2h`.
pub(super) struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if self.0.is_zero() {
            return f.write_str("0s");
        }
        if self.0 < Duration::from_secs(1) {
            return write!(f, "{}ms", self.0.as_millis());
        }
        if self.0 <= Duration::from_secs(60) {
            let fraction = format!("{:03}", self.0.subsec_millis());
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            return write!(f, "{seconds}{point}{fraction}s");
        }
        for (count, unit) in [
            (seconds / 3600, "h"),
            (seconds / 60 % 60, "m"),
            (seconds % 60, "s"),
        ] {
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

/// A gate did not hold in time.
pub(super) fn late(
    host: &str,
    awaited: &Await,
    limit: Duration,
    seen: Option<&Observation>,
) -> Failure {
    let Await {
        side, gate, hold, ..
    } = *awaited;
    let it = container(side, host);
    let limit = Span(limit);
    let fact = match gate {
        Gate::Quorum => {
            format!(
                "Consul's cluster was not complete within {limit}, so the server on `{host}` was not stopped"
            )
        }
        Gate::Leader => format!("Consul's other servers had no leader within {limit}"),
        Gate::Ready if awaited.purpose == Purpose::Confirm => not_stopped(side, host),
        Gate::Ready => format!("{it} was not ready within {limit}"),
        Gate::Routed => format!("not every balancer was seen to route to {it} within {limit}"),
        Gate::Unrouted => format!("not every balancer was seen to leave {it} within {limit}"),
        Gate::Idle => format!("{it} still had connections after {limit}"),
        Gate::Gone => format!("Consul still had {it} after {limit}"),
    };
    failed(vec![fact, last_seen(hold, seen)])
}

/// The step before a gate took all the time that the gate had.
pub(super) fn late_before(host: &str, awaited: &Await, limit: Duration, took: Duration) -> Failure {
    let mut failure = late(host, awaited, limit, None);
    failure.error.truncate(1);
    failure
        .error
        .push(format!("its start alone took {}", Span(took)));
    failure
}

/// A gate can never hold.
pub(super) fn never(host: &str, awaited: &Await, detail: &str) -> Failure {
    let it = container(awaited.side, host);
    let fact = match awaited.gate {
        Gate::Quorum => {
            format!("Consul's cluster is not complete, so the server on `{host}` cannot be stopped")
        }
        Gate::Leader => "Consul's other servers cannot have a leader".to_owned(),
        Gate::Ready if awaited.purpose == Purpose::Confirm => not_stopped(awaited.side, host),
        Gate::Ready => format!("{it} cannot become ready"),
        Gate::Routed => format!("the balancers cannot route to {it}"),
        Gate::Unrouted => format!("the balancers cannot stop routing to {it}"),
        Gate::Idle => format!("the connections of {it} cannot end"),
        Gate::Gone => format!("Consul cannot drop {it}"),
    };
    failed(vec![fact, detail.to_owned()])
}

/// A slot was updated, and its container cannot become ready any more.
pub(super) fn exited_after_update(host: &str, detail: &str) -> Failure {
    failed(vec![stopped_after_the_update(host), detail.to_owned()])
}

/// A slot was updated, and its container has not been ready since for too long.
pub(super) fn stays_unready(host: &str, limit: Duration, seen: Option<&Observation>) -> Failure {
    let fact = stopped_after_the_update(host);
    let seen = last_seen(Duration::ZERO, seen);
    failed(vec![
        fact,
        format!("it did not come back within {}, {seen}", Span(limit)),
    ])
}

/// Nothing became healthy for too long. `waiting` are the hosts in hand and what was last seen there.
pub(super) fn no_progress<'a>(
    limit: Duration,
    waiting: impl Iterator<Item = (&'a str, Option<&'a Observation>)>,
) -> Failure {
    let fact = format!("no other container became healthy within {}", Span(limit));
    let seen = waiting.map(|(host, seen)| format!("`{host}`, {}", last_seen(Duration::ZERO, seen)));
    failed(std::iter::once(fact).chain(seen).collect())
}

/// A failure of the rollout as a whole.
pub(super) fn of_the_rollout(fact: String) -> Failure {
    failed(vec![fact])
}

/// A host on which another slot found that it cannot be reached.
pub(super) fn lost_with(host: &str, failure: &Failure) -> Failure {
    let fact = format!("`{host}` is lost, so nothing more was done there");
    Failure {
        error: std::iter::once(fact)
            .chain(failure.error.iter().cloned())
            .collect(),
        unreachable: true,
    }
}

fn failed(error: Vec<String>) -> Failure {
    Failure {
        error,
        unreachable: false,
    }
}

fn container(side: Side, host: &str) -> String {
    match side {
        Side::New => format!("`{host}`"),
        Side::Old => format!("the old container on `{host}`"),
    }
}

/// The successor of a container that was to be stopped is not ready any more.
fn not_stopped(successor: Side, host: &str) -> String {
    let it = container(successor, host);
    let other = match successor {
        Side::New => "the old container",
        Side::Old => "the new one",
    };
    format!("{it} stopped being ready, so {other} was not stopped")
}

fn stopped_after_the_update(host: &str) -> String {
    format!("`{host}` stopped being ready after it was updated")
}

fn last_seen(hold: Duration, seen: Option<&Observation>) -> String {
    match seen {
        None => "last seen: nothing".to_owned(),
        Some(Observation { verdict, detail }) if *verdict == Verdict::Holds && !hold.is_zero() => {
            format!("last seen: {detail}, but not yet for {}", Span(hold))
        }
        Some(Observation { detail, .. }) => format!("last seen: {detail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::machine::sequence::{Limit, OnTimeout};

    #[test]
    fn what_was_not_so_in_time_is_said_with_what_was_last_seen() {
        let told = |side, gate, purpose, verdict, hold| {
            let awaited = Await {
                side,
                gate,
                purpose,
                hold: Duration::from_secs(hold),
                limit: Limit::FromHere(Duration::ZERO),
                late: OnTimeout::Fail,
            };
            let detail = "a look".to_owned();
            let seen = Some(Observation { verdict, detail });
            let limit = Duration::from_secs(60);
            late("web-1", &awaited, limit, seen.as_ref())
                .error
                .join("; ")
        };
        let (new, old) = (Side::New, Side::Old);
        let (reach, confirm) = (Purpose::Reach, Purpose::Confirm);
        let (holds, not_yet) = (Verdict::Holds, Verdict::NotYet);
        let table = [
            told(new, Gate::Ready, reach, not_yet, 0),
            told(new, Gate::Ready, reach, not_yet, 5),
            told(new, Gate::Ready, reach, holds, 0),
            told(new, Gate::Ready, reach, holds, 5),
            told(new, Gate::Ready, confirm, not_yet, 0),
            told(old, Gate::Ready, confirm, not_yet, 0),
            told(new, Gate::Routed, reach, not_yet, 0),
            told(old, Gate::Unrouted, reach, not_yet, 0),
            told(old, Gate::Idle, reach, not_yet, 0),
            told(old, Gate::Gone, reach, not_yet, 0),
            told(old, Gate::Quorum, reach, not_yet, 0),
            told(old, Gate::Leader, reach, not_yet, 0),
        ];
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn a_span_reads_as_people_write_it() {
        for (milliseconds, text) in [
            (0, "0s"),
            (500, "500ms"),
            (1_000, "1s"),
            (2_500, "2.5s"),
            (60_000, "60s"),
            (90_000, "1m30s"),
            (600_000, "10m"),
            (7_205_000, "2h5s"),
        ] {
            assert_eq!(Span(Duration::from_millis(milliseconds)).to_string(), text);
        }
    }
}
