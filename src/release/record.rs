//! A record: what one release made of one host, and the volume that keeps it.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    docker::{self, PinnedImage, Volume, label},
    model::{ContainerSpec, HostName},
    text,
};

/// The number of a release, shown as `r42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(pub u64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("r{}", self.0))
    }
}

impl FromStr for Number {
    type Err = String;

    /// Reads `r42` and `42`.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix('r').unwrap_or(text);
        digits
            .parse()
            .map(Self)
            .map_err(|_| format!("`{text}` is not a release: `r42`"))
    }
}

/// What one release deployed to one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The release.
    pub number: Number,
    /// The environment.
    pub environment: String,
    /// The host it is about.
    pub host: HostName,
    /// What was asked for.
    pub action: Action,
    /// Who asked, and from where: `alice@laptop`.
    pub by: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` while it runs, and forever if it was interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// The git revision of the project, with `+` where files were changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// How the release as a whole ended.
    pub outcome: Outcome,
    /// What it runs on this host, recipe by recipe.
    pub recipes: BTreeMap<String, RecipeRecord>,
}

/// What made a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// `shipit deploy`.
    Deploy,
    /// `shipit rollback`, to this release.
    RollbackTo(Number),
}

/// How a release ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It runs, or was cut off.
    Unfinished,
    /// It succeeded everywhere.
    Succeeded,
    /// It failed, and what it changed stayed.
    Failed,
    /// It failed; every host was reverted.
    Reverted,
    /// The user stopped it.
    Interrupted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unfinished => "unfinished",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Reverted => "reverted",
            Self::Interrupted => "interrupted",
        })
    }
}

/// What a release runs of one recipe on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeRecord {
    /// The resolved spec. It names the sources of secrets, never their values.
    pub spec: ContainerSpec,
    /// The exact image.
    pub image: PinnedImage,
    /// How many equal containers.
    pub instances: u16,
    /// The spec's hash, as on the containers' labels.
    pub hash: String,
}

impl Record {
    /// The volume that keeps this record. Its name has the outcome in it, as a volume's labels cannot be
    /// changed: the finished record is made first, then the unfinished one is removed.
    pub fn volume_name(&self) -> String {
        volume_name(&self.environment, self.number, self.outcome, &self.host)
    }

    /// The labels of that volume.
    pub fn volume_labels(&self) -> Result<BTreeMap<String, String>, serde_json::Error> {
        Ok(BTreeMap::from([
            (label::ENVIRONMENT.to_owned(), self.environment.clone()),
            (label::RELEASE.to_owned(), self.number.0.to_string()),
            (label::RECORD.to_owned(), serde_json::to_string(self)?),
        ]))
    }

    /// Whether a rollback may go to this release.
    pub fn succeeded(&self) -> bool {
        self.outcome == Outcome::Succeeded
    }
}

/// The name of the volume that keeps a record. A host's name can be any text, so the volume's has a hash
/// of it.
pub fn volume_name(environment: &str, number: Number, outcome: Outcome, host: &HostName) -> String {
    let hash = docker::short_hash(host.as_bytes(), 4);
    format!("shipit-{environment}-{number}-{outcome}-{hash}")
}

/// Reads the records among the volumes of all hosts: by host, oldest first, one for each release. Where a
/// deploy was interrupted between writing the finished record and removing the unfinished one, the finished
/// one counts.
///
/// A record that cannot be read (made by a later version, or by hand) is left out and named in the second
/// part, for a warning.
pub fn read_records<'a>(
    volumes: impl IntoIterator<Item = &'a Volume>,
) -> (BTreeMap<HostName, Vec<Record>>, Vec<String>) {
    let mut records = BTreeMap::<HostName, BTreeMap<Number, Record>>::new();
    let mut unreadable = Vec::new();
    for volume in volumes {
        let Some(json) = volume.labels.get(label::RECORD) else {
            continue;
        };
        match text::parse_json::<Record>(json) {
            Ok(record) => {
                let of_host = records.entry(record.host.clone()).or_default();
                if of_host
                    .get(&record.number)
                    .is_none_or(|earlier| earlier.outcome < record.outcome)
                {
                    of_host.insert(record.number, record);
                }
            }
            Err(error) => unreadable.push(format!("volume `{}`: {error}", volume.name)),
        }
    }
    (
        records
            .into_iter()
            .map(|(host, records)| (host, records.into_values().collect()))
            .collect(),
        unreadable,
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn record(number: u64, outcome: Outcome) -> Record {
        Record {
            number: Number(number),
            environment: "staging".into(),
            host: "host-1".into(),
            action: Action::Deploy,
            by: "alice@laptop".into(),
            started: Timestamp::UNIX_EPOCH,
            finished: None,
            revision: None,
            outcome,
            recipes: BTreeMap::new(),
        }
    }

    fn volume(record: &Record) -> Volume {
        Volume {
            name: record.volume_name(),
            labels: record.volume_labels().expect("a label"),
        }
    }

    #[test]
    fn a_record_survives_its_volume() {
        let written = record(42, Outcome::Succeeded);
        let volume = volume(&written);
        assert!(volume.name.starts_with("shipit-staging-r42-succeeded-"));
        let expected = BTreeMap::from([(written.host.clone(), vec![written])]);
        // It is kept twice; two copies are one record.
        assert_eq!(read_records([&volume, &volume]), (expected, vec![]));
    }

    #[test]
    fn the_finished_record_wins_over_the_unfinished_and_rubbish_is_named() {
        let (running, failed) = (record(2, Outcome::Unfinished), record(2, Outcome::Failed));
        let rubbish = Volume {
            name: "x".into(),
            labels: BTreeMap::from([(label::RECORD.into(), "{}".into())]),
        };
        let (records, unreadable) = read_records(&[
            volume(&failed),
            volume(&running),
            volume(&record(1, Outcome::Succeeded)),
            rubbish,
        ]);
        let outcomes: Vec<_> = records["host-1"]
            .iter()
            .map(|record| (record.number.0, record.outcome))
            .collect();
        assert_eq!(outcomes, [(1, Outcome::Succeeded), (2, Outcome::Failed)]);
        assert!(unreadable[0].starts_with("volume `x`: missing field"));
    }

    #[test]
    fn numbers_read_with_and_without_their_letter() {
        assert_eq!("r41".parse(), Ok(Number(41)));
        assert_eq!("41".parse(), Ok(Number(41)));
        assert!("r".parse::<Number>().is_err());
    }
}
