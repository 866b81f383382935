//! What every run has at hand.

use std::{path::Path, time::Duration};

use super::Interrupts;
use crate::{
    consul::Access,
    event::{EventKind, Events, Outcome, Phase, Severity},
    hosts::{self, Fleet, Run, Stop, preflight},
    model::{Environment, Host, HostName, Name, Project},
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
    /// How Consul's agents are asked.
    pub consul: Access,
    /// Where events go.
    pub events: &'a Events,
    /// Ctrl-C.
    pub interrupts: &'a Interrupts,
    /// Takes each secret's value before it is used, so that every output masks it.
    pub mask: &'a (dyn Fn(&str) + Sync),
    /// A text without the values of the secrets that are known by now.
    pub masked: &'a (dyn Fn(&str) -> String + Sync),
    /// Takes the release's number once it is known.
    pub log: &'a (dyn Fn(&str) + Sync),
    /// How long to wait for the environment's lock while another run has it.
    pub lock_wait: Duration,
    /// Who does this, and from where: `alice@laptop`.
    pub by: String,
    /// What the release is for, in the user's words.
    pub message: Option<String>,
    /// The project's git revision.
    pub revision: Option<String>,
}

#[cfg(test)]
impl<'a> Context<'a> {
    /// Alice's, who has no secrets and waits for nobody.
    pub fn of_alice(
        environment: &'a Environment,
        root: &'a Path,
        connector: &'a Connector,
        events: &'a Events,
        interrupts: &'a Interrupts,
    ) -> Self {
        Self {
            environment,
            root,
            connector,
            consul: Access::without_token(&environment.consul),
            events,
            interrupts,
            mask: &|_| {},
            masked: &|text| text.to_owned(),
            log: &|_| {},
            lock_wait: Duration::ZERO,
            by: "alice@laptop".to_owned(),
            message: None,
            revision: None,
        }
    }
}

/// A host that those who only look go without.
struct LeftOut {
    host: HostName,
    state: &'static str,
    why: String,
    hint: Option<String>,
}

impl Context<'_> {
    /// The same for another environment on the same hosts: a preview of this one.
    pub fn of<'b>(&'b self, environment: &'b Environment) -> Context<'b> {
        Context {
            environment,
            consul: self.consul.clone(),
            by: self.by.clone(),
            message: self.message.clone(),
            revision: self.revision.clone(),
            ..*self
        }
    }

    /// The project's environments that have an inventory: none of them is a preview, whatever a host says.
    pub fn environments(&self) -> Vec<Name> {
        let root = self.root.to_owned();
        Project { root }.environments()
    }

    /// The same, with Consul's agents asked in this way.
    pub fn with_consul(&self, consul: Access) -> Context<'_> {
        let context = self.of(self.environment);
        Context { consul, ..context }
    }

    /// Connects to these hosts at once, and sees that they take commands. When one cannot be reached, or its login
    /// shell is not to be trusted, none is used.
    pub async fn connect(&self, hosts: &[&Host]) -> Run<Fleet> {
        let fleet = self.connect_to(hosts, |_| true).await?;
        preflight::takes_commands(&fleet).await?;
        Ok(fleet)
    }

    /// Connects to these hosts at once, for those who check more of them. When one that is `needed` cannot be
    /// reached, none is used.
    pub async fn connect_to(
        &self,
        hosts: &[&Host],
        needed: impl Fn(&HostName) -> bool,
    ) -> Run<Fleet> {
        self.events.send(EventKind::Phase {
            phase: Phase::Connect,
        });
        let (fleet, failures) =
            Fleet::connect_to_any(&self.consul, hosts, self.connector, self.events).await;
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

    /// Connects to as many of these hosts as answer and take commands: what only looks must work on a bad day.
    /// Each other one is a row and a warning; when there is none but those, that is an error.
    pub async fn connect_to_any(&self, hosts: &[&Host]) -> Run<Fleet> {
        self.events.send(EventKind::Phase {
            phase: Phase::Connect,
        });
        let (fleet, failures) =
            Fleet::connect_to_any(&self.consul, hosts, self.connector, self.events).await;
        let unfit = preflight::cannot_be_asked(&fleet).await;
        let fleet = fleet.without(|host| unfit.iter().any(|(name, _)| name == host));
        let nobody = if unfit.is_empty() {
            "cannot connect to any host"
        } else {
            "no host can be asked"
        };
        let away = failures.into_iter().map(|(host, error)| LeftOut {
            host,
            state: "cannot connect",
            why: text::chain(&error).join(": "),
            hint: error.hint(),
        });
        let unfit = unfit.into_iter().map(|(host, unfit)| LeftOut {
            host,
            state: "cannot be read",
            why: text::chain(&unfit.error).join(": "),
            hint: Some(unfit.hint),
        });
        let left_out: Vec<_> = away.chain(unfit).collect();
        if fleet.hosts().is_empty() {
            let mut stop = Stop::not_ready(nobody);
            for LeftOut {
                host, why, hint, ..
            } in left_out
            {
                stop.report.causes.push(format!("`{host}`: {why}"));
                stop.report.hint = stop.report.hint.take().or(hint);
            }
            return Err(stop);
        }
        for one in left_out {
            self.tell_left_out(one);
        }
        Ok(fleet)
    }

    fn tell_left_out(
        &self,
        LeftOut {
            host,
            state,
            why,
            hint,
        }: LeftOut,
    ) {
        self.events.send(EventKind::Warning {
            host: Some(host.to_string()),
            message: format!("left out: {why}"),
            hint,
        });
        let mut row = hosts::row(&host, state, Severity::Bad);
        row.detail = Some(why);
        self.events.send(EventKind::HostState { row });
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
