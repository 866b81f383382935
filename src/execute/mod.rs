//! Does things: connects, locks, observes, performs plans and rollouts, records. It owns the sessions, the
//! time, the lock and what Ctrl-C means; what is to be done is decided by [`crate::plan`] and
//! [`crate::rollout`].

mod deploy;
mod desired;
mod driver;
mod gate;
mod images;
mod interrupt;
mod lock;
mod observe;
mod operate;
mod probe;
mod quorum;
mod record;
mod rollouts;
mod secrets;
mod show;
mod slot;
mod tasks;

use std::path::Path;

/// How the reason begins that Consul is given for a maintenance mode of ours, so that one which a person
/// asked for is left alone.
const MAINTENANCE: &str = "shipit ";

pub use deploy::{DeployRequest, Goal, deploy};
pub use driver::Promotion;
pub use interrupt::{Interrupts, Stage};
pub use operate::{
    Confirm, DownRequest, ExecRequest, LogsRequest, check, down, exec, history, lock, logs,
    run_task, status, unlock,
};

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
    /// Told every secret's value before it is used.
    pub mask: &'a (dyn Fn(&str) + Sync),
    /// Told the release's number once it is known.
    pub log: &'a (dyn Fn(&str) + Sync),
    /// Who does this, and from where: `alice@laptop`.
    pub by: String,
    /// The project's git revision.
    pub revision: Option<String>,
}

impl Context<'_> {
    /// Connects to these hosts at once. When one cannot be reached, none is used.
    async fn connect(&self, hosts: &[&Host]) -> Run<Fleet> {
        self.connect_to(hosts, |_| true).await
    }

    /// Connects to these hosts at once. When one that is `needed` cannot be reached, none is used.
    async fn connect_to(&self, hosts: &[&Host], needed: impl Fn(&HostName) -> bool) -> Run<Fleet> {
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

    /// The hosts of a scope, in the inventory's order.
    fn hosts_of(&self, scope: &Scope) -> Vec<&Host> {
        self.environment
            .hosts
            .iter()
            .filter(|host| scope.has_host(&host.name))
            .collect()
    }

    /// Does something that may be left at any point; an interrupt ends it at once. `state` says what that
    /// means for the hosts.
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

/// Turns what was typed for `--limit` or `--hosts` into a scope: names of hosts and of groups.
pub fn limit(environment: &Environment, limits: &[String]) -> Run<Vec<HostName>> {
    let mut hosts = Vec::new();
    for wanted in limits {
        let found: Vec<_> = environment
            .hosts
            .iter()
            .filter(|host| {
                &*host.name == wanted.as_str()
                    || host.groups.iter().any(|group| &**group == wanted.as_str())
            })
            .map(|host| host.name.clone())
            .collect();
        if found.is_empty() {
            let names = text::list(environment.hosts.iter().map(|host| &host.name));
            return Err(Stop::new(
                Outcome::Usage,
                format!(
                    "`{wanted}` is neither a host nor a group of `{}`",
                    environment.name
                ),
            )
            .hint(format!("its hosts are {names}")));
        }
        for host in found {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
    }
    Ok(hosts)
}

/// Turns what was typed for recipes into their names.
pub fn recipes(environment: &Environment, names: &[String]) -> Run<Vec<crate::model::Name>> {
    let find = |wanted: &String| {
        environment
            .recipe(wanted)
            .map(|recipe| recipe.name.clone())
            .ok_or_else(|| {
                let known = text::list(environment.recipes.iter().map(|recipe| &recipe.name));
                Stop::new(
                    Outcome::Usage,
                    format!("`{}` has no recipe `{wanted}`", environment.name),
                )
                .hint(format!("its recipes are {known}"))
            })
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Overrides, Project, load};

    fn staging() -> Environment {
        let project = Project {
            root: env!("CARGO_MANIFEST_DIR").into(),
        };
        load(&project, "staging", &Overrides::default())
            .unwrap_or_else(|problems| panic!("{problems}"))
            .environment
    }

    #[test]
    fn a_limit_names_hosts_and_groups() {
        let environment = staging();
        let limited = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(ToString::to_string).collect();
            limit(&environment, &words)
                .map(|hosts| {
                    hosts
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(" ")
                })
                .map_err(|stop| stop.report.message)
        };
        assert_eq!(limited(&[]), Ok(String::new()), "no limit");
        assert_eq!(limited(&["host-3"]), Ok("host-3".into()));
        assert_eq!(limited(&["apps"]), Ok("host-1 host-2".into()));
        assert_eq!(
            limited(&["apps", "host-1"]),
            Ok("host-1 host-2".into()),
            "none twice"
        );
        let unknown = "`host` is neither a host nor a group of `staging`";
        assert_eq!(limited(&["apps", "host"]), Err(unknown.into()));
    }
}
