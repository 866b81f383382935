//! The releases of an environment, merged from the records of all its hosts.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    reading::LeftOut,
    record::{Action, Number, Outcome, Record, Stopped},
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
        // Their volumes are there: what is written under such a number would be taken for written, and is not.
        let unsigned = self.unsigned.iter().filter_map(|it| it.number);
        let newest_unsigned = unsigned.max().map_or(0, |number| number.0);
        let newest = newest_record.max(newest_unsigned).max(self.newest_label);
        Number(newest + 1)
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
    /// rollback, the release that was rolled back. So two rollbacks in a row go back and forth. A restart
    /// brought no other version, so the release before what was restarted is the one to go back to.
    pub fn previous(&self) -> Option<Number> {
        let brought_nothing = |release: &&Release| {
            release.outcome == Outcome::Succeeded && !release.action.brings_version()
        };
        let releases = self.releases();
        let newest = releases.iter().rev().find(|it| !brought_nothing(it))?;
        self.succeeded_before(newest.number)
    }

    /// The newest successful release before another one.
    pub fn succeeded_before(&self, number: Number) -> Option<Number> {
        self.releases()
            .iter()
            .rev()
            .find(|release| release.number < number && release.outcome == Outcome::Succeeded)
            .map(|release| release.number)
    }

    /// The newest successful release before another one that had something else on one of these hosts.
    pub fn other_before(&self, number: Number, hosts: &[HostName]) -> Option<Number> {
        let is_other_on = |host: &HostName, earlier: Number| {
            let (earlier, later) = (self.at(host, earlier), self.at(host, number));
            matches!((earlier, later), (Some(earlier), Some(later)) if !earlier.runs_the_same(later))
        };
        let releases = self.releases();
        let mut earlier = releases
            .iter()
            .rev()
            .filter(|release| release.number < number && release.outcome == Outcome::Succeeded);
        let other =
            earlier.find(|release| hosts.iter().any(|host| is_other_on(host, release.number)));
        other.map(|release| release.number)
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

    /// The newest successful records of a host, newest first, with at most `most` among them that brought a
    /// version: restarts do not push out what a rollback goes to.
    pub fn recent_versions(&self, host: &HostName, most: usize) -> impl Iterator<Item = &Record> {
        let mut versions = 0;
        self.recent_successes(host, usize::MAX)
            .take_while(move |record| {
                let is_within = versions < most;
                versions += usize::from(record.action.brings_version());
                is_within
            })
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

    /// Who has stopped a recipe on a host, if it is to stay stopped there. A release that was reverted has changed
    /// nothing of that.
    pub fn stopped(&self, host: &HostName, recipe: &str) -> Option<&Stopped> {
        let newest = self.newest_on(host, |record| {
            record.outcome != Outcome::Reverted && record.recipes.contains_key(recipe)
        });
        newest?.recipes.get(recipe)?.stopped.as_ref()
    }

    /// A record of one release on one host.
    pub fn record(&self, host: &HostName, number: Number) -> Option<&Record> {
        self.records
            .get(host)?
            .iter()
            .find(|record| record.number == number)
    }

    /// The releases beyond the newest `keep`. The newest successful one is never among them, and neither are the
    /// two newest successful ones that brought a version: one runs and the other is the target of a rollback.
    pub fn prunable(&self, keep: usize) -> Vec<Release> {
        let releases = self.releases();
        let newest_first = releases.iter().rev();
        let succeeded = newest_first.filter(|it| it.outcome == Outcome::Succeeded);
        let newest = succeeded.clone().next();
        let versions = succeeded.filter(|it| it.action.brings_version());
        let pinned = versions.take(2).chain(newest).map(|release| release.number);
        let pinned: BTreeSet<Number> = pinned.collect();
        let beyond = releases.len().saturating_sub(keep);
        releases
            .into_iter()
            .take(beyond)
            .filter(|release| !pinned.contains(&release.number))
            .collect()
    }
}

#[cfg(test)]
mod tests;
