//! Reading the records that hosts keep: which of them count, and what is left out.
//!
//! Whoever may use docker on a host can write there what he likes. So a host speaks for itself alone: what it keeps
//! about itself counts, and what it keeps about another one counts only where that one has nothing itself and this
//! one is its keeper.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    checks::fault,
    record::{Number, Record},
    signature::{RecordKey, signature_fault},
};
use crate::{
    docker::{Volume, label},
    model::{Environment, HostName},
    text,
};

/// A volume that has a record, and the host that has the volume.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The host that was asked.
    pub on: &'a HostName,
    /// What it answered.
    pub volume: &'a Volume,
}

/// What a record must be to count, beside what it says.
#[derive(Clone, Copy, Default)]
pub struct Terms<'a> {
    /// With a key, it must be signed with it. Then it may lie on any host: the signature says whom it is about.
    pub key: Option<&'a RecordKey>,
    /// Whether a copy counts wherever it lies, when there is no other: the user said that the hosts are trusted.
    pub strays: bool,
}

/// The records that count, and those that do not.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// By the host that they are about, oldest first, one for each release.
    pub records: BTreeMap<HostName, Vec<Record>>,
    /// The hosts that have none themselves: theirs are copies.
    pub copied: BTreeSet<HostName>,
    /// What is left out.
    pub left_out: BTreeSet<LeftOut>,
}

/// A record that is left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The host where it lies.
    pub on: HostName,
    /// Why.
    pub why: String,
    /// The volume.
    pub volume: String,
    /// Whether all that it lacks is the right signature.
    pub is_unsigned: bool,
}

/// Where a record lies, by whom it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// On the host itself.
    Itself,
    /// On the host that keeps its copies.
    Keeper,
    /// On another host.
    Elsewhere,
}

/// Reads records. Where a deploy was interrupted between writing the finished record and removing the unfinished
/// one, the finished one counts.
pub fn read_records<'a>(
    environment: &Environment,
    terms: Terms<'_>,
    found: impl IntoIterator<Item = Found<'a>>,
) -> Reading {
    let mut reading = Reading::default();
    let mut by_place = BTreeMap::<(HostName, Place), BTreeMap<Number, Record>>::new();
    for found in found {
        let Some(json) = found.volume.labels.get(label::RECORD) else {
            continue;
        };
        match read(environment, terms, found, json) {
            Ok((place, record)) => {
                let of_host = by_place.entry((record.host.clone(), place)).or_default();
                let earlier = of_host.get(&record.number);
                if earlier.is_none_or(|earlier| earlier.outcome < record.outcome) {
                    of_host.insert(record.number, record);
                }
            }
            Err((why, is_unsigned)) => {
                reading.left_out.insert(LeftOut {
                    on: found.on.clone(),
                    why,
                    volume: found.volume.name.clone(),
                    is_unsigned,
                });
            }
        }
    }
    // In this order a host's own come before the copies.
    for ((host, place), records) in by_place {
        if reading.records.contains_key(&host) {
            continue;
        }
        if place != Place::Itself {
            reading.copied.insert(host.clone());
        }
        reading
            .records
            .insert(host, records.into_values().collect());
    }
    reading
}

/// A record and its place; or why it does not count, and whether all that it lacks is the right signature.
fn read(
    environment: &Environment,
    terms: Terms<'_>,
    found: Found<'_>,
    json: &str,
) -> Result<(Place, Record), (String, bool)> {
    let Found { on, volume } = found;
    let record: Record =
        text::parse_json(json).map_err(|error| (format!("it cannot be read: {error}"), false))?;
    if let Some(fault) = fault(&record, volume, &environment.name) {
        return Err((fault, false));
    }
    let unsigned = terms
        .key
        .and_then(|key| signature_fault(key, &record, volume));
    let may_be_elsewhere = terms.strays || (terms.key.is_some() && unsigned.is_none());
    let place = match place_of(environment, on, &record.host) {
        Err(Misplaced::Elsewhere(_)) if may_be_elsewhere => Place::Elsewhere,
        Err(Misplaced::Elsewhere(why) | Misplaced::OfNoHost(why)) => return Err((why, false)),
        Ok(place) => place,
    };
    match unsigned {
        Some(why) => Err((why.to_owned(), true)),
        None => Ok((place, record.in_one_line())),
    }
}

/// Why a record has no business where it lies.
enum Misplaced {
    /// It is about another host.
    Elsewhere(String),
    /// It is about no host of the inventory.
    OfNoHost(String),
}

