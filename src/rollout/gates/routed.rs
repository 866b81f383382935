//! The gates `Routed` and `Unrouted`: every balancer routes to the containers, or none does any more.

use futures::StreamExt;

use super::observation::{holds, never, not_yet};
use crate::{
    balancers::{Backend, Routes},
    facts::routes,
    hosts::HostError,
    model::{HostAndPort, HostName},
    rollout::{
        machine::{Observation, Side},
        slot::Placement,
    },
    text,
};

/// Looks whether every balancer routes to the containers of one side.
pub(super) async fn check(placement: &Placement, side: Side) -> Result<Observation, HostError> {
    let backends = placement.backends(side).await;
    let replaced = match side {
        Side::New => placement.backends(Side::Old).await,
        Side::Old => placement.backends(Side::New).await,
    };
    let routing = &placement.context.routing;
    if side == Side::Old && routing.is_out_by_operator(&backends).await? {
        return Ok(holds("someone put it into maintenance mode"));
    }
    let replaced: Vec<_> = replaced.into_iter().flat_map(|it| it.ports).collect();
    // One that does not run keeps no old container from being brought back.
    let may_be_down = side == Side::Old;
    let missing = |host: &HostName, printed: &str| {
        let missing = |backend: &Backend| {
            routes::missing(printed, backend.address(), &backend.ports, &replaced)
        };
        let missing = backends.iter().find_map(missing)?;
        Some(format!(
            "the balancer on `{host}` does not route to {missing}"
        ))
    };
    Ok(look(placement, may_be_down, missing).await)
}

/// Looks whether no balancer routes to the containers of one side.
pub(super) async fn check_unrouted(
    placement: &Placement,
    side: Side,
) -> Result<Observation, HostError> {
    let backends = placement.backends(side).await;
    let remaining = |host: &HostName, printed: &str| {
        let mut addresses = backends.iter().flat_map(|backend| {
            let ports = backend.ports.iter();
            ports.map(|(_, port)| (backend.address(), *port))
        });
        let (address, port) =
            addresses.find(|(address, port)| routes::routes_to(printed, address, *port))?;
        let endpoint = HostAndPort::new(address, port);
        Some(format!(
            "the balancer on `{host}` still routes to {endpoint}"
        ))
    };
    Ok(look(placement, true, remaining).await)
}

/// Asks balancer after balancer until `complaint` finds something in what one routes to. One that cannot be asked
/// may route to anything, also when its host cannot be reached: what is cut off from us may serve everyone else.
async fn look(
    placement: &Placement,
    may_be_down: bool,
    complaint: impl Fn(&HostName, &str) -> Option<String>,
) -> Observation {
    let mut balancers = placement.context.routing.routes();
    while let Some((host, routes)) = balancers.next().await {
        match routes {
            Routes::Failed(error) => {
                let why = text::chain(&error).join(": ");
                return not_yet(format!("cannot ask the balancer on `{host}`: {why}"));
            }
            Routes::Down { .. } if may_be_down => {}
            Routes::Down { container, status } => {
                return never(format!(
                    "the balancer `{container}` does not run on `{host}` (it is {status})"
                ));
            }
            Routes::Refused(said) => {
                let said = text::reason(&said);
                return not_yet(format!("cannot ask the balancer on `{host}`: {said}"));
            }
            Routes::Printed(printed) => {
                if let Some(complaint) = complaint(&host, &printed) {
                    return not_yet(complaint);
                }
            }
        }
    }
    holds("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        hosts::testing::{Act, Behaviour, behaviour, fails, out, prints},
        rollout::{
            machine::Verdict,
            testing::{FakeHost, TestSlot},
        },
    };

    const DRAINED: &str = "[drain]\nbalancers = [\"lb\"]\n";

    /// A balancer that loses its connection at the first question, and routes to nothing.
    fn cut_once() -> Behaviour {
        let cut = std::sync::atomic::AtomicBool::new(false);
        behaviour().script(move |_| {
            if cut.swap(true, std::sync::atomic::Ordering::SeqCst) {
                prints("upstream app {}\n")
            } else {
                vec![Act::Disconnect("cut")]
            }
        })
    }

    #[tokio::test]
    async fn a_balancer_whose_connection_was_lost_is_asked_again_on_another() {
        let host = FakeHost::default().has("web-r2", true).at_port(32768);
        let slot = TestSlot::new(DRAINED, vec![host.behaviour(), cut_once()]).await;

        let first = check_unrouted(&slot.placement, Side::Old).await;
        let first = first.expect("a look");
        assert_eq!(first.verdict, Verdict::NotYet);
        let told = "cannot ask the balancer on `host-2`: cannot run `sh -c upstreams`: lost the connection";
        assert!(first.detail.starts_with(told), "{}", first.detail);

        let second = check_unrouted(&slot.placement, Side::Old).await;
        assert_eq!(second.expect("a look").verdict, Verdict::Holds);
    }

    #[tokio::test]
    async fn one_lost_connection_does_not_fail_what_is_to_be_routed() {
        let host = FakeHost::default().has("web-r2", true).at_port(32768);
        let slot = TestSlot::new(DRAINED, vec![host.behaviour(), cut_once()]).await;
        slot.look_again(Side::New).await;

        for detail in [
            "cannot ask the balancer",
            "does not route to 127.0.0.1:32768",
        ] {
            let seen = check(&slot.placement, Side::New).await.expect("a look");
            assert_eq!(seen.verdict, Verdict::NotYet);
            assert!(seen.detail.contains(detail), "{}", seen.detail);
        }
    }

    #[tokio::test]
    async fn a_balancer_that_cannot_be_reached_any_more_routes_to_anything() {
        let gone = Behaviour {
            most_connections: 1,
            ..behaviour().script(|_| vec![Act::Disconnect("cut")])
        };
        let host = FakeHost::default().has("web-r2", true).at_port(32768);
        let slot = TestSlot::new(DRAINED, vec![host.behaviour(), gone]).await;
        for _ in 0..3 {
            let seen = check_unrouted(&slot.placement, Side::Old).await;
            assert_eq!(seen.expect("a look").verdict, Verdict::NotYet);
        }
    }

    #[tokio::test]
    async fn a_balancer_that_does_not_run_is_named_and_routes_to_nothing() {
        let down = behaviour().script(|command| {
            let mut acts = fails(1, "Error: No such container: lb\n");
            if command.contains("docker inspect") {
                acts.insert(0, out("[]\n"));
            }
            acts
        });
        let host = FakeHost::default().has("web-r2", true).at_port(32768);
        let slot = TestSlot::new(DRAINED, vec![host.behaviour(), down]).await;
        slot.look_again(Side::New).await;

        let seen = check(&slot.placement, Side::New).await.expect("a look");
        assert_eq!(seen.verdict, Verdict::Never);
        let told = "the balancer `lb` does not run on `host-2` (it is gone)";
        assert_eq!(seen.detail, told);

        let unrouted = check_unrouted(&slot.placement, Side::Old).await;
        assert_eq!(unrouted.expect("a look").verdict, Verdict::Holds);
    }
}
