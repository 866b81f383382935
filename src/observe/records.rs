//! Warnings about what hosts claim of releases and what does not count.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    docker::HIGHEST_RELEASE,
    event::{EventKind, Events},
    facts::Facts,
    release::LeftOut,
    text,
};

/// Says which records are left out, where they lie and why. Those of one host with one reason are one warning.
pub fn warn_of_left_out(left_out: BTreeSet<LeftOut>, events: &Events) {
    let mut alike = BTreeMap::<_, Vec<String>>::new();
    for LeftOut { on, why, volume } in left_out {
        alike.entry((on, why)).or_default().push(volume);
    }
    for ((on, why), volumes) in alike {
        let records = if volumes.len() == 1 {
            "the release record in volume"
        } else {
            "the release records in volumes"
        };
        let verb = if volumes.len() == 1 { "is" } else { "are" };
        events.send(EventKind::Warning {
            host: Some(on.to_string()),
            message: format!("{records} {} {verb} left out: {why}", text::list(&volumes)),
            hint: Some(format!(
                "on `{on}`, if it is of no use: docker volume rm {}",
                volumes.join(" ")
            )),
        });
    }
}

/// Says which containers claim the number of a release that no deploy has reached.
pub fn warn_of_numbers(facts: &Facts, events: &Events) {
    for (host, facts) in &facts.hosts {
        for container in &facts.containers {
            let number = container.identity().map(|identity| identity.release);
            let Some(number) = number.filter(|number| *number > HIGHEST_RELEASE) else {
                continue;
            };
            events.send(EventKind::Warning {
                host: Some(host.to_string()),
                message: format!(
                    "`{}` says that it is of release r{number}, which no deploy has reached; its number is left out",
                    container.name
                ),
                hint: Some(format!("if nobody needs it: docker rm --force {}", container.name)),
            });
        }
    }
}
