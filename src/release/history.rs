//! The releases of an environment, merged from the records of all its hosts.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    reading::LeftOut,
    record::{Action, Number, Outcome, Record},
};
use crate::model::HostName;

/// The release records of an environment.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub(super) records: BTreeMap<HostName, Vec<Record>>,
    newest_label: u64,
    copied: BTreeSet<HostName>,
    unsigned: Vec<LeftOut>,
}

/// One release, merged from the records of all hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its number.
    pub number: Number,
    /// What made it.
    pub action: Action,
    /// Who, and from where.
    pub by: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// The git revision.
    pub revision: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What it is for, in the words of whoever made it.
    pub message: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// The hosts that have a record of it.
    pub hosts: Vec<HostName>,
}

impl History {
    /// A history from the records of all hosts. `newest_label` is the highest release number on any
    /// container: a record can be lost, and its number must not be used again.
    pub fn new(records: BTreeMap<HostName, Vec<Record>>, newest_label: u64) -> Self {
        Self {
            records,
            newest_label,
            copied: BTreeSet::new(),
            unsigned: Vec::new(),
        }
    }

    /// The same, where some hosts have no records themselves: theirs are copies that other hosts keep.
    #[must_use]
    pub fn with_copies_of(self, copied: BTreeSet<HostName>) -> Self {
        Self { copied, ..self }
    }

    /// The same, where records without the right signature were left out.
    #[must_use]
    pub fn without_unsigned(self, unsigned: Vec<LeftOut>) -> Self {
        Self { unsigned, ..self }
    }

    /// The records that were left out as they have not the right signature.
    pub fn unsigned(&self) -> &[LeftOut] {
        &self.unsigned
    }

    /// The records of hosts that have none themselves. A host that was made anew is given them back with its next
    /// release: from then on it speaks for itself.
    pub fn copies(&self) -> impl Iterator<Item = &Record> {
        self.copied.iter().flat_map(|host| self.records_of(host))
    }

    /// Every release, oldest first.
    pub fn releases(&self) -> Vec<Release> {
        let mut releases = BTreeMap::<Number, Release>::new();
        for (host, record) in self
            .records
            .iter()
            .flat_map(|(host, records)| records.iter().map(move |r| (host, r)))
        {
            let release = releases.entry(record.number).or_insert_with(|| Release {
                number: record.number,
                action: record.action,
                by: record.by.clone(),
                started: record.started,
                finished: record.finished,
                revision: record.revision.clone(),
                outcome: record.outcome,
                message: record.notes.message.clone(),
                failure: record.notes.failure.clone(),
                hosts: Vec::new(),
            });
            // A host that was lost during the release keeps the unfinished record; the others have the end.
            if release.outcome == Outcome::Unfinished {
                release.outcome = record.outcome;
                release.finished = record.finished;
                release.failure.clone_from(&record.notes.failure);
            }
            release.hosts.push(host.clone());
        }
        releases.into_values().collect()
    }

    /// How long a release of so many hosts takes: the middle one of the last five that succeeded.
    pub fn usual_time(&self, hosts: usize) -> Option<Duration> {
        const LATEST: usize = 5;
        let releases = self.releases();
        let alike = releases.iter().rev().filter(|release| {
            release.outcome == Outcome::Succeeded && release.hosts.len() == hosts
        });
        let took = |release: &Release| {
            let took = release.finished?.duration_since(release.started);
            Duration::try_from(took).ok()
        };
        let mut times: Vec<_> = alike.filter_map(took).take(LATEST).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }

    /// The number for the next release.
    pub fn next_number(&self) -> Number {
        let newest_record = self.newest().map_or(0, |number| number.0);
        Number(newest_record.max(self.newest_label) + 1)
    }

    /// The newest release, however it ended.
    pub fn newest(&self) -> Option<Number> {
        self.records
            .values()
            .flatten()
            .map(|record| record.number)
            .max()
    }

    /// The target of `shipit rollback`: the newest successful release before the newest one. After a good
    /// deploy that is the release before it; after a failed one, the release that ran before; after a
    /// rollback, the release that was rolled back. So two rollbacks in a row go back and forth.
    pub fn previous(&self) -> Option<Number> {
        self.succeeded_before(self.newest()?)
    }

    /// The newest successful release before another one.
    pub fn succeeded_before(&self, number: Number) -> Option<Number> {
        self.releases()
            .iter()
            .rev()
            .find(|release| release.number < number && release.outcome == Outcome::Succeeded)
            .map(|release| release.number)
    }

    /// What a host had at a release: its newest successful record up to that one, as a release that was
    /// limited to other hosts left no record here.
    pub fn at(&self, host: &HostName, number: Number) -> Option<&Record> {
        self.records
            .get(host)?
            .iter()
            .rev()
            .find(|record| record.number <= number && record.succeeded())
    }

