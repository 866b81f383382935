//! The end of a deploy that found nothing to change.

use super::wanted::Wanted;
use crate::{
    desired,
    event::EventKind,
    observe::Observed,
    release::{Action, History, Number},
    run::Context,
};

/// Says why a rollback has nothing to do.
pub fn up_to_date(context: &Context<'_>, observed: &Observed, wanted: &Wanted) {
    if let Action::RollbackTo(target) = wanted.action {
        warn_that_it_runs(context, &observed.history, target);
    }
}

/// Says that the target of a rollback runs already, why that is so, and how to go further back.
fn warn_that_it_runs(context: &Context<'_>, history: &History, target: Number) {
    let earlier = history.succeeded_before(target);
    let newest = history
        .releases()
        .pop()
        .filter(|newest| newest.number > target);
    let because = newest.map(|newest| {
        let (number, end) = (newest.number, desired::describe(newest.outcome));
        format!(", as {number} {end}")
    });
    context.events.send(EventKind::Warning {
        host: None,
        message: format!("{target} is already running{}", because.unwrap_or_default()),
        hint: earlier.map(|earlier| {
            let environment = &context.environment.name;
            format!("`shipit rollback {environment} --to {earlier}` goes further back")
        }),
    });
}
