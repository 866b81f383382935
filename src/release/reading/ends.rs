//! How releases ended, by all that lies on the hosts.

use std::collections::BTreeMap;

use super::place::Place;
use crate::{
    model::HostName,
    release::record::{Number, Outcome, Record},
};

/// How the releases about each host ended, by where their records lie, signed or not.
#[derive(Default)]
pub struct Ends(BTreeMap<HostName, BTreeMap<(Place, Number), Outcome>>);

impl Ends {
    /// Notes a record. Of two about the same release in the same place, the finished one counts.
    pub fn note(&mut self, place: Place, record: &Record) {
        let of_host = self.0.entry(record.host.clone()).or_default();
        let end = of_host
            .entry((place, record.number))
            .or_insert(record.outcome);
        *end = record.outcome.max(*end);
    }

    /// Whether the record would count if no signature were asked for. What would not is in nobody's way.
    pub fn would_count(&self, place: Place, record: &Record) -> bool {
        let Some(of_host) = self.0.get(&record.host) else {
            return false;
        };
        let nearest = of_host.keys().next().map(|(place, _)| *place);
        nearest == Some(place) && of_host.get(&(place, record.number)) == Some(&record.outcome)
    }
}