    /// The newest record of a host, of any outcome, that satisfies `condition`.
    pub fn newest_on<'a>(
        &'a self,
        host: &HostName,
        condition: impl Fn(&Record) -> bool,
    ) -> Option<&'a Record> {
        self.records
            .get(host)?
            .iter()
            .rev()
            .find(|record| condition(record))
    }

    /// All records of a host, oldest first.
    pub fn records_of(&self, host: &HostName) -> impl Iterator<Item = &Record> {
        self.records.get(host).into_iter().flatten()
    }

    /// The newest successful records of a host, at most `most`, newest first.
    pub fn recent_successes(&self, host: &HostName, most: usize) -> impl Iterator<Item = &Record> {
        let records = self
            .records
            .get(host)
            .map(Vec::as_slice)
            .unwrap_or_default();
        records
            .iter()
            .rev()
            .filter(|record| record.succeeded())
            .take(most)
    }

    /// Adds or replaces records, as after writing them.
    pub fn add(&mut self, records: &[Record]) {
        for record in records {
            let of_host = self.records.entry(record.host.clone()).or_default();
            of_host.retain(|other| other.number != record.number);
            of_host.push(record.clone());
            of_host.sort_by_key(|record| record.number);
        }
    }

    /// A record of one release on one host.
    pub fn record(&self, host: &HostName, number: Number) -> Option<&Record> {
        self.records
            .get(host)?
            .iter()
            .find(|record| record.number == number)
    }

    /// The releases beyond the newest `keep`. The two newest successful ones are never among them: one runs
    /// and the other is the target of a rollback.
    pub fn prunable(&self, keep: usize) -> Vec<Release> {
        let releases = self.releases();
        let pinned: BTreeSet<Number> = releases
            .iter()
            .rev()
            .filter(|release| release.outcome == Outcome::Succeeded)
            .take(2)
            .map(|release| release.number)
            .collect();
        let beyond = releases.len().saturating_sub(keep);
        releases
            .into_iter()
            .take(beyond)
            .filter(|release| !pinned.contains(&release.number))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::record::tests::record, *};

    fn history(outcomes: &[Outcome]) -> History {
        let records = outcomes
            .iter()
            .zip(1..)
            .map(|(outcome, number)| record(number, *outcome))
            .collect();
        History::new(BTreeMap::from([(HostName::from("host-1"), records)]), 0)
    }

    #[test]
    fn the_previous_release_is_the_newest_good_one_before_the_newest() {
        use Outcome::{Failed, Reverted, Succeeded, Unfinished};
        let cases: [(&[Outcome], Option<u64>); 7] = [
            (&[], None),
            (&[Succeeded], None),
            (&[Succeeded, Succeeded], Some(1)),
            (&[Succeeded, Succeeded, Succeeded], Some(2)),
            (&[Succeeded, Succeeded, Failed], Some(2)),
            (&[Succeeded, Reverted, Reverted], Some(1)),
            (&[Succeeded, Failed, Unfinished], Some(1)),
        ];
        for (outcomes, expected) in cases {
            assert_eq!(
                history(outcomes).previous().map(|number| number.0),
                expected,
                "{outcomes:?}"
            );
        }
    }

    #[test]
    fn a_number_is_never_used_again_even_when_its_record_is_lost() {
        assert_eq!(History::default().next_number(), Number(1));
        assert_eq!(History::new(BTreeMap::new(), 41).next_number(), Number(42));
    }

    #[test]
    fn what_a_host_had_is_its_newest_good_record_up_to_the_release() {
        use Outcome::{Failed, Succeeded};
        let history = history(&[Succeeded, Succeeded, Failed]);
        let at = |number| {
            history
                .at(&"host-1".into(), Number(number))
                .map(|record| record.number.0)
        };
        assert_eq!(
            [at(1), at(2), at(3), at(9)],
            [Some(1), Some(2), Some(2), Some(2)]
        );
        assert!(history.at(&"host-9".into(), Number(9)).is_none());
    }

    #[test]
    fn pruning_keeps_what_runs_and_what_a_rollback_goes_to() {
        use Outcome::{Failed, Succeeded};
        let pruned = |outcomes: &[Outcome], keep| -> Vec<u64> {
            history(outcomes)
                .prunable(keep)
                .iter()
                .map(|release| release.number.0)
                .collect()
        };
        assert_eq!(
            pruned(&[Succeeded, Succeeded, Failed, Failed, Failed], 2),
            [3]
        );
        assert_eq!(
            pruned(&[Succeeded, Succeeded, Succeeded, Succeeded], 2),
            [1, 2]
        );
        assert_eq!(pruned(&[Succeeded], 5), [] as [u64; 0]);
    }

    #[test]
    fn a_release_takes_as_long_as_the_last_ones_like_it() {
        let took = |number, outcome, seconds: Option<i64>| Record {
            finished: seconds.and_then(|it| Timestamp::from_second(it).ok()),
            ..record(number, outcome)
        };
        let records = vec![
            took(1, Outcome::Succeeded, Some(900)),
            took(2, Outcome::Succeeded, Some(60)),
            took(3, Outcome::Failed, Some(500)),
            took(4, Outcome::Succeeded, Some(90)),
            took(5, Outcome::Succeeded, None),
            took(6, Outcome::Succeeded, Some(50)),
            took(7, Outcome::Succeeded, Some(40)),
            took(8, Outcome::Succeeded, Some(70)),
        ];
        let history = History::new(BTreeMap::from([("host-1".into(), records)]), 0);
        assert_eq!(history.usual_time(1), Some(Duration::from_secs(60)));
        assert_eq!(history.usual_time(2), None, "none was of two hosts");
    }
}
