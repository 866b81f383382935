//! Whatever has happened on the hosts, a plan that is carried out leaves nothing to do, and touches nothing
//! but what it may.

use std::mem::swap;

use proptest::{prelude::*, sample::Index};

use super::{shown::shown, world::World};
use crate::release::Action;

const INVENTORY: &str = r#"
recipes = ["web", "api"]
[hosts]
host-1 = { address = "192.0.2.1" }
host-2 = { address = "192.0.2.2" }
"#;

const HOSTS: [&str; 2] = ["host-1", "host-2"];

/// What happens next to an environment.
#[derive(Debug, Clone)]
enum Event {
    /// Somebody edits the files: version, whether the new one starts first, instances, and how many hosts.
    Edit(u8, bool, u16, bool),
    /// A deploy, of all hosts or one.
    Deploy(Option<usize>),
    /// A deploy that is cut off after so many steps.
    CutOff(usize),
    /// A rollback to one of the releases.
    RollBack(Index),
    /// A container stops, restarts over and over, or is left in maintenance.
    Hit(usize, Index, Blow),
    /// Somebody removes a container.
    Remove(usize, Index),
    /// Somebody runs a container of their own under a name like ours.
    Foreign(usize, String),
    /// The records are lost.
    Forget,
    /// The other environment is next.
    Switch,
}

#[derive(Debug, Clone, Copy)]
enum Blow {
    Stop,
    Loop,
    Maintenance,
}

fn event() -> impl Strategy<Value = Event> {
    let host = 0..HOSTS.len();
    let blow = prop_oneof![Just(Blow::Stop), Just(Blow::Loop), Just(Blow::Maintenance)];
    prop_oneof![
        3 => (1..3_u8, prop::bool::weighted(0.3), 1..3_u16, prop::bool::weighted(0.8))
            .prop_map(|(version, first, instances, all)| Event::Edit(version, first, instances, all)),
        8 => prop::option::weighted(0.3, host.clone()).prop_map(Event::Deploy),
        2 => (0..6_usize).prop_map(Event::CutOff),
        3 => any::<Index>().prop_map(Event::RollBack),
        2 => (host.clone(), any::<Index>(), blow).prop_map(|(host, which, blow)| Event::Hit(host, which, blow)),
        1 => (host.clone(), any::<Index>()).prop_map(|(host, which)| Event::Remove(host, which)),
        2 => (host, "(staging-)?web(-r[1-6])?(-2)?").prop_map(|(host, name)| Event::Foreign(host, name)),
        1 => Just(Event::Forget),
        2 => Just(Event::Switch),
    ]
}

/// Two environments that share their hosts; the first is the one that something happens to.
struct Shared {
    now: World,
    other: World,
    foreign: bool,
}

impl Shared {
    fn new() -> Self {
        let of = |name| World::named(name, INVENTORY, &borrowed(&recipes(true, 1, true)));
        Self {
            now: of("staging"),
            other: of("blue"),
            foreign: false,
        }
    }

    fn happen(&mut self, event: &Event) -> Result<(), TestCaseError> {
        let world = &mut self.now;
        match event {
            Event::Edit(version, first, instances, all) => {
                let recipes = recipes(*first, *instances, *all);
                world.set.insert("version".into(), version.to_string());
                world.edit(INVENTORY, &borrowed(&recipes));
            }
            Event::Deploy(host) => {
                let hosts: Vec<_> = host.iter().map(|host| HOSTS[*host]).collect();
                world.limit(&hosts, &[]);
                let result = self.deploy(&hosts);
                self.now.limit(&[], &[]);
                result?;
            }
            Event::CutOff(steps) => {
                let plan = world.planned();
                if plan.obstacles.is_empty() {
                    world
                        .docker
                        .apply(&plan, &world.environment.name, *steps)
                        .map_err(TestCaseError::fail)?;
                }
            }
            Event::RollBack(to) => self.roll_back(*to)?,
            Event::Hit(host, which, blow) => {
                let containers = world.docker.containers(HOSTS[*host]);
                if containers.is_empty() {
                    return Ok(());
                }
                let which = which.index(containers.len());
                let container = &mut containers[which];
                match blow {
                    Blow::Stop => container.status = "exited",
                    Blow::Loop if container.runs() => container.status = "restarting",
                    Blow::Loop => {}
                    Blow::Maintenance => container.in_maintenance = container.runs(),
                }
            }
            Event::Remove(host, which) => {
                let containers = world.docker.containers(HOSTS[*host]);
                if !containers.is_empty() {
                    containers.remove(which.index(containers.len()));
                }
            }
            Event::Foreign(host, name) => {
                if !world.docker.has(HOSTS[*host], name) {
                    world.docker.add_foreign(HOSTS[*host], name);
                    self.foreign = true;
                }
            }
            Event::Forget => world.records.clear(),
            Event::Switch => {
                swap(&mut self.now, &mut self.other);
                swap(&mut self.now.docker, &mut self.other.docker);
            }
        }
        Ok(())
    }

