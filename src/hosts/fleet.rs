//! All the hosts of a run.

use futures::future::join_all;

use super::reached::Reached;
use crate::{
    command::typed,
    consul::Access,
    event::{EventKind, Events},
    model::{Host, HostName},
    text,
    transport::{ConnectError, Connector, NotAdded},
};

/// All the hosts of a run, in the inventory's order.
#[derive(Clone, Default)]
pub struct Fleet {
    hosts: Vec<Reached>,
}

impl Fleet {
    /// Connects to as many of `hosts` as possible, and returns the errors of the others. Their Consul agents are asked as
    /// `consul` says.
    pub async fn connect_to_any(
        consul: &Access,
        hosts: &[&Host],
        connector: &Connector,
        events: &Events,
    ) -> (Self, Vec<(HostName, ConnectError)>) {
        let connecting = hosts.iter().map(|host| async move {
            let step = "connect".to_owned();
            let (name, recipe) = (host.name.to_string(), None);
            events.send(EventKind::StepStarted {
                host: name.clone(),
                recipe: recipe.clone(),
                step: step.clone(),
            });
            let began = tokio::time::Instant::now();
            match Reached::connect(consul, host, connector).await {
                Ok(reached) => {
                    let took = began.elapsed();
                    events.send(EventKind::StepFinished {
                        host: name,
                        recipe,
                        step,
                        took,
                        detail: Some(host.address.clone()),
                    });
                    Ok(reached)
                }
                Err(error) => {
                    let evidence = Vec::new();
                    events.send(EventKind::StepFailed {
                        host: name,
                        recipe,
                        step,
                        error: text::chain(&error),
                        evidence,
                    });
                    Err((host.name.clone(), error))
                }
            }
        });
        let (mut reached, mut failures) = (Vec::new(), Vec::new());
        for result in join_all(connecting).await {
            match result {
                Ok(host) => reached.push(host),
                Err(failure) => failures.push(failure),
            }
        }
        for not_added in connector.host_keys_not_added() {
            events.send(warning(&not_added));
        }
        (Self { hosts: reached }, failures)
    }

    /// The fleet without some hosts.
    #[must_use]
    pub fn without(&self, left_out: impl Fn(&HostName) -> bool) -> Self {
        let hosts = self.hosts.iter().filter(|it| !left_out(it.name()));
        Self {
            hosts: hosts.cloned().collect(),
        }
    }

    /// The fleet as one whose Consul agents are at another address.
    #[cfg(test)]
    pub(crate) fn with_consul_at(&self, address: &crate::model::HostAndPort) -> Self {
        let settings = crate::model::ConsulSettings::at(address.clone());
        self.with_consul(&Access::without_token(&settings))
    }

    /// The fleet as one whose Consul agents are asked in another way.
    #[cfg(test)]
    pub(crate) fn with_consul(&self, access: &Access) -> Self {
        let mut fleet = self.clone();
        for host in &mut fleet.hosts {
            host.consul = crate::consul::Agent::new(host.session.clone(), access.clone());
        }
        fleet
    }

    /// The hosts, in the inventory's order.
    pub fn hosts(&self) -> &[Reached] {
        &self.hosts
    }

    /// One host.
    pub fn host(&self, name: &HostName) -> Option<&Reached> {
        self.hosts.iter().find(|reached| reached.name() == name)
    }

    /// Does something on every host at once. The results are in the inventory's order.
    pub async fn each<'a, T, F>(&'a self, work: impl Fn(&'a Reached) -> F) -> Vec<(&'a Reached, T)>
    where
        F: Future<Output = T>,
    {
        join_all(self.hosts.iter().map(|host| {
            let doing = work(host);
            async move { (host, doing.await) }
        }))
        .await
    }

    /// Ends every session.
    pub async fn close(&self) {
        self.each(|host| host.session.close()).await;
    }
}

fn warning(
    NotAdded {
        hosts,
        file,
        reason,
    }: &NotAdded,
) -> EventKind {
    EventKind::Warning {
        host: None,
        message: format!(
            "could not add the host key of {} to `{}`: {reason}",
            text::list(hosts),
            file.display()
        ),
        hint: Some(format!(
            "make the file writable (`{}`); until the key is there, each run accepts any key",
            typed("ls -l", [file.to_string_lossy()])
        )),
    }
}
