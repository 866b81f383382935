//! Warnings about what hosts claim of releases and what does not count.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    command::typed,
    docker::HIGHEST_RELEASE,
    event::{EventKind, Events, Severity},
    facts::Facts,
    hosts::row,
    release::LeftOut,
    text,
};

/// Says which records are left out, where they lie and why. Those of one host with one reason are one warning.
pub fn warn_of_left_out(left_out: BTreeSet<LeftOut>, environment: &str, events: &Events) {
    let mut alike = BTreeMap::<_, Vec<String>>::new();
    for it in left_out {
        let reason = (it.on, it.why, it.is_unsigned);
        alike.entry(reason).or_default().push(it.volume);
    }
    for ((on, why, is_unsigned), volumes) in alike {
        let records = if volumes.len() == 1 {
            "the release record in volume"
        } else {
            "the release records in volumes"
        };
        let verb = if volumes.len() == 1 { "is" } else { "are" };
        events.send(EventKind::Warning {
            host: Some(on.to_string()),
            message: format!("{records} {} {verb} left out: {why}", text::list(&volumes)),
            hint: Some(if is_unsigned {
                format!("if your team wrote it: shipit state sign {environment}")
            } else {
                let remove = typed("docker volume rm", &volumes);
                format!("on `{on}`, if it is of no use: {remove}")
            }),
        });
    }
}

/// A row for each host that has records without the right signature.
pub fn show_unsigned(unsigned: &[LeftOut], events: &Events) {
    let mut by_host = BTreeMap::<_, usize>::new();
    for left_out in unsigned {
        *by_host.entry(&left_out.on).or_default() += 1;
    }
    for (on, number) in by_host {
        let mut row = row(on, "records refused", Severity::Bad);
        let records = text::count(number, "release record");
        row.detail = Some(format!("{records} without the right signature"));
        events.send(EventKind::HostState { row });
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
                hint: Some(format!(
                    "if nobody needs it: {}",
                    typed("docker rm --force", [&container.name])
                )),
            });
        }
    }
}
