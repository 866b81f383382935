//! Where each balancer routes to now.

use futures::future::join_all;

use crate::{
    balancers::{CommandTarget, Routes, Upstreams},
    facts::{Facts, routes},
    hosts::Fleet,
    model::{Environment, HostName, LateValues, Name},
    text,
};

/// What one balancer answered. The recipe that it balances for is whoever drains through it.
#[derive(Clone)]
pub struct Answer {
    /// The balancer's recipe.
    pub balancer: Name,
    /// The host that it runs on.
    pub host: HostName,
    /// What it printed of its upstreams, or why it could not be asked.
    printed: Result<String, String>,
    /// How it was asked, and is told of containers.
    upstreams: Upstreams,
}

impl Answer {
    /// Whether it routes to this address; the error says why it could not be asked.
    pub fn routes_to(&self, address: &str, port: u16) -> Result<bool, &str> {
        match &self.printed {
            Ok(printed) => Ok(routes::routes_to(printed, address, port)),
            Err(error) => Err(error),
        }
    }

    /// How it is told of containers, where it has commands for that.
    pub fn target(&self) -> Option<CommandTarget> {
        CommandTarget::of(&self.upstreams)
    }

    /// Asks it again.
    pub async fn again(&self) -> Option<Self> {
        ask(self.upstreams.clone()).await
    }
}

/// Asks a balancer; `None` where it cannot print what it routes to.
async fn ask(upstreams: Upstreams) -> Option<Answer> {
    let (host, routes) = upstreams.ask().await?;
    Some(Answer {
        balancer: upstreams.recipe.clone(),
        host,
        printed: printed(routes),
        upstreams,
    })
}

/// Asks every balancer on every host of the fleet, all at once.
pub async fn of_balancers(environment: &Environment, fleet: &Fleet, facts: &Facts) -> Vec<Answer> {
    let mut asked = Vec::new();
    for recipe in environment.with_shared() {
        for (host, on) in &recipe.by_host {
            let (Some(balancer), Some(reached)) = (&on.balancer, fleet.host(host)) else {
                continue;
            };
            let mut containers = facts.serving(host, &recipe.name);
            if containers.is_empty() {
                containers.push(recipe.name.to_string());
            }
            for container in containers {
                let upstreams = Upstreams {
                    recipe: recipe.name.clone(),
                    reached: reached.clone(),
                    view: balancer.clone(),
                    late: LateValues {
                        release: String::new(),
                        image: facts.image_of(host, &container),
                        container,
                    },
                };
                asked.push(ask(upstreams));
            }
        }
    }
    join_all(asked).await.into_iter().flatten().collect()
}

fn printed(routes: Routes) -> Result<String, String> {
    match routes {
        Routes::Printed(printed) => Ok(printed),
        Routes::Refused(said) => Err(text::reason(&said)),
        Routes::Down { container, status } => {
            Err(format!("`{container}` does not run (it is {status})"))
        }
        Routes::Failed(error) => Err(text::chain(&error).join(": ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::testing::{TestFleet, behaviour, fails, prints};

    #[tokio::test]
    async fn a_balancer_is_asked_as_in_a_deploy() {
        let lb = "hosts = \"all\"\ncontainer.image = \"lb\"\n\
            balancer.upstreams = \"docker exec {{container}} upstreams\"\n";
        let serves = behaviour().script(|_| prints("server 10.0.0.1:32768;\n"));
        let refuses = behaviour().script(|command| match command {
            _ if command.contains("docker inspect") => {
                prints(r#"[{"Id":"c","Name":"/lb","Image":"","State":{"Status":"running","Running":true},"Config":{},"HostConfig":{}}]"#)
            }
            _ => fails(1, "nginx: no permission\n"),
        });
        let down = behaviour().script(|command| match command {
            _ if command.contains("docker inspect") => prints("[]\n"),
            _ => fails(1, "Error: No such container: lb\n"),
        });
        let lab = TestFleet::new(&[("lb", lb)], vec![serves, refuses, down]).await;
        let answers = of_balancers(&lab.environment, &lab.fleet, &Facts::default()).await;
        let routed: Vec<_> = answers
            .iter()
            .map(|answer| answer.routes_to("10.0.0.1", 32768))
            .collect();
        assert_eq!(
            routed,
            [
                Ok(true),
                Err("nginx: no permission"),
                Err("`lb` does not run (it is gone)"),
            ]
        );
    }
}
