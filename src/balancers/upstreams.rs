//! A balancer that is asked for its upstreams by the command of its recipe's `[balancer]`.

use std::time::Duration;

use super::Routes;
use crate::{
    command::RemoteCommand,
    docker,
    hosts::{HostError, Reached, failed},
    model::{BalancerView, HostName, LateValues, Name, Template},
};

/// The longest that a balancer may take for its answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// One container of a balancer.
#[derive(Clone)]
pub struct Upstreams {
    /// Its recipe.
    pub recipe: Name,
    /// The host it runs on.
    pub reached: Reached,
    /// How it is asked.
    pub view: BalancerView,
    /// What its command may name.
    pub late: LateValues,
}

impl Upstreams {
    /// Asks it once what it routes to; `None` where it cannot print that.
    pub async fn ask(&self) -> Option<(HostName, Routes)> {
        let upstreams = self.view.upstreams.as_ref()?;
        Some((self.reached.name().clone(), self.routes(upstreams).await))
    }

    async fn routes(&self, upstreams: &Template) -> Routes {
        let script = match upstreams.render(&self.late) {
            Ok(script) => script,
            Err(error) => return Routes::Failed(HostError::Fact(error.to_string())),
        };
        let command = RemoteCommand::shell(script);
        match self.reached.run(command, DEADLINE).await {
            Ok(output) if output.status == 0 => Routes::Printed(output.stdout),
            Ok(output) => match self.status_when_down().await {
                Some(status) => Routes::Down {
                    container: self.late.container.clone(),
                    status,
                },
                None if output.stderr.is_empty() => Routes::Refused(output.stdout),
                None => Routes::Refused(output.stderr),
            },
            Err(error) => Routes::Failed(error),
        }
    }

    /// Asks it once how many requests it has sent to each container, and how many were answered with 5xx.
    ///
    /// # Errors
    ///
    /// When it cannot say that.
    pub async fn errors(&self) -> Result<String, HostError> {
        let Some(errors) = &self.view.errors else {
            return Err(HostError::Fact("its recipe has no `errors`".to_owned()));
        };
        let script = errors.render(&self.late);
        let script = script.map_err(|error| HostError::Fact(error.to_string()))?;
        let shown = script.trim().to_owned();
        let command = RemoteCommand::shell(script);
        let output = self.reached.run(command, DEADLINE).await?;
        match output.status {
            0 => Ok(output.stdout),
            _ => Err(failed(shown, &output)),
        }
    }

    /// How docker shows its container, if docker says that it does not run.
    async fn status_when_down(&self) -> Option<String> {
        if !self.view.in_container {
            return None;
        }
        let command = docker::inspect_containers(&[&self.late.container]);
        let read = self.reached.read(command, docker::parse_containers).await;
        match read.ok()?.first() {
            None => Some("gone".to_owned()),
            Some(container) => {
                let state = &container.state;
                (!state.running).then(|| state.status.clone())
            }
        }
    }
}
#[cfg(test)]
impl Upstreams {
    /// One of a recipe on each of these hosts, in a container of this name.
    pub(crate) fn on_each(
        hosts: &[Reached],
        recipe: &crate::model::Recipe,
        container: &str,
    ) -> Vec<Self> {
        let one = |reached: &Reached| Self {
            recipe: recipe.name.clone(),
            reached: reached.clone(),
            view: recipe.by_host[reached.name()]
                .balancer
                .clone()
                .expect("a balancer"),
            late: LateValues {
                release: "r2".into(),
                container: container.into(),
                image: String::new(),
            },
        };
        hosts.iter().map(one).collect()
    }
}
