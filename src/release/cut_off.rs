//! What a release that was cut off, interrupted or failed may have left half done on a host.

use jiff::{SignedDuration, Timestamp};

use super::{
    history::History,
    record::{Number, RecipeRecord, Record},
};
use crate::model::HostName;

/// How far a host's clock may be behind the deployer's, whose clock dates the records. A larger difference only
/// means that a container is looked at once more, or once less where the same spec was started again.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

impl History {
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
            if record.outcome.leaves_unconfirmed() {
                let left_alone = succeeded(&records[..index], recipe)
                    .is_some_and(|before| before.hash == of_recipe.hash)
                    && of_recipe.hash == hash;
                let is_older = started
                    .is_some_and(|started| started.duration_until(record.started) > CLOCKS_DIFFER);
                if !left_alone || !is_older {
                    return Some(record.number);
                }
            } else if record.succeeded() && of_recipe.hash == hash {
                return None;
            }
            // A release of another version, or one that was reverted, says nothing of this one.
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
        let leaves_unconfirmed = newest.outcome.leaves_unconfirmed();
        leaves_unconfirmed
            .then(|| succeeded(records, recipe))
            .flatten()
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
    use std::collections::BTreeMap;

    use super::{
        super::record::{Outcome, tests::record},
        *,
    };

    /// Releases, a container by its hash and when it started, and the release that left it unconfirmed.
    type Case<'a> = (&'a [(Outcome, &'a str)], (&'a str, i64), Option<u64>);

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
        let cases: [Case; 11] = [
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
