//! Rollouts over a simulated fleet with a simulated clock: random policies, latencies, flapping, failures,
//! containers that die after they were healthy, lost hosts, interrupts and answers. What must hold in all of them is in `witness`.

mod witness;
mod world;

use std::time::Duration;

use proptest::prelude::*;

use self::{
    witness::Witness,
    world::{Fate, Fault, Health, Later, TICK, World, failed},
};
use super::*;
use crate::model::Order;

/// A fleet, a policy, and what happens from outside.
#[derive(Debug, Clone)]
struct Scenario {
    policy: Policy,
    fates: Vec<Fate>,
    per_host: usize,
    revert: bool,
    interrupt: Option<u32>,
    over_budget: Option<u32>,
    /// The answer to the promotion and how many ticks it takes.
    promotion: (bool, u32),
    /// In which ticks something arrives that makes no sense, modulo some small number.
    nonsense: u32,
}

fn policies() -> impl Strategy<Value = Policy> {
    let order = prop_oneof![
        Just(Order::StartFirst),
        Just(Order::StopFirst),
        Just(Order::BlueGreen)
    ];
    let counts = (1..4_usize, 0..3_usize, 0..3_usize);
    let switches = any::<[bool; 7]>();
    let drain = proptest::option::of((0..4_u32, 0..12_u32));
    let times = (0..8_u32, 40..80_u32, 100..400_u32, 20..40_u32);
    (order, counts, switches, drain, times).prop_map(
        |(order, (max_parallel, canary, max_failures), switches, drain, times)| {
            let [
                auto_promote,
                weighs,
                auto_revert,
                quorum,
                rarely,
                registered,
                is_told,
            ] = switches;
            let (min_healthy, healthy, progress, leave) = times;
            Policy {
                order,
                max_parallel,
                canary,
                // As the driver has it: what has a weight is promoted by an answer.
                auto_promote: auto_promote && !weighs,
                weighs_canaries: weighs,
                min_healthy_time: TICK * min_healthy,
                healthy_deadline: TICK * healthy,
                progress_deadline: TICK * progress,
                auto_revert,
                max_failures,
                leave_deadline: TICK * leave,
                quorum: quorum && rarely && order != Order::BlueGreen,
                drain: drain.map(|(wait, timeout)| DrainPolicy {
                    wait: TICK * wait,
                    timeout: TICK * timeout,
                    is_told,
                }),
                registered,
                registers: false,
            }
        },
    )
}

fn fates() -> impl Strategy<Value = Fate> {
    let health = prop_oneof![
        6 => Just(Health::Good),
        2 => Just(Health::Flaps),
        1 => Just(Health::NeverReady),
        1 => Just(Health::Exits),
        1 => Just(Health::Unroutable),
    ];
    let fault = prop_oneof![Just(Fault::Undone), Just(Fault::Done), Just(Fault::Lost)];
    let fault = proptest::option::weighted(0.15, (0..12_usize, fault));
    let stuck = proptest::sample::select(vec![
        Gate::Quorum,
        Gate::Leader,
        Gate::Unrouted,
        Gate::Idle,
        Gate::Gone,
    ]);
    let stuck = proptest::option::weighted(0.15, stuck);
    let kind = prop_oneof![
        8 => Just((true, true)),
        1 => Just((true, false)),
        1 => Just((false, true)),
    ];
    let later = prop_oneof![
        4 => Just(Later::Dies),
        2 => (1..160_u32).prop_map(Later::Sickens),
        1 => Just(Later::Sickens(100_000)),
        1 => (1..20_u32, 1..20_u32).prop_map(|(sick, well)| Later::Flaps(sick, well)),
    ];
    let later = proptest::option::weighted(0.2, (1..160_u32, later));
    let old_dies = proptest::option::weighted(0.05, 1..40_u32);
    let latencies = proptest::collection::vec(0..6_u32, 5..12);
    (kind, health, (later, old_dies), fault, stuck, latencies).prop_map(
        |((has_outgoing, has_incoming), health, (later, old_dies), fault, stuck, latencies)| Fate {
            has_outgoing,
            has_incoming,
            health,
            later,
            old_dies,
            fault,
            stuck,
            latencies,
        },
    )
}

