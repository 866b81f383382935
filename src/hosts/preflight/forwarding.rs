//! sshd forwards connections, where checks and Consul are asked through it.

use std::time::Duration;

use super::unfit::Unfit;
use crate::{
    command::typed,
    hosts::{HostError, Reached},
    model::{Environment, Recipe},
    text,
    transport::{Refusal, SessionError},
};

/// The longest that sshd may take to say whether it forwards.
pub const QUICK: Duration = Duration::from_secs(5);

/// A port where nothing need listen (RFC 863): whether sshd tries at all is the question.
const DISCARD: u16 = 9;

/// Asks for a tunnel where the environment's recipes will need one.
pub async fn is_allowed(
    reached: &Reached,
    environment: &Environment,
    deadline: Duration,
) -> Result<(), Unfit> {
    if !needs_tunnels(environment, reached) {
        return Ok(());
    }
    is_open(reached, deadline).await
}

/// Asks for a tunnel, whether or not something needs one.
pub async fn is_open(reached: &Reached, deadline: Duration) -> Result<(), Unfit> {
    let tunnel = reached.session.tunnel("127.0.0.1", DISCARD, deadline).await;
    let source = match tunnel {
        // It has tried, and found nobody there.
        Ok(_)
        | Err(SessionError::Refused {
            refusal: Refusal::Unreachable(_),
            ..
        }) => return Ok(()),
        Err(source) => source,
    };
    let by_default = || typed("ssh", [&**reached.name()]);
    let hint = source.hint().unwrap_or_else(by_default);
    // No answer is not a yes, either.
    let error = HostError::Fact(text::chain(&source).join(": "));
    Err(Unfit { error, hint })
}

/// Whether something is asked through a tunnel of this host: a check of `[ready]`, Consul's agent, or what a probe
/// sends its requests to.
fn needs_tunnels(environment: &Environment, reached: &Reached) -> bool {
    let host = reached.name();
    let asks = |recipe: &Recipe| {
        let ready = recipe.by_host.get(host).map(|on| &on.ready);
        let checks = ready.is_some_and(|ready| {
            ready.http.is_some()
                || ready.tcp.is_some()
                || ready.grpc.is_some()
                || ready.consul.is_some()
        });
        let probes = recipe.probe.as_ref();
        let carries_probe = probes.is_some_and(|probe| probe.through.as_ref() == Some(host));
        checks || carries_probe || recipe.is_registered_on(host)
    };
    environment.recipes.iter().any(asks)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::hosts::testing::{Behaviour, TestFleet, behaviour};

    /// What is said of the last host, which alone does as `behave` says. The recipe is on the first.
    async fn told_of(
        hosts: usize,
        recipe: &str,
        behave: impl FnOnce(&mut Behaviour),
    ) -> Option<String> {
        let recipe = format!(
            "hosts = [\"host-1\"]\ncontainer.image = \"web\"\ncontainer.publish = [\"80\"]\n{recipe}"
        );
        let mut servers: Vec<_> = (0..hosts).map(|_| behaviour()).collect();
        behave(servers.last_mut().expect("one"));
        let lab = TestFleet::new(&[("web", &recipe)], servers).await;
        let last = lab.fleet.hosts().last().expect("one");
        let deadline = Duration::from_millis(500);
        let unfit = is_allowed(last, &lab.environment, deadline).await.err()?;
        Some(format!(
            "{}; {}",
            text::chain(&unfit.error).join(": "),
            unfit.hint
        ))
    }

    async fn told(recipe: &str, forwarding: bool) -> Option<String> {
        told_of(1, recipe, |server| server.forwarding = forwarding).await
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

    #[tokio::test]
    async fn a_host_that_only_carries_the_probe_must_forward() {
        let through = "[probe]\nurl = \"http://10.0.0.1/\"\nthrough = \"host-2\"\n";
        assert_eq!(told_of(2, through, |_| {}).await, None);
        let forbids = |server: &mut Behaviour| server.forwarding = false;
        let told = told_of(2, through, forbids).await.expect("it is forbidden");
        assert!(told.contains("TCP forwarding is disabled"), "{told}");
        assert_eq!(told_of(2, "", forbids).await, None, "nothing goes through");
    }

    #[tokio::test]
    async fn no_answer_is_not_a_yes() {
        let silent = |server: &mut Behaviour| server.is_stalled = Arc::new(|| true);
        let told = told_of(1, "ready.http = \"/\"\n", silent);
        let told = told.await.expect("nobody has said yes");
        assert!(told.contains("a tunnel to 127.0.0.1:9"), "{told}");
    }
}