    fn roll_back(&mut self, to: Index) -> Result<(), TestCaseError> {
        let world = &mut self.now;
        let numbers: Vec<_> = (world.records.values().flatten())
            .map(|record| record.number.0)
            .collect();
        if numbers.is_empty() {
            return Ok(());
        }
        let to = *to.get(&numbers);
        let (plan, desired) = (world.plan_rollback(to), world.recorded(to));
        self.carry_out(
            &plan,
            &desired,
            Action::RollbackTo(crate::release::Number(to)),
        )?;
        if plan.obstacles.is_empty() {
            let again = self.now.plan_rollback(to);
            prop_assert!(
                again.is_empty(),
                "after\n{}\nstill\n{}",
                shown(&plan),
                shown(&again)
            );
        }
        Ok(())
    }

    fn deploy(&mut self, hosts: &[&str]) -> Result<(), TestCaseError> {
        let (plan, desired) = (self.now.planned(), self.now.desired());
        prop_assert_eq!(format!("{plan:?}"), format!("{:?}", self.now.planned()));
        let untouched = |world: &World| -> Vec<String> {
            (HOSTS
                .iter()
                .filter(|host| !hosts.is_empty() && !hosts.contains(host)))
            .map(|host| world.docker.listed(host))
            .collect()
        };
        let before = untouched(&self.now);
        self.carry_out(&plan, &desired, Action::Deploy)?;
        prop_assert_eq!(before, untouched(&self.now), "hosts out of its scope");
        if plan.obstacles.is_empty() {
            let again = self.now.planned();
            prop_assert!(
                again.is_empty(),
                "after\n{}\nstill\n{}",
                shown(&plan),
                shown(&again)
            );
        }
        Ok(())
    }

    fn carry_out(
        &mut self,
        plan: &crate::plan::Plan,
        desired: &crate::plan::DesiredState,
        action: Action,
    ) -> Result<(), TestCaseError> {
        prop_assert!(self.foreign || plan.obstacles.is_empty(), "{}", shown(plan));
        if !plan.obstacles.is_empty() || plan.is_empty() {
            return Ok(());
        }
        let world = &mut self.now;
        let own = world.environment.name.to_string();
        for slot in plan.recipes.iter().flat_map(|recipe| &recipe.slots) {
            for going in &slot.outgoing {
                let container = world.docker.container(&slot.host, &going.active);
                prop_assert_eq!(container.environment(), Some(&*own), "{}", &going.active);
            }
        }
        let before = world.docker.without(&own);
        if let Err(problem) = world.docker.apply(plan, &own, usize::MAX) {
            return Err(TestCaseError::fail(format!(
                "{problem}, by\n{}",
                shown(plan)
            )));
        }
        prop_assert_eq!(
            before,
            world.docker.without(&own),
            "what is not ours, by\n{}",
            shown(plan)
        );
        world.record(plan, desired, action);
        Ok(())
    }
}

fn recipes(start_first: bool, instances: u16, all: bool) -> [(&'static str, String); 2] {
    let hosts = if all { "\"all\"" } else { "[\"host-2\"]" };
    let order = if start_first {
        "start-first"
    } else {
        "stop-first"
    };
    let of = |name: &str, instances: u16| -> String {
        format!(
            "hosts = {hosts}\nrollout.order = \"{order}\"\n[container]\n\
             image = \"{name}:{{{{version}}}}\"\ninstances = {instances}\n"
        )
    };
    [("web", of("web", instances)), ("api", of("api", 1))]
}

fn borrowed<'a>(recipes: &'a [(&'a str, String); 2]) -> [(&'a str, &'a str); 2] {
    recipes.each_ref().map(|(name, text)| (*name, &**text))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_that_is_carried_out_leaves_nothing_to_do(
        events in prop::collection::vec(event(), 1..16),
    ) {
        let mut shared = Shared::new();
        for event in &events {
            shared.happen(event)?;
        }
        shared.happen(&Event::Deploy(None))?;
    }
}
