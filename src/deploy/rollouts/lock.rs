//! Rollouts need the lock for as long as they run.

use std::{cell::OnceCell, convert::Infallible, future::pending};

use crate::{event::EventKind, run::Context, state::Lock};

/// Does `work`, which an interrupt can end early. Losing the lock is such an interrupt: then the reason is in the
/// second part, unless the user had interrupted before.
pub async fn while_locked<T>(
    context: &Context<'_>,
    lock: &mut Lock,
    work: impl Future<Output = T>,
) -> (T, Option<String>) {
    let ended_by = OnceCell::new();
    let interrupt_when_lost = async {
        let reason = lock.lost().await;
        let message = format!("{reason}; finishing the hosts in progress, starting no other");
        context.events.send(EventKind::Warning {
            host: None,
            message,
            hint: None,
        });
        // A second interrupt would stop the hosts in hand.
        if !context.interrupts.happened() {
            let _ = ended_by.set(reason);
            context.interrupts.raise();
        }
        pending::<Infallible>().await
    };
    let done = tokio::select! {
        done = work => done,
        never = interrupt_when_lost => match never {},
    };
    (done, ended_by.into_inner())
}
