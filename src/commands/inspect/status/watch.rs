//! `--watch`: the status again and again.

use std::time::Duration;

use super::read::read;
use crate::{
    commands::on_hosts::consul,
    event::{EventKind, Events, Severity, Status, StatusForm},
    hosts::{self, Fleet, Run, Stop},
    plan::Scope,
    run::Context,
    state, terminal,
};

/// How long a status is shown before the next one is read.
const EVERY: Duration = Duration::from_secs(2);

/// Shows the status until the user has enough: on a terminal in the same place, elsewhere whenever it has changed.
pub async fn watch(context: &Context<'_>, scope: &Scope, form: StatusForm) -> Run<()> {
    let mut interrupts = context.interrupts.clone();
    let watching = async {
        let asking = context.with_consul(consul::access_to_look(context).await);
        let fleet = asking.connect_to_any(&context.hosts_of(scope)).await?;
        show_again(context, scope, &fleet, form).await
    };
    tokio::select! {
        ended = watching => ended,
        _ = interrupts.next() => Ok(()),
    }
}

async fn show_again(
    context: &Context<'_>,
    scope: &Scope,
    fleet: &Fleet,
    form: StatusForm,
) -> Run<()> {
    let key = state::key_to_look(context).await;
    let is_seen = terminal::stdout_is_terminal();
    let mut last = None::<(Status, Vec<EventKind>)>;
    loop {
        // What is told of a host would be told every time: its row says the same.
        let (quiet, mut told) = Events::channel();
        let seen = read(context, scope, fleet, key.as_ref(), &quiet).await;
        let mut rows = Vec::new();
        while let Some(event) = told.try_next() {
            if matches!(event.kind, EventKind::HostState { .. }) {
                rows.push(event.kind);
            }
        }
        let status = match seen {
            Ok(status) => status,
            Err(stop) => nobody_answers(context, scope, &stop, &mut rows),
        };
        let now = (status, rows);
        if is_seen || last.as_ref() != Some(&now) {
            let (status, rows) = now.clone();
            for row in rows {
                context.events.send(row);
            }
            let status = Box::new(status);
            context.events.send(EventKind::Status { status, form });
            last = Some(now);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// What is shown while no host answers: that, until one does again.
fn nobody_answers(
    context: &Context<'_>,
    scope: &Scope,
    stop: &Stop,
    rows: &mut Vec<EventKind>,
) -> Status {
    let hosts = context.hosts_of(scope);
    for (at, host) in hosts.iter().enumerate() {
        let mut row = hosts::row(&host.name, "cannot be read", Severity::Bad);
        row.detail = stop.report.causes.get(at).cloned();
        rows.push(EventKind::HostState { row });
    }
    Status {
        release: None,
        lock: None,
        instances: Vec::new(),
        previews: Vec::new(),
        unread: hosts.iter().map(|host| host.name.to_string()).collect(),
    }
}
