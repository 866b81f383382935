//! Where each balancer routes to now.

use std::time::Duration;

use futures::future::join_all;

use crate::{
    command::RemoteCommand,
    facts::routes,
    hosts::{Fleet, Reached},
    model::{BalancerView, HostName, LateValues, Name},
    observe::Observed,
    run::Context,
};

/// What one balancer answered. The recipe that it balances for is whoever drains through it.
pub struct Answer {
    /// The balancer's recipe.
    pub balancer: Name,
    /// The host that it runs on.
    pub host: HostName,
    /// What it printed of its upstreams, or why it could not be asked.
    printed: Result<String, String>,
}

impl Answer {
    /// Whether it routes to this address; the error says why it could not be asked.
    pub fn routes_to(&self, address: &str, port: u16) -> Result<bool, &str> {
        match &self.printed {
            Ok(printed) => Ok(routes::routes_to(printed, address, port)),
            Err(error) => Err(error),
        }
    }
}

/// Asks every balancer on every host of the fleet, all at once; none for longer than `deadline`.
pub async fn of_balancers(
    context: &Context<'_>,
    fleet: &Fleet,
    observed: &Observed,
    deadline: Duration,
) -> Vec<Answer> {
    let mut asked = Vec::new();
    for recipe in &context.environment.recipes {
        for (host, on) in &recipe.on {
            let (Some(balancer), Some(reached)) = (&on.balancer, fleet.host(host)) else {
                continue;
            };
            let mut containers = observed.facts.serving(host, &recipe.name);
            if containers.is_empty() {
                containers.push(String::new());
            }
            for container in containers {
                asked.push(async move {
                    Answer {
                        balancer: recipe.name.clone(),
                        host: host.clone(),
                        printed: upstreams(reached, balancer, container, deadline).await,
                    }
                });
            }
        }
    }
    join_all(asked).await
}

async fn upstreams(
    reached: &Reached,
    balancer: &BalancerView,
    container: String,
    deadline: Duration,
) -> Result<String, String> {
    let late = LateValues {
        release: String::new(),
        container,
    };
    let script = balancer
        .upstreams
        .render(&late)
        .map_err(|error| error.to_string())?;
    reached
        .expect(RemoteCommand::shell(script), deadline)
        .await
        .map_err(|error| error.to_string())
}
