//! The end of a deploy that found nothing to change.

use super::wanted::Wanted;
use crate::{
    desired,
    event::EventKind,
    model::HostName,
    observe::Observed,
    release::{Action, History, Number, Outcome},
    run::Context,
};

/// Says why a rollback has nothing to do, and how to go further back.
pub fn up_to_date(context: &Context<'_>, observed: &Observed, wanted: &Wanted) {
    if let Action::RollbackTo(target) = wanted.action {
        let hosts = &wanted.scope.hosts;
        let earlier = observed.history.other_before(target, hosts);
        context.events.send(EventKind::Warning {
            host: None,
            message: why_it_runs(&observed.history, target, hosts),
            hint: earlier.map(|earlier| {
                let environment = &context.environment.name;
                format!("`shipit rollback {environment} --to {earlier}` goes further back")
            }),
        });
    }
}

/// Why the target of a rollback runs already on these hosts: what the newest release did there.
fn why_it_runs(history: &History, target: Number, hosts: &[HostName]) -> String {
    let releases = history.releases();
    let newest = releases.iter().rev().find(|release| {
        release.number > target && release.hosts.iter().any(|host| hosts.contains(host))
    });
    let because = newest.map(|newest| {
        let number = newest.number;
        match (newest.outcome, newest.action) {
            (Outcome::Succeeded, Action::RollbackTo(to)) if to == target => {
                format!(": {number} returned to it")
            }
            (Outcome::Succeeded, _) => format!(": {number} brought no other version"),
            (outcome, _) => format!(", as {number} {}", desired::describe(outcome)),
        }
    });
    format!("{target} is already running{}", because.unwrap_or_default())
}