fn scenarios() -> impl Strategy<Value = Scenario> {
    let fleet = (1..9_usize, 1..3_usize).prop_flat_map(|(hosts, per_host)| {
        let fates = proptest::collection::vec(fates(), hosts * per_host);
        (fates, Just(per_host), proptest::bool::weighted(0.15))
    });
    let revert = proptest::bool::weighted(0.1);
    let outside = (
        proptest::option::weighted(0.2, 0..200_u32),
        proptest::option::weighted(0.15, 0..200_u32),
        (proptest::bool::weighted(0.8), 0..40_u32),
        3..40_u32,
    );
    (policies(), fleet, revert, outside).prop_map(|(policy, fleet, revert, outside)| {
        let (mut fates, per_host, first_deploy) = fleet;
        let (interrupt, over_budget, promotion, nonsense) = outside;
        for fate in &mut fates {
            if first_deploy {
                fate.has_outgoing = false;
                fate.has_incoming = true;
            }
            // Too short a healthy time for flapping to be told from health.
            if fate.health == Health::Flaps && policy.min_healthy_time < TICK * 2 {
                fate.health = Health::Good;
            }
            // What serves already does so well.
            if revert {
                fate.health = Health::Good;
            }
        }
        Scenario {
            policy,
            fates,
            per_host,
            revert,
            interrupt,
            over_budget,
            promotion,
            nonsense,
        }
    })
}

/// Fleets in which nothing goes wrong.
fn calm_scenarios() -> impl Strategy<Value = Scenario> {
    let fleet = proptest::collection::vec(fates(), 1..9_usize);
    (scenarios(), fleet).prop_map(|(scenario, mut fates)| {
        for fate in &mut fates {
            let flaps = fate.health == Health::Flaps;
            let too_short = scenario.policy.min_healthy_time < TICK * 2;
            if !flaps || too_short || scenario.revert {
                fate.health = Health::Good;
            }
            (fate.later, fate.old_dies) = (None, None);
            fate.fault = None;
            fate.stuck = None;
        }
        Scenario {
            fates,
            interrupt: None,
            over_budget: None,
            promotion: (true, scenario.promotion.1),
            ..scenario
        }
    })
}

impl Scenario {
    fn replacements(&self) -> Vec<Replacement> {
        (0..)
            .zip(&self.fates)
            .map(|(index, fate): (usize, _)| Replacement {
                host: format!("host-{}", index / self.per_host).into(),
                has_incoming: fate.has_incoming,
                incoming_runs: false,
                outgoing: fate.has_outgoing.then_some(Outgoing::Serves),
                is_last: false,
            })
            .collect()
    }

    /// More than any run may take: every slot one after the other, forward and back, each at its
    /// deadlines.
    fn longest(&self) -> Duration {
        let policy = &self.policy;
        let drain = policy.drain.as_ref();
        let drain = drain.map_or(Duration::ZERO, |drain| drain.wait + drain.timeout);
        // The last of these is for when nothing but finished slots is waited for.
        let sequence = policy.healthy_deadline * 2 + policy.leave_deadline * 4 + drain + TICK * 60;
        let slots = u32::try_from(self.fates.len()).expect("few");
        sequence * 2 * slots + TICK * 100
    }

    /// Runs to the end; panics where something that must hold does not.
    fn run(&self) -> Finish {
        let replacements = self.replacements();
        let rollout = if self.revert {
            Rollout::revert(self.policy.clone(), replacements)
        } else {
            Rollout::new(self.policy.clone(), replacements)
        };
        let world = World::new(
            self.policy.clone(),
            self.fates.clone(),
            self.per_host,
            self.revert,
        );
        let mut executor = Executor {
            witness: Witness::new(self),
            rollout,
            world,
            now: Duration::ZERO,
            steps: Vec::new(),
            promotion: None,
        };
        executor.input(Input::Begin);
        let mut tick = 0;
        while executor.witness.finish.is_none() {
            assert!(executor.now < self.longest(), "it does not end");
            executor.tick(self, tick);
            tick += 1;
        }
        executor.witness.at_the_end(&executor.world);
        assert_eq!(executor.rollout.wakes_at(), None);
        assert_eq!(executor.rollout.step(Input::Tick, executor.now), []);
        assert_eq!(executor.rollout.step(Input::Interrupt, executor.now), []);
        executor.witness.finish.expect("the loop's condition")
    }
}

struct Executor {
    rollout: Rollout,
    world: World,
    witness: Witness,
    now: Duration,
    steps: Vec<(Duration, Slot, Side, Step)>,
    promotion: Option<Duration>,
}