/// What a record's place says about it.
fn place_of(
    environment: &Environment,
    on: &HostName,
    about: &HostName,
) -> Result<Place, Misplaced> {
    match environment.keeper_of(about) {
        None => Err(Misplaced::OfNoHost(format!(
            "it is about `{}`, which is no host of the inventory",
            about.escape_debug()
        ))),
        Some(_) if on == about => Ok(Place::Itself),
        Some(keeper) if keeper == on => Ok(Place::Keeper),
        Some(keeper) => Err(Misplaced::Elsewhere(format!(
            "it is about `{about}`, whose records lie there and on `{keeper}`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::record::{Outcome, tests::record},
        *,
    };
    use crate::release::{signed_labels, tests::environment};

    /// A record of a release about a host, as a volume.
    fn volume(number: u64, about: &str, outcome: Outcome) -> Volume {
        let record = Record {
            host: about.into(),
            ..record(number, outcome)
        };
        Volume {
            name: record.volume_name(),
            labels: record.volume_labels().expect("labels"),
        }
    }

    /// What counts of volumes on hosts: `host-1: r1 succeeded, r2 failed`, a `copied` before it where it is not the
    /// host's own; then what is left out.
    fn read(found: &[(&str, Volume)]) -> Vec<String> {
        read_on(Terms::default(), found)
    }

    fn read_on(terms: Terms<'_>, found: &[(&str, Volume)]) -> Vec<String> {
        let hosts: Vec<_> = found.iter().map(|(on, _)| HostName::from(*on)).collect();
        let found = hosts.iter().zip(found);
        let found = found.map(|(on, (_, volume))| Found { on, volume });
        let reading = read_records(&environment(3), terms, found);
        let mut lines: Vec<_> = reading
            .records
            .iter()
            .map(|(host, records)| {
                let copied = if reading.copied.contains(host) {
                    "copied "
                } else {
                    ""
                };
                let records = records.iter();
                let records = records.map(|it| format!("{} {}", it.number, it.outcome));
                let records: Vec<_> = records.collect();
                format!("{copied}{host}: {}", records.join(", "))
            })
            .collect();
        let left_out = reading.left_out.iter();
        lines.extend(left_out.map(|it| format!("on {}: {}", it.on, it.why)));
        lines
    }

    #[test]
    fn the_finished_record_wins_over_the_unfinished_and_rubbish_is_named() {
        let mut rubbish = volume(3, "host-1", Outcome::Succeeded);
        rubbish.labels.insert(label::RECORD.into(), "{}".into());
        let found = [
            ("host-1", volume(2, "host-1", Outcome::Failed)),
            ("host-1", volume(2, "host-1", Outcome::Unfinished)),
            ("host-1", volume(1, "host-1", Outcome::Succeeded)),
            ("host-1", rubbish),
        ];
        let lines = read(&found);
        assert_eq!(lines[0], "host-1: r1 succeeded, r2 failed");
        assert!(
            lines[1].starts_with("on host-1: it cannot be read: missing field"),
            "{lines:?}"
        );
    }

    #[test]
    fn a_host_speaks_for_itself_whatever_others_claim() {
        let found = [
            ("host-1", volume(1, "host-1", Outcome::Succeeded)),
            // Its keeper has another story.
            ("host-2", volume(9, "host-1", Outcome::Succeeded)),
            ("host-2", volume(2, "host-2", Outcome::Succeeded)),
            // So has a host that keeps nothing of it.
            ("host-3", volume(9, "host-1", Outcome::Succeeded)),
        ];
        assert_eq!(
            read(&found),
            [
                "host-1: r1 succeeded",
                "host-2: r2 succeeded",
                "on host-3: it is about `host-1`, whose records lie there and on `host-2`",
            ]
        );
    }

    #[test]
    fn what_a_host_has_lost_comes_from_its_keeper_alone() {
        let found = [
            ("host-1", volume(4, "host-3", Outcome::Succeeded)),
            ("host-2", volume(9, "host-3", Outcome::Succeeded)),
            ("host-2", volume(3, "host-9", Outcome::Succeeded)),
        ];
        assert_eq!(
            read(&found),
            [
                "copied host-3: r4 succeeded",
                "on host-2: it is about `host-3`, whose records lie there and on `host-1`",
                "on host-2: it is about `host-9`, which is no host of the inventory",
            ]
        );
    }

    #[test]
    fn with_a_key_only_what_is_signed_counts_wherever_it_lies() {
        let key = |text: &str| {
            RecordKey::new(text.repeat(32).into()).unwrap_or_else(|why| panic!("{why}"))
        };
        let (right, other) = (key("a"), key("b"));
        let signed = |number, about: &str, key: &RecordKey| {
            let record = Record {
                host: about.into(),
                ..record(number, Outcome::Succeeded)
            };
            Volume {
                name: record.volume_name(),
                labels: signed_labels(&record, Some(key)).expect("labels"),
            }
        };
        // Somebody changes what is signed.
        let mut changed = signed(3, "host-1", &right);
        let text = changed.labels[label::RECORD].replace("alice", "mallory");
        changed.labels.insert(label::RECORD.into(), text);
        let found = [
            ("host-1", signed(1, "host-1", &right)),
            ("host-1", volume(2, "host-1", Outcome::Succeeded)),
            ("host-1", changed),
            ("host-1", signed(4, "host-1", &other)),
            // An inventory in another order had its copies there.
            ("host-1", signed(1, "host-2", &right)),
            ("host-1", volume(2, "host-2", Outcome::Succeeded)),
        ];
        let terms = Terms {
            key: Some(&right),
            strays: false,
        };
        let mut lines = read_on(terms, &found);
        lines.dedup();
        assert_eq!(
            lines,
            [
                "host-1: r1 succeeded",
                "copied host-2: r1 succeeded",
                "on host-1: it is about `host-2`, whose records lie there and on `host-3`",
                "on host-1: it is not signed",
                "on host-1: its signature is wrong",
            ]
        );
        // Whoever trusts the hosts takes what there is.
        let terms = Terms {
            key: None,
            strays: true,
        };
        let lines = read_on(terms, &found);
        let expected = "copied host-2: r1 succeeded, r2 succeeded";
        assert!(lines.contains(&expected.to_owned()), "{lines:?}");
    }
}
