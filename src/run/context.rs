//! What every run has at hand.

use std::path::Path;

use super::Interrupts;
use crate::{
    event::{EventKind, Events, Outcome, Phase, Severity},
    hosts::{self, Fleet, Run, Stop},
    model::{Environment, Host, HostName},
    plan::Scope,
    text,
    transport::Connector,
};

/// What every command needs.
pub struct Context<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// The project's folder.
    pub root: &'a Path,
    /// Opens sessions.
    pub connector: &'a Connector,
    /// Where events go.
    pub events: &'a Events,
    /// Ctrl-C.
    pub interrupts: &'a Interrupts,
    /// Takes each secret's value before it is used, so that every output masks it.
    pub mask: &'a (dyn Fn(&str) + Sync),
    /// Takes the release's number once it is known.
    pub log: &'a (dyn Fn(&str) + Sync),
    /// Who does this, and from where: `alice@laptop`.
    pub by: String,
    /// The project's git revision.
    pub revision: Option<String>,
}

impl Context<'_> {
    /// Connects to these hosts at once. When one cannot be reached, none is used.
    pub async fn connect(&self, hosts: &[&Host]) -> Run<Fleet> {
        self.connect_to(hosts, |_| true).await
    }

    /// Connects to these hosts at once. When one that is `needed` cannot be reached, none is used.
    pub async fn connect_to(
        &self,
        hosts: &[&Host],
        needed: impl Fn(&HostName) -> bool,
    ) -> Run<Fleet> {
        self.events.send(EventKind::Phase {
            phase: Phase::Connect,
        });
        let (fleet, failures) =
            Fleet::connect_to_any(self.environment, hosts, self.connector, self.events).await;
        if !failures.iter().any(|(host, _)| needed(host)) {
            return Ok(fleet);
        }
        let names = text::list(failures.iter().map(|(host, _)| host));
        let mut stop = Stop::not_ready(format!(
            "cannot connect to {names}; nothing was changed on any host"
        ));
        let mut hints = Vec::new();
        for (host, error) in &failures {
            stop.report
                .causes
                .push(format!("`{host}`: {}", text::chain(error).join(": ")));
            hints.extend(error.hint().filter(|hint| !hints.contains(hint)));
        }
        stop.rows = hosts
            .iter()
            .map(|host| {
                let failed = failures.iter().any(|(name, _)| *name == host.name);
                let (state, severity) = if failed {
                    ("cannot connect", Severity::Bad)
                } else {
                    ("reachable", Severity::Good)
                };
                hosts::row(&host.name, state, severity)
            })
            .collect();
        if !hints.is_empty() {
            stop.report.hint = Some(hints.join("\n"));
        }
        Err(stop)
    }

    /// Connects to as many of these hosts as answer: what only looks must work on a bad day. Each host that
    /// does not answer is a row and a warning; when none does, that is an error.
    pub async fn connect_to_any(&self, hosts: &[&Host]) -> Run<Fleet> {
        self.events.send(EventKind::Phase {
            phase: Phase::Connect,
        });
        let (fleet, failures) =
            Fleet::connect_to_any(self.environment, hosts, self.connector, self.events).await;
        if fleet.hosts().is_empty() {
            let mut stop = Stop::not_ready("cannot connect to any host");
            for (host, error) in &failures {
                stop.report
                    .causes
                    .push(format!("`{host}`: {}", text::chain(error).join(": ")));
                stop.report.hint = stop.report.hint.take().or_else(|| error.hint());
            }
            return Err(stop);
        }
        for (host, error) in &failures {
            let message = format!("left out: {}", text::chain(error).join(": "));
            self.events.send(EventKind::Warning {
                host: Some(host.to_string()),
                message,
                hint: error.hint(),
            });
            self.events.send(EventKind::HostState {
                row: hosts::row(host, "cannot connect", Severity::Bad),
            });
        }
        Ok(fleet)
    }

    /// The hosts of a scope, in the inventory's order.
    pub fn hosts_of(&self, scope: &Scope) -> Vec<&Host> {
        self.environment
            .hosts
            .iter()
            .filter(|host| scope.has_host(&host.name))
            .collect()
    }

    /// Does work that may be left at any point: an interrupt ends it at once. `state` says what that means
    /// for the hosts.
    pub async fn interruptible<T>(
        &self,
        state: &str,
        work: impl Future<Output = Run<T>>,
    ) -> Run<T> {
        let mut interrupts = self.interrupts.clone();
        tokio::select! {
            result = work => result,
            _ = interrupts.next() => Err(Stop::new(Outcome::Interrupted, format!("interrupted; {state}"))),
        }
    }
}