impl Executor {
    fn tick(&mut self, scenario: &Scenario, tick: u32) {
        self.now += TICK;
        self.world.pass(self.now);
        self.witness.looks_at(&self.world);
        let now = self.now;
        let ended: Vec<_> = self.steps.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, slot, side, step) in ended {
            let result = self.world.step(slot, side, step);
            self.input(Input::StepEnded {
                slot,
                side,
                step,
                result,
            });
        }
        for (slot, side, gate) in self.witness.due_looks(self.now) {
            let observation = self.world.look(slot, side, gate);
            self.input(Input::Observed {
                slot,
                side,
                gate,
                observation,
            });
        }
        if self.promotion.is_some_and(|at| at <= self.now) {
            self.promotion = None;
            let granted = scenario.promotion.0;
            self.input(Input::Promotion { granted });
        }
        if scenario.interrupt == Some(tick) {
            self.input(Input::Interrupt);
        }
        if scenario.over_budget == Some(tick) {
            let reason = "4 of 100 requests failed".to_owned();
            self.input(Input::OverBudget { reason });
        }
        if tick.is_multiple_of(scenario.nonsense) {
            self.nonsense(tick);
        }
        if self.rollout.wakes_at().is_some_and(|at| at <= self.now) {
            self.input(Input::Tick);
            let wakes_at = self.rollout.wakes_at();
            // Zero deadlines of what has just begun aside, a tick takes care of all that is due.
            let again = wakes_at.filter(|at| *at < self.now);
            assert_eq!(again, None, "a tick left something overdue");
        }
        // Who drives a rollout sends a tick only when it asks for one.
        if self.rollout.wakes_at().is_none_or(|at| at > self.now) {
            let mut other = self.rollout.clone();
            let early = other.step(Input::Tick, self.now);
            assert_eq!(
                early,
                [],
                "time alone does something that no tick was asked for"
            );
        }
        if let Some(answer_at) = self.witness.take_question() {
            self.promotion = Some(answer_at + TICK * scenario.promotion.1);
        }
    }

    /// Inputs that come too late, twice, or about what does not exist.
    fn nonsense(&mut self, tick: u32) {
        let some = usize::try_from(tick).expect("few");
        let slot = Slot(some % (self.world.places.len() + 1));
        let side = [Side::New, Side::Old][some / 2 % 2];
        let step = [Step::Start, Step::Stop, Step::Retire, Step::Deregister][some / 3 % 4];
        let gate = [Gate::Ready, Gate::Gone, Gate::Unrouted, Gate::Quorum][some / 5 % 4];
        let runs = self
            .steps
            .iter()
            .any(|(_, a, b, c)| (*a, *b, *c) == (slot, side, step));
        if !runs {
            self.input(Input::StepEnded {
                slot,
                side,
                step,
                result: if tick.is_multiple_of(2) {
                    Ok(())
                } else {
                    Err(failed("stale", tick.is_multiple_of(3)))
                },
            });
        }
        if !self.witness.watched().contains(&(slot, side, gate)) {
            let verdict = [Verdict::Holds, Verdict::Never][some % 2];
            self.input(Input::Observed {
                slot,
                side,
                gate,
                observation: Observation {
                    verdict,
                    detail: "stale".to_owned(),
                },
            });
        }
        if self.promotion.is_none() && !self.witness.is_asked_now() {
            let granted = tick.is_multiple_of(2);
            self.input(Input::Promotion { granted });
        }
        self.input(Input::Begin);
        self.input(Input::Tick);
    }

    fn input(&mut self, input: Input) {
        self.witness.before(&input, self.now);
        for action in self.rollout.step(input, self.now) {
            self.witness.sees(&action, &self.world, self.now);
            if let Action::Perform { slot, side, step } = action {
                let ends = self.now + self.world.latency(slot);
                self.steps.push((ends, slot, side, step));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn every_rollout_keeps_the_fleet_serving_and_ends_with_a_true_state_for_each_slot(
        scenario in scenarios(),
    ) {
        scenario.run();
    }
}

proptest! {
    #[test]
    fn where_nothing_goes_wrong_every_slot_arrives(scenario in calm_scenarios()) {
        let finish = scenario.run();
        let (end, state) = if scenario.revert {
            (RolloutEnd::Reverted, SlotState::Reverted)
        } else {
            (RolloutEnd::Completed, SlotState::Updated)
        };
        prop_assert_eq!(finish.end, end);
        prop_assert_eq!(finish.failure, None);
        prop_assert!(finish.slots.iter().all(|slot| *slot == state));
    }
}
