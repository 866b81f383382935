//! Reading the records that hosts keep: which of them count, and what is left out.
//!
//! Whoever may use docker on a host can write there what he likes. So a host speaks for itself alone: what it keeps
//! about itself counts, and what it keeps about another one counts only where that one has nothing itself and this
//! one is its keeper.

mod ends;
mod place;

use std::collections::{BTreeMap, BTreeSet};

use ends::Ends;
use place::{Misplaced, Place, place_of};

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
    /// The volumes, wherever they lie, that have not the right signature, if there is a key.
    pub unsigned: BTreeSet<String>,
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
    /// Its release, if it is one that there can be.
    pub number: Option<Number>,
}

/// A record that lies where it may.
struct Valid {
    place: Place,
    record: Record,
    /// Why it is refused all the same, if there is a key and it lacks the right signature.
    refused: Option<&'static str>,
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
    let mut ends = Ends::default();
    let mut refused = Vec::new();
    for found in found {
        let Some(json) = found.volume.labels.get(label::RECORD) else {
            continue;
        };
        let left_out = |why: String, number: Option<Number>| LeftOut {
            on: found.on.clone(),
            why,
            volume: found.volume.name.clone(),
            is_unsigned: number.is_some(),
            number,
        };
        let valid = match read(environment, terms, found, json) {
            Ok(valid) => valid,
            Err(why) => {
                reading.left_out.insert(left_out(why, None));
                continue;
            }
        };
        let Valid { place, record, .. } = valid;
        ends.note(place, &record);
        if let Some(why) = valid.refused {
            reading.unsigned.insert(found.volume.name.clone());
            let left_out = left_out(why.to_owned(), Some(record.number));
            refused.push((place, record, left_out));
            continue;
        }
        let of_host = by_place.entry((record.host.clone(), place)).or_default();
        let earlier = of_host.get(&record.number);
        if earlier.is_none_or(|earlier| earlier.outcome < record.outcome) {
            of_host.insert(record.number, record);
        }
    }
    let refused = refused.into_iter();
    let refused = refused.filter(|(place, record, _)| ends.would_count(*place, record));
    let refused = refused.map(|(_, _, left_out)| left_out);
    reading.left_out.extend(refused);
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

/// A record and its place; or why it does not count.
fn read(
    environment: &Environment,
    terms: Terms<'_>,
    found: Found<'_>,
    json: &str,
) -> Result<Valid, String> {
    let Found { on, volume } = found;
    let record: Record =
        text::parse_json(json).map_err(|error| format!("it cannot be read: {error}"))?;
    if let Some(fault) = fault(&record, volume, &environment.name) {
        return Err(fault);
    }
    let refused = terms
        .key
        .and_then(|key| signature_fault(key, &record, volume));
    let may_be_elsewhere = terms.strays || (terms.key.is_some() && refused.is_none());
    let place = match place_of(environment, on, &record.host) {
        Err(Misplaced::Elsewhere(_)) if may_be_elsewhere => Place::Elsewhere,
        Err(Misplaced::Elsewhere(why) | Misplaced::OfNoHost(why)) => return Err(why),
        Ok(place) => place,
    };
    Ok(Valid {
        place,
        record: record.in_one_line(),
        refused,
    })
}

#[cfg(test)]
mod tests;
