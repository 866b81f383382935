//! sshd forwards connections, where checks and Consul are asked through it.

use std::time::Duration;

use super::unfit::Unfit;
use crate::{
    hosts::{HostError, Reached},
    model::{Environment, Recipe},
    transport::{Refusal, SessionError},
};

/// The longest that sshd may take to say whether it forwards.
const QUICK: Duration = Duration::from_secs(5);

/// A port where nothing need listen (RFC 863): whether sshd tries at all is the question.
const DISCARD: u16 = 9;

/// Asks for a tunnel where the environment's recipes will need one.
pub async fn is_allowed(reached: &Reached, environment: &Environment) -> Result<(), Unfit> {
    if !needs_tunnels(environment, reached) {
        return Ok(());
    }
    let tunnel = reached.session.tunnel("127.0.0.1", DISCARD, QUICK).await;
    match tunnel {
        Err(
            source @ SessionError::Refused {
                refusal: Refusal::Forbidden,
                ..
            },
        ) => {
            let hint = source.hint().unwrap_or_default();
            Err(Unfit {
                error: HostError::Fact(source.to_string()),
                hint,
            })
        }
        // Nothing listens there, and whatever else is wrong shows where it is needed.
        _ => Ok(()),
    }
}

/// Whether something on this host is asked through a tunnel: a check of `[ready]`, or Consul's agent.
fn needs_tunnels(environment: &Environment, reached: &Reached) -> bool {
    let host = reached.name();
    let asks = |recipe: &Recipe| {
        let ready = recipe.on.get(host).map(|on| &on.ready);
        let checks = ready.is_some_and(|ready| {
            ready.http.is_some()
                || ready.tcp.is_some()
                || ready.grpc.is_some()
                || ready.consul.is_some()
        });
        checks || recipe.on.contains_key(host) && recipe.is_registered()
    };
    environment.recipes.iter().any(asks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::testing::{TestFleet, behaviour};

    async fn told(ready: &str, forwarding: bool) -> Option<String> {
        let mut server = behaviour();
        server.forwarding = forwarding;
        let recipe = format!(
            "hosts = \"all\"\ncontainer.image = \"web\"\ncontainer.publish = [\"80\"]\n{ready}"
        );
        let lab = TestFleet::new(&[("web", &recipe)], vec![server]).await;
        let unfit = is_allowed(&lab.fleet.hosts()[0], &lab.environment)
            .await
            .err()?;
        Some(format!(
            "{}; {}",
            crate::text::chain(&unfit.error).join(": "),
            unfit.hint
        ))
    }

    #[tokio::test]
    async fn it_is_needed_only_where_something_is_asked_through_it() {
        assert_eq!(told("ready.http = \"/\"\n", true).await, None);
        assert_eq!(told("", false).await, None);
        let told = told("ready.http = \"/\"\n", false)
            .await
            .expect("it is forbidden");
        assert!(told.contains("TCP forwarding is disabled"), "{told}");
        assert!(
            told.contains("set `AllowTcpForwarding yes` in /etc/ssh/sshd_config"),
            "{told}"
        );
    }
}
