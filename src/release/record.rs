//! A record: what one release made of one host, and the volume that keeps it.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::notes::Notes;
use crate::{
    docker::{self, PinnedImage, label},
    model::{ContainerSpec, HostName},
    text,
};

/// How many characters of a record's texts are kept.
const LONGEST_TEXT: usize = 120;

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
    /// The environment that it is a preview of, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_of: Option<String>,
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
    /// What it says of its release for people.
    #[serde(default, skip_serializing_if = "Notes::is_empty")]
    pub notes: Notes,
}

/// What made a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// `shipit deploy`.
    Deploy,
    /// `shipit rollback`, to this release.
    RollbackTo(Number),
    /// `shipit restart`: what ran runs again, in new containers.
    Restart,
    /// `shipit stop`.
    Stop,
    /// `shipit start`: what was stopped runs again.
    Start,
}

impl Action {
    /// The word of the command.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::RollbackTo(_) => "rollback",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Start => "start",
        }
    }

    /// Whether it may have brought another version. A rollback goes past what did not.
    pub fn brings_version(self) -> bool {
        match self {
            Self::Deploy | Self::RollbackTo(_) => true,
            Self::Restart | Self::Stop | Self::Start => false,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RollbackTo(target) => write!(f, "rollback to {target}"),
            Self::Deploy | Self::Restart | Self::Stop | Self::Start => f.write_str(self.verb()),
        }
    }
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

impl Outcome {
    /// Whether what such a release started, or was about to stop, needs a look before it counts as done: the
    /// release never came to say that it is as wanted, or again as it was.
    pub fn leaves_unconfirmed(self) -> bool {
        match self {
            Self::Unfinished | Self::Failed | Self::Interrupted => true,
            Self::Succeeded | Self::Reverted => false,
        }
    }
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
    /// The resolved spec. It has the names of secrets, neither their values nor where they come from.
    pub spec: ContainerSpec,
    /// The exact image.
    pub image: PinnedImage,
    /// How many equal containers.
    pub instances: u16,
    /// The spec's hash, as on the containers' labels.
    pub hash: String,
    /// Who stopped it, where somebody has: it is to stay stopped until it is started or deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// The mark of a recipe that somebody has stopped on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Who, and from where: `alice@laptop`.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.strftime("%Y-%m-%d %H:%M UTC");
        write!(f, "stopped by {} at {at}", self.by)
    }
}

impl Record {
    /// Whether another record has the same of its host. The hash of a spec has a key in it, so it does not tell.
    pub fn runs_the_same(&self, other: &Self) -> bool {
        let alike = |one: &RecipeRecord, other: &RecipeRecord| {
            one.spec == other.spec && one.image == other.image && one.instances == other.instances
        };
        self.recipes.len() == other.recipes.len()
            && self.recipes.iter().all(|(name, recipe)| {
                let other = other.recipes.get(name);
                other.is_some_and(|other| alike(recipe, other))
            })
    }

    /// The volume that keeps this record. Its name has the outcome in it, as a volume's labels cannot be
    /// changed: the finished record is made first, then the unfinished one is removed.
    pub fn volume_name(&self) -> String {
        volume_name(&self.environment, self.number, self.outcome, &self.host)
    }

    /// The labels of that volume.
    pub fn volume_labels(&self) -> Result<BTreeMap<String, String>, serde_json::Error> {
        let labels = [
            (label::ENVIRONMENT.to_owned(), self.environment.clone()),
            (label::RELEASE.to_owned(), self.number.0.to_string()),
            (label::RECORD.to_owned(), serde_json::to_string(self)?),
        ];
        let base = self.preview_of.clone();
        let base = base.map(|base| (label::PREVIEW_OF.to_owned(), base));
        Ok(labels.into_iter().chain(base).collect())
    }

    /// The same with its texts as one line each, as they stand in rows of tables: no line break forges another row.
    #[must_use]
    pub(super) fn in_one_line(mut self) -> Self {
        self.by = text::one_line(&self.by, LONGEST_TEXT);
        let recipes = self.recipes.values_mut();
        for stopped in recipes.filter_map(|recipe| recipe.stopped.as_mut()) {
            stopped.by = text::one_line(&stopped.by, LONGEST_TEXT);
        }
        self.revision = self
            .revision
            .map(|revision| text::one_line(&revision, LONGEST_TEXT));
        self.notes = self.notes.in_one_line();
        self
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn record(number: u64, outcome: Outcome) -> Record {
        Record {
            number: Number(number),
            environment: "staging".into(),
            preview_of: None,
            host: "host-1".into(),
            action: Action::Deploy,
            by: "alice@laptop".into(),
            started: Timestamp::UNIX_EPOCH,
            finished: None,
            revision: None,
            outcome,
            recipes: BTreeMap::new(),
            notes: Notes::default(),
        }
    }

    #[test]
    fn a_record_survives_its_volume() {
        let written = record(42, Outcome::Succeeded);
        let name = written.volume_name();
        assert!(name.starts_with("shipit-staging-r42-succeeded-"), "{name}");
        let labels = written.volume_labels().expect("labels");
        let read: Record = serde_json::from_str(&labels[label::RECORD]).expect("a record");
        assert_eq!(read, written);
    }

    #[test]
    fn what_is_shown_of_a_record_is_one_line() {
        let forged = Record {
            by: "alice\n\u{202e}r9      succeeded\u{1b}[2J".into(),
            revision: Some("x".repeat(500)),
            ..record(1, Outcome::Succeeded)
        };
        let read = forged.in_one_line();
        assert_eq!(read.by, "alice\u{fffd}\u{fffd}r9      succeeded\u{fffd}[2J");
        assert_eq!(read.revision, Some("x".repeat(120)));
    }

    #[test]
    fn numbers_read_with_and_without_their_letter() {
        assert_eq!("r41".parse(), Ok(Number(41)));
        assert_eq!("41".parse(), Ok(Number(41)));
        assert!("r".parse::<Number>().is_err());
    }
}
