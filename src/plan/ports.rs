//! Whether the fixed ports that new containers publish are free on their hosts.

use std::collections::BTreeSet;

use super::{
    changes::{Plan, RecipePlan, Remark, SlotPlan},
    input::Input,
};
use crate::{
    command::typed,
    docker::Container,
    facts::{HostFacts, ports::TakenPort},
    model::{HostName, Publish},
};

/// Docker refuses a container whose port is taken, and with a fixed port the old one has stopped by then.
pub(super) fn check_ports(input: &Input, plan: &mut Plan) {
    let mut obstacles = Vec::new();
    for (at, recipe) in plan.recipes.iter().enumerate() {
        for slot in recipe.changes() {
            let Some(facts) = input.facts.hosts.get(&slot.host) else {
                continue;
            };
            let leaves = leaving(&plan.recipes[..=at], &slot.host);
            let others = plan.recipes[..at].iter().flat_map(|other| {
                let on_host = other.slots.iter().filter(|it| it.host == slot.host);
                on_host.map(move |slot| (other, slot))
            });
            for publish in starting(slot).filter(|publish| publish.host_port.is_some()) {
                let taken = facts.taken_ports.iter().find(|taken| {
                    taken.is_in_the_way_of(publish) && !becomes_free(taken, slot, facts, &leaves)
                });
                let mut before = others.clone().filter(|(_, other)| {
                    starting(other).any(|other| wants_the_same(publish, other))
                });
                if let Some(taken) = taken {
                    obstacles.push(is_taken(recipe, slot, publish, taken, facts));
                } else if let Some((other, _)) = before.next() {
                    obstacles.push(is_wanted_twice(recipe, slot, publish, other));
                }
            }
        }
    }
    plan.obstacles.extend(obstacles);
}

/// The ports that a slot's container publishes when it starts.
fn starting(slot: &SlotPlan) -> impl Iterator<Item = &Publish> {
    let incoming = slot.incoming.iter().filter(|incoming| !incoming.runs);
    incoming.flat_map(|incoming| &incoming.desired.spec.publish)
}

fn wants_the_same(one: &Publish, other: &Publish) -> bool {
    let port = other.host_port.map(|port| TakenPort {
        ip: other.ip.clone(),
        ports: port..=port,
        protocol: other.protocol.clone(),
        container: None,
    });
    port.is_some_and(|port| port.is_in_the_way_of(one))
}

/// The containers on a host that these recipes stop.
fn leaving<'p>(recipes: &'p [RecipePlan], host: &HostName) -> BTreeSet<&'p str> {
    let slots = recipes.iter().flat_map(|recipe| &recipe.slots);
    let slots = slots.filter(|slot| slot.host == *host);
    slots
        .flat_map(|slot| &slot.outgoing)
        .map(|name| &*name.active)
        .collect()
}

/// Whether what has a port gives it up before it is wanted, or is what wants it.
fn becomes_free(
    taken: &TakenPort,
    slot: &SlotPlan,
    facts: &HostFacts,
    leaves: &BTreeSet<&str>,
) -> bool {
    let Some(container) = &taken.container else {
        // What is on the host's network listens as any other program does.
        let mut leaving = facts
            .containers
            .iter()
            .filter(|it| leaves.contains(&*it.name));
        return leaving.any(Container::uses_host_network)
            // Docker's own proxy listens for each port of a container.
            || facts.taken_ports.iter().any(|other| {
                other.container.is_some()
                    && other.ports.contains(taken.ports.start())
                    && other.protocol == taken.protocol
            });
    };
    let names = slot.incoming.iter().map(|incoming| &incoming.name);
    leaves.contains(&**container)
        || names
            .flat_map(|name| [&name.active, &name.retired])
            .any(|name| **name == **container)
}

fn is_taken(
    recipe: &RecipePlan,
    slot: &SlotPlan,
    publish: &Publish,
    taken: &TakenPort,
    facts: &HostFacts,
) -> Remark {
    let port = publish.host_port.unwrap_or(*taken.ports.start());
    let (protocol, name) = (&taken.protocol, &recipe.recipe);
    let (by, hint) = match &taken.container {
        Some(container) => {
            let mut own = facts.containers.iter();
            let own = own.find(|other| *other.name == **container);
            let hint = match own.and_then(Container::identity) {
                Some(identity) => {
                    format!("give `{name}` or `{}` another port", identity.recipe)
                }
                None => format!(
                    "`{}` on that host, or another `publish`",
                    typed("docker stop", [container])
                ),
            };
            (format!("the container `{container}`"), hint)
        }
        None => (
            "a program on the host".to_owned(),
            format!("`sudo ss -ltnp 'sport = :{port}'` on that host shows which"),
        ),
    };
    Remark {
        host: Some(slot.host.clone()),
        message: format!("`{name}` publishes {publish}, and {by} has port {port}/{protocol}"),
        hint: Some(hint),
    }
}

fn is_wanted_twice(
    recipe: &RecipePlan,
    slot: &SlotPlan,
    publish: &Publish,
    other: &RecipePlan,
) -> Remark {
    Remark {
        host: Some(slot.host.clone()),
        message: format!(
            "`{}` publishes {publish}, and `{}` publishes the same port",
            recipe.recipe, other.recipe
        ),
        hint: Some("give one of the two recipes another port".to_owned()),
    }
}
