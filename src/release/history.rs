//! The releases of an environment, merged from the records of all its hosts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::record::{Action, Number, Outcome, RecipeRecord, Record};
use crate::model::HostName;

/// How far a host's clock may be behind the deployer's, whose clock dates the records. A larger difference only
/// means that a container is looked at once more, or once less where the same spec was started again.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// The release records of an environment.
#[derive(Debug, Clone, Default)]
pub struct History {
    records: BTreeMap<HostName, Vec<Record>>,
    newest_label: u64,
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
        }
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
                hosts: Vec::new(),
            });
            // A host that was lost during the release keeps the unfinished record; the others have the end.
            if release.outcome == Outcome::Unfinished {
                release.outcome = record.outcome;
                release.finished = record.finished;
            }
            release.hosts.push(host.clone());
        }
        releases.into_values().collect()
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

    /// The release that was to change a recipe on a host and never came to say that it did, if nobody has
    /// seen since that a container with this hash serves there. `started` is when that container last
    /// started.
    ///
    /// Such a release may have started the container, or may have been about to stop it.
    pub fn unconfirmed(
        &self,
        host: &HostName,
        recipe: &str,
        hash: &str,
        started: Option<Timestamp>,
    ) -> Option<Number> {
        let records = self.records.get(host)?;
        for (index, record) in records.iter().enumerate().rev() {
            let Some(of_recipe) = record.recipes.get(recipe) else {
                continue;
            };
            match record.outcome {
                Outcome::Succeeded if of_recipe.hash == hash => return None,
                // A release of other recipes says what this one had before.
                Outcome::Succeeded | Outcome::Reverted => {}
                Outcome::Unfinished | Outcome::Failed | Outcome::Interrupted => {
                    let left_alone = succeeded(&records[..index], recipe)
                        .is_some_and(|before| before.hash == of_recipe.hash)
                        && of_recipe.hash == hash;
                    let is_older = started.is_some_and(|started| {
                        started.duration_until(record.started) > CLOCKS_DIFFER
                    });
                    if !left_alone || !is_older {
                        return Some(record.number);
                    }
                }
            }
        }
        None
    }

    /// What a host had of a recipe before a release that was to change it and never said that it did; `None`
    /// where the newest release of the recipe ended well, or was reverted.
    pub fn taken_away(&self, host: &HostName, recipe: &str) -> Option<&RecipeRecord> {
        let records = self.records.get(host)?;
        let newest = records
            .iter()
            .rev()
            .find(|record| record.recipes.contains_key(recipe))?;
        match newest.outcome {
            Outcome::Succeeded | Outcome::Reverted => None,
            Outcome::Unfinished | Outcome::Failed | Outcome::Interrupted => {
                succeeded(records, recipe)
            }
        }
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

/// What the newest of these releases that succeeded had of a recipe.
fn succeeded<'a>(records: &'a [Record], recipe: &str) -> Option<&'a RecipeRecord> {
    let mut newest_first = records.iter().rev();
    let newest = newest_first.find(|record| record.succeeded())?;
    newest.recipes.get(recipe)
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
    fn what_a_cut_off_release_may_have_started_is_unconfirmed() {
        use Outcome::{Failed, Interrupted, Reverted, Succeeded, Unfinished};
        let started = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        // Each release began 100 minutes after the one before it.
        let history = |releases: &[(Outcome, &str)]| {
            let records = releases.iter().zip(1..).map(|((outcome, hash), number)| {
                let mut record = record(number, *outcome);
                record.started = started(100 * i64::try_from(number).expect("few"));
                let recipe = serde_json::json!({
                    "spec": { "image": "web" },
                    "image": { "reference": "web", "digest": "sha256:aa" },
                    "instances": 1,
                    "hash": hash,
                });
                let recipe = serde_json::from_value(recipe).expect("of a recipe");
                record.recipes.insert("web".into(), recipe);
                record
            });
            History::new(BTreeMap::from([("host-1".into(), records.collect())]), 0)
        };
        let cases: [(&[(Outcome, &str)], (&str, i64), Option<u64>); 11] = [
            (&[(Succeeded, "v1")], ("v1", 101), None),
            (&[(Unfinished, "v1")], ("v1", 101), Some(1)),
            // Of the new version, or of the one that was about to be stopped.
            (
                &[(Succeeded, "v1"), (Unfinished, "v2")],
                ("v2", 201),
                Some(2),
            ),
            (
                &[(Succeeded, "v1"), (Interrupted, "v2")],
                ("v1", 101),
                Some(2),
            ),
            (&[(Succeeded, "v1"), (Failed, "v2")], ("v1", 101), Some(2)),
            (&[(Succeeded, "v1"), (Reverted, "v2")], ("v1", 101), None),
            // The release left it alone, or had to start it again.
            (&[(Succeeded, "v1"), (Unfinished, "v1")], ("v1", 101), None),
            (
                &[(Succeeded, "v1"), (Unfinished, "v1")],
                ("v1", 201),
                Some(2),
            ),
            // A host's clock that is a little behind.
            (
                &[(Succeeded, "v1"), (Unfinished, "v1")],
                ("v1", 197),
                Some(2),
            ),
            (&[(Unfinished, "v1"), (Succeeded, "v1")], ("v1", 201), None),
            // The last of two that were cut off.
            (
                &[(Succeeded, "v1"), (Unfinished, "v2"), (Unfinished, "v2")],
                ("v2", 201),
                Some(3),
            ),
        ];
        for (releases, (hash, minutes), expected) in cases {
            let found = history(releases).unconfirmed(
                &"host-1".into(),
                "web",
                hash,
                Some(started(minutes)),
            );
            let what = format!("{releases:?}, {hash} since {minutes}");
            assert_eq!(found.map(|number| number.0), expected, "{what}");
        }
    }
}
