//! `shipit prune`.

use std::time::Duration;

use clap::Args;

use crate::{
    commands::{
        arguments::{DefaultEnvironment, Wait},
        command::{HostCommand, Lock, Needs},
        on_hosts::invocation::Invocation,
    },
    deploy::{self, Pruned},
    event::{EventKind, Outcome, Severity},
    hosts::{self, HostFailure, Run, Stop, preflight},
    model::{HostName, Name},
    observe::observe,
    plan::Scope,
    release::Terms,
    run::Context,
    state::{self, lock},
    text,
};

/// Remove kept containers, images and records that no rollback needs
#[derive(Debug, Args)]
#[command(after_help = "\
What stays is what a successful deploy leaves, by `[releases] keep`. Volumes, and what other environments use, are
left alone.

Examples:
  shipit prune staging --dry-run
  shipit prune staging")]
pub struct Prune {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    #[command(flatten)]
    pub wait: Wait,
    /// Show what would be removed, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl HostCommand for Prune {
    const NAME: &'static str = "prune";
    const NEEDS: Needs = Needs {
        contacts: "all hosts",
        lock: Lock::Always,
        changes: "stopped containers, images, records",
        log: true,
        exit_codes: &[0, 1, 2, 3, 4, 130],
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    fn lock_wait(&self) -> Duration {
        self.wait.time()
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let pruned = prune(context, &scope, self.dry_run);
        let state = "what was not yet removed is still there; run it again";
        context.interruptible(state, pruned).await
    }
}

async fn prune(context: &Context<'_>, scope: &Scope, dry_run: bool) -> Run<Outcome> {
    let (environment, events) = (context.environment, context.events);
    let fleet = context
        .connect_to(&context.hosts_of(scope), |_| true)
        .await?;
    preflight::check(&fleet, environment, events).await?;
    let lock = if dry_run {
        None
    } else {
        Some(lock::take(context, &fleet, Prune::NAME).await?)
    };
    let key = state::key_of(context).await?;
    let terms = Terms {
        key: key.as_ref(),
        strays: false,
    };
    let observed = observe(&fleet, environment, terms, events).await?;
    let history = &observed.history;
    let (pruned, failures) = if dry_run {
        deploy::prunable(&fleet, environment, history).await
    } else {
        deploy::prune_measured(&fleet, environment, history, events).await
    };
    drop(lock);
    fleet.close().await;
    if dry_run {
        let lines = pruned.iter().flat_map(|(host, it)| named(host, it));
        let lines: Vec<_> = lines.collect();
        events.send(EventKind::Result { lines });
    }
    show_hosts(context, &pruned, dry_run);
    outcome(context, &pruned, &failures)
}

/// A line for each thing that would go.
fn named(host: &HostName, pruned: &Pruned) -> Vec<String> {
    let containers = pruned.containers.iter().map(|it| ("container", it));
    let images = pruned.images.iter().map(|it| ("image", it));
    let all = containers.chain(images);
    all.map(|(kind, name)| format!("{host}  {kind} {name}"))
        .collect()
}

fn show_hosts(context: &Context<'_>, pruned: &[(HostName, Pruned)], dry_run: bool) {
    for (host, pruned) in pruned {
        let row = hosts::row(host, told(pruned, dry_run), Severity::Good);
        context.events.send(EventKind::HostState { row });
    }
}

/// `3 containers, 2 images, 1 record removed: 1.2 GB freed`.
fn told(pruned: &Pruned, dry_run: bool) -> String {
    let Pruned {
        containers,
        images,
        records,
        bytes,
    } = pruned;
    let counts = [
        (containers.len(), "container"),
        (images.len(), "image"),
        (*records, "record"),
    ];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    let counts: Vec<_> = counts
        .map(|(number, noun)| text::count(number, noun))
        .collect();
    if counts.is_empty() {
        return "nothing to remove".to_owned();
    }
    let counts = counts.join(", ");
    let freed = bytes.map(text::bytes);
    // A record takes nothing that anybody would count.
    if containers.is_empty() && images.is_empty() {
        return if dry_run {
            format!("would remove {counts}")
        } else {
            format!("{counts} removed")
        };
    }
    match (dry_run, freed) {
        (true, Some(freed)) => format!("would remove {counts}: {freed}"),
        (true, None) => format!("would remove {counts}"),
        (false, Some(freed)) => format!("{counts} removed: {freed} freed"),
        (false, None) => format!("{counts} removed; docker does not say how much that freed"),
    }
}

fn outcome(
    context: &Context<'_>,
    pruned: &[(HostName, Pruned)],
    failures: &[HostFailure],
) -> Run<Outcome> {
    if !failures.is_empty() {
        let names = text::list(failures.iter().map(|(host, _)| host));
        let message = format!("not everything could be removed on {names}");
        let stop = Stop::on_hosts(Outcome::Failed, message, failures);
        return Err(stop.hint(format!("shipit prune {}", context.environment.name)));
    }
    let is_empty = |pruned: &Pruned| {
        pruned.containers.is_empty() && pruned.images.is_empty() && pruned.records == 0
    };
    if pruned.iter().all(|(_, pruned)| is_empty(pruned)) {
        return Ok(Outcome::NothingToDo);
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_removed_is_counted() {
        let pruned = Pruned {
            containers: vec!["web-r1".into(), "web-r2".into()],
            images: vec!["web@sha256:aa".into()],
            records: 0,
            bytes: Some(12_500_000),
        };
        assert_eq!(
            told(&pruned, false),
            "2 containers, 1 image removed: 12.5 MB freed"
        );
        assert_eq!(
            told(&pruned, true),
            "would remove 2 containers, 1 image: 12.5 MB"
        );
        assert_eq!(told(&Pruned::default(), false), "nothing to remove");
        let records = Pruned {
            records: 1,
            ..Pruned::default()
        };
        assert_eq!(told(&records, false), "1 record removed");
    }
}
