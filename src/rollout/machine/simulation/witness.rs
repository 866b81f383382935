//! What must hold in every rollout, checked from outside: by what is asked for and what the world is like.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Scenario,
    world::{Container, TICK, World, other},
};
use crate::model::Order;
use crate::rollout::machine::{
    Action, Finish, Gate, Input, Policy, Purpose, RolloutEnd, Side, Slot, SlotState, Step, Verdict,
    WatchEnd,
};

/// The pause between two looks at a finished slot.
const MONITOR_PAUSE: Duration = Duration::from_secs(2);

/// What was last seen of a finished slot, and when.
type LastLook = Option<(Duration, Verdict)>;

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that was seen"
)]
pub(super) struct Witness {
    policy: Policy,
    per_host: usize,
    revert: bool,
    first_deploy: bool,
    has_canaries: bool,
    performing: BTreeMap<Slot, (Side, Step)>,
    watching: BTreeMap<Slot, (Side, Gate)>,
    /// The finished slots that are watched.
    keeping: BTreeMap<Slot, LastLook>,
    /// Those that were watched to the end.
    kept: BTreeMap<Slot, LastLook>,
    /// Those that failed after they were finished, and whether they died.
    unhealthy: BTreeMap<Slot, bool>,
    gave_up: BTreeSet<(Slot, Side, Gate)>,
    begun: BTreeSet<Slot>,
    failed: BTreeSet<Slot>,
    gone_hosts: BTreeSet<usize>,
    /// Nothing more may begin.
    closed: bool,
    interrupted: bool,
    reverting: bool,
    asked: bool,
    answered: bool,
    promoted: bool,
    /// Requests were switched to the new ones of a blue-green rollout, or that was tried.
    switched: bool,
    question: Option<Duration>,
    /// The slots that were without a serving container, tick by tick.
    down: Vec<BTreeSet<Slot>>,
    pub finish: Option<Finish>,
}

impl Witness {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let slots = (0..scenario.fates.len()).map(Slot);
        Self {
            policy: scenario.policy.clone().settled(),
            per_host: scenario.per_host,
            revert: scenario.revert,
            first_deploy: !scenario.fates.iter().any(|fate| fate.has_outgoing),
            has_canaries: has_canaries(scenario),
            performing: BTreeMap::new(),
            watching: BTreeMap::new(),
            keeping: BTreeMap::new(),
            kept: BTreeMap::new(),
            unhealthy: BTreeMap::new(),
            gave_up: BTreeSet::new(),
            // The slots of a blue-green rollout begin together, also those that have nothing to start.
            begun: if scenario.revert || scenario.policy.order == Order::BlueGreen {
                slots.collect()
            } else {
                BTreeSet::new()
            },
            failed: BTreeSet::new(),
            gone_hosts: BTreeSet::new(),
            closed: false,
            interrupted: false,
            reverting: false,
            asked: false,
            answered: false,
            promoted: false,
            switched: scenario.revert,
            question: None,
            down: Vec::new(),
            finish: None,
        }
    }

    pub(super) fn watched(&self) -> Vec<(Slot, Side, Gate)> {
        let open = self.watching.iter();
        let open = open.map(|(slot, (side, gate))| (*slot, *side, *gate));
        let keeping = self.keeping.keys();
        open.chain(keeping.map(|slot| (*slot, Side::New, Gate::Ready)))
            .collect()
    }

    /// The gates that are to be looked at in this tick.
    pub(super) fn due_looks(&self, now: Duration) -> Vec<(Slot, Side, Gate)> {
        let mut watched = self.watched();
        watched.retain(|(slot, ..)| match self.keeping.get(slot) {
            Some(Some((at, _))) => now.saturating_sub(*at) >= MONITOR_PAUSE,
            Some(None) | None => true,
        });
        watched
    }

    /// Whether a question has come up since the last one was taken.
    pub(super) fn is_asked_now(&self) -> bool {
        self.question.is_some()
    }

    pub(super) fn take_question(&mut self) -> Option<Duration> {
        self.question.take()
    }

    fn width(&self) -> usize {
        if self.policy.quorum {
            1
        } else {
            self.policy.max_parallel
        }
    }

    pub(super) fn before(&mut self, input: &Input, now: Duration) {
        match input {
            Input::Observed {
                slot,
                side: Side::New,
                gate: Gate::Ready,
                observation,
            } => {
                if let Some(last) = self.keeping.get_mut(slot) {
                    *last = Some((now, observation.verdict));
                }
            }
            Input::StepEnded {
                slot,
                side,
                step,
                result,
            } => {
                if self.performing.get(slot) != Some(&(*side, *step)) {
                    return;
                }
                self.performing.remove(slot);
                if let Err(failure) = result {
                    self.failed.insert(*slot);
                    if failure.unreachable {
                        self.gone_hosts.insert(slot.0 / self.per_host);
                    }
                }
            }
            Input::Interrupt if !self.closed && !self.revert && self.finish.is_none() => {
                self.interrupted = true;
                self.closed = true;
            }
            Input::OverBudget { .. } => self.closed |= !self.revert,
            // Who has not asked gets no answer, and a second one is none.
            Input::Promotion { granted } if self.asked && !self.answered => {
                self.answered = true;
                self.promoted = *granted;
                self.closed |= !granted && !self.revert;
            }
            _ => {}
        }
        self.closed |= self.is_over_its_failures();
    }

    fn is_over_its_failures(&self) -> bool {
        self.failed.len() > self.policy.max_failures
    }

    pub(super) fn sees(&mut self, action: &Action, world: &World, now: Duration) {
        assert_eq!(self.finish, None, "{action:?} after the end");
        match action {
            Action::Perform { slot, side, step } => {
                self.touches(*slot);
                self.allows(*slot, *side, *step, world);
                self.allows_in_blue_green(*slot, *side, *step, world);
                self.performing.insert(*slot, (*side, *step));
            }
            Action::Watch {
                slot,
                side,
                gate,
                purpose: Purpose::Monitor,
            } => {
                assert_eq!((*side, *gate), (Side::New, Gate::Ready));
                self.is_free(*slot);
                self.keeping.insert(*slot, None);
            }
            Action::Watch {
                slot, side, gate, ..
            } => {
                self.touches(*slot);
                self.watching.insert(*slot, (*side, *gate));
            }
            Action::Unwatch { slot, end, .. } if self.keeping.contains_key(slot) => {
                self.lets_go(*slot, *end);
            }
            Action::Unwatch {
                slot,
                side,
                gate,
                end,
            } => {
                let open = self.watching.remove(slot);
                assert_eq!(open, Some((*side, *gate)), "unwatches what is not watched");
                match end {
                    WatchEnd::Failed => {
                        self.failed.insert(*slot);
                    }
                    WatchEnd::GaveUp => {
                        self.gave_up.insert((*slot, *side, *gate));
                    }
                    WatchEnd::Held | WatchEnd::Abandoned => {}
                }
            }
            Action::AskPromotion { others } => {
                // An interrupt lets the last canaries get their equal share.
                assert!(!self.asked && !self.reverting);
                assert!(!self.closed || !others, "nothing more may begin");
                let has_to = match others {
                    true => !self.policy.auto_promote,
                    false => self.policy.weighs_canaries,
                };
                assert!(has_to, "nothing hangs on it");
                self.asked = true;
                self.question = Some(now);
            }
            Action::Reverting { .. } => {
                assert!(!self.reverting, "it says twice that it reverts");
                self.reverting = true;
                self.closed = true;
            }
            Action::Finish(finish) => self.finish = Some(finish.clone()),
        }
        self.closed |= self.is_over_its_failures();
        let busy = self.performing.keys().chain(self.watching.keys());
        // A dead one is returned at once, beside what is in hand.
        let in_hand = busy.filter(|slot| self.unhealthy.get(slot) != Some(&true));
        let in_hand = in_hand.count();
        if self.revert || !self.first_deploy {
            assert!(in_hand <= self.width(), "{in_hand} slots in hand");
        }
    }

    /// A finished slot is watched no more.
    fn lets_go(&mut self, slot: Slot, end: WatchEnd) {
        let last = self.keeping.remove(&slot).flatten();
        let verdict = last.map(|(_, verdict)| verdict);
        match end {
            WatchEnd::Held => {
                assert_eq!(verdict, Some(Verdict::Holds), "{slot:?} is held for ready");
                self.kept.insert(slot, last);
            }
            WatchEnd::Failed => {
                assert_ne!(
                    verdict,
                    Some(Verdict::Holds),
                    "{slot:?} is held for unhealthy"
                );
                self.failed.insert(slot);
                self.unhealthy.insert(slot, verdict == Some(Verdict::Never));
            }
            WatchEnd::Abandoned => {}
            WatchEnd::GaveUp => panic!("{slot:?} is given up"),
        }
    }

    /// Nothing is going on in a slot, and its host is not lost.
    fn is_free(&self, slot: Slot) {
        assert!(!self.performing.contains_key(&slot), "asked during a step");
        assert!(!self.watching.contains_key(&slot), "asked during a watch");
        assert!(!self.keeping.contains_key(&slot), "asked while it is kept");
        let host = slot.0 / self.per_host;
        assert!(!self.gone_hosts.contains(&host), "touches a lost host");
    }

    /// Something is about to be done in a slot.
    fn touches(&mut self, slot: Slot) {
        self.is_free(slot);
        if self.begun.insert(slot) {
            assert!(!self.closed, "{slot:?} begins though nothing more may");
            let mut busy = self.performing.keys().chain(self.watching.keys());
            let unhealthy = busy.find(|slot| self.failed.contains(slot));
            assert_eq!(unhealthy, None, "{slot:?} begins while one is unhealthy");
            let is_unready = |last: &LastLook| last.is_some_and(|(_, v)| v != Verdict::Holds);
            let unready = self.keeping.iter().find(|(_, last)| is_unready(last));
            assert_eq!(
                unready, None,
                "{slot:?} begins while a finished one is unready"
            );
            let needs_promotion = self.has_canaries && !self.policy.auto_promote;
            if needs_promotion {
                assert!(self.promoted || slot.0 < self.policy.canary, "no canary");
            }
        }
    }

    fn allows(&self, slot: Slot, side: Side, step: Step, world: &World) {
        let container = world.places[slot.0].of(side);
        if self.reverting || self.revert {
            let arrives = matches!(
                step,
                Step::Start | Step::StartHeld | Step::Resume | Step::EnterRotation | Step::Switch
            );
            assert_eq!(arrives, side == Side::Old, "goes on though it reverts");
        }
        if step == Step::Stop && self.policy.drain.is_some() {
            assert!(!container.routed, "stops what balancers route to");
            let drained =
                world.is_idle(slot, side) || self.gave_up.contains(&(slot, side, Gate::Idle));
            assert!(drained, "stops what has connections");
        }
        let other = other(side);
        let is_followed = world.places[slot.0].of(other).raised.is_some();
        if step == Step::Stop && self.policy.order != Order::StopFirst && is_followed {
            let follower = world.look(slot, other, Gate::Ready).verdict;
            assert_eq!(follower, Verdict::Holds, "stops the last that is ready");
        }
        let starts = matches!(step, Step::Start | Step::Resume);
        if starts && self.policy.order == Order::StopFirst {
            let other = world.places[slot.0].of(other);
            assert!(!other.running, "two containers on one port");
            assert!(!other.exists || other.retired, "two containers of one name");
        }
    }

    /// Requests go to the new ones when all are there, and no old one stops before all requests have left.
    fn allows_in_blue_green(&mut self, slot: Slot, side: Side, step: Step, world: &World) {
        if self.policy.order != Order::BlueGreen {
            return;
        }
        let is_looked_at = step == Step::Resume && self.reverting;
        if side == Side::Old && !is_looked_at {
            assert!(self.switched, "{slot:?} touches an old one too soon");
        }
        let arrives = |side: Side, index: usize| {
            let place = &world.places[index];
            let by_hand = self.gone_hosts.contains(&place.host);
            let (new, old) = (place.fate.has_incoming, place.fate.has_outgoing);
            !by_hand && if side == Side::New { new } else { old }
        };
        let mut all = 0..world.places.len();
        if step == Step::Switch {
            let mut others = self.performing.values();
            let other = others.find(|performed| **performed != (side, Step::Switch));
            assert_eq!(other, None, "{slot:?} switches before all are ready");
            assert_eq!(self.watching, BTreeMap::new(), "it switches too soon");
            if side == Side::New {
                let is_there = |at| !arrives(side, at) || world.places[at].new.raised.is_some();
                assert!(all.all(is_there), "it switches to what was not started");
                self.switched = true;
            }
        } else if (side, step) == (Side::Old, Step::Stop) && self.policy.drain.is_some() {
            let has_requests = |at: &usize| world.places[*at].old.routed;
            assert_eq!(
                all.find(has_requests),
                None,
                "{slot:?} stops before all are left"
            );
        }
    }

    pub(super) fn looks_at(&mut self, world: &World) {
        if self.policy.order == Order::BlueGreen && !self.switched && self.policy.drain.is_some() {
            let is_routed = world.places.iter().any(|place| place.new.routed);
            assert!(!is_routed, "a new one is routed to before the switch");
        }
        let is_down = |slot: &Slot| {
            let place = &world.places[slot.0];
            let is_replaced = place.fate.has_outgoing && place.fate.has_incoming;
            let serves = [Side::New, Side::Old].map(|side| world.serves(slot.0, side));
            // What falls by itself is not taken down.
            let has_fallen = place.new.has_fallen || place.old.has_fallen;
            is_replaced && !has_fallen && !world.lost[place.host] && serves == [false, false]
        };
        let slots = (0..world.places.len()).map(Slot);
        self.down.push(slots.filter(is_down).collect());
    }

    pub(super) fn at_the_end(&self, world: &World) {
        let Some(Finish {
            end,
            slots,
            failure,
        }) = &self.finish
        else {
            panic!("there is no end");
        };
        assert!(self.performing.is_empty(), "a step runs on");
        assert!(self.watched().is_empty(), "a watch is left open");
        assert_eq!(slots.len(), world.places.len());

        for (index, state) in slots.iter().enumerate() {
            self.is_true(index, state, world);
        }
        let needs_hand = |slot: &Slot| matches!(slots[slot.0], SlotState::NeedsHand(_));
        let floor = match self.policy.order {
            Order::StartFirst | Order::BlueGreen => 0,
            Order::StopFirst => self.width(),
        };
        for down in &self.down {
            let down = down.iter().filter(|slot| !needs_hand(slot)).count();
            assert!(down <= floor, "{down} slots without a serving container");
        }

        let count = |state: fn(&SlotState) -> bool| slots.iter().filter(|slot| state(slot)).count();
        let updated = count(|slot| *slot == SlotState::Updated);
        let by_hand = count(|slot| matches!(slot, SlotState::NeedsHand(_)));
        if self.policy.order == Order::BlueGreen {
            let is_whole = updated == 0 || updated == slots.len();
            assert!(is_whole, "{updated} of {} slots are updated", slots.len());
        }
        let takes_all_back = self.revert || self.policy.auto_revert;
        match end {
            RolloutEnd::Completed => {
                assert!(slots.len() - updated <= self.policy.max_failures);
                assert_eq!(failure.is_some(), !self.failed.is_empty());
                let weighs = self.policy.weighs_canaries && !self.policy.auto_promote;
                if weighs && self.has_canaries && updated > 0 {
                    assert!(self.promoted, "the canaries keep their share");
                }
            }
            RolloutEnd::Stopped => {
                assert!(!takes_all_back && by_hand == 0 && failure.is_some());
            }
            RolloutEnd::Reverted => {
                assert!(takes_all_back && by_hand == 0 && updated == 0);
                assert_eq!(failure.is_none(), self.revert);
            }
            RolloutEnd::RevertFailed => {
                assert!(by_hand > 0 && failure.is_some());
                assert!(updated == 0 || !takes_all_back);
            }
            RolloutEnd::Interrupted => assert!(self.interrupted),
        }
    }

    /// Whether what is said of a slot is what is so.
    fn is_true(&self, index: usize, state: &SlotState, world: &World) {
        let place = &world.places[index];
        let (new, old) = (&place.new, &place.old);
        let serves = |container: &Container| container.running && !container.maintenance;
        let fell = |container: &Container| container.fell_at.is_some();
        match state {
            SlotState::Updated => {
                assert!(
                    !self.unhealthy.contains_key(&Slot(index)),
                    "it was seen to fall"
                );
                if place.fate.has_incoming && !world.lost[place.host] {
                    let last = self.kept.get(&Slot(index)).copied().flatten();
                    let (looked_at, _) = last.expect("it is watched to the end");
                    let ago = world.now.saturating_sub(looked_at);
                    assert!(ago <= MONITOR_PAUSE + TICK, "nobody looks");
                    // Nobody can know what came after the last look.
                    let fell_since = new.fell_at.is_some_and(|at| at > looked_at);
                    assert!(serves(new) || fell_since, "slot {index} is dead");
                } else {
                    assert!(serves(new) == place.fate.has_incoming || fell(new));
                }
                assert!(!old.running, "the old one of slot {index} runs");
                assert!(!self.policy.registered || !old.registered);
            }
            SlotState::Reverted | SlotState::Untouched => {
                assert!(serves(old) == place.fate.has_outgoing || fell(old));
                assert!(!new.running, "the new one of slot {index} runs");
                assert!(!self.policy.registered || !new.registered);
            }
            SlotState::NeedsHand(failure) => {
                let known =
                    self.failed.contains(&Slot(index)) || self.gone_hosts.contains(&place.host);
                assert!(known, "no reason for a hand");
                assert!(!failure.error.is_empty());
            }
        }
        if *state == SlotState::Reverted && place.fate.has_outgoing {
            assert!(
                old.raised.is_some(),
                "nobody looked at the old one of slot {index}"
            );
        }
        if *state == SlotState::Untouched {
            assert!(!new.exists, "slot {index} was touched");
        }
    }
}

/// A first deploy has no canaries, nor has a rollout that brings nothing.
fn has_canaries(scenario: &Scenario) -> bool {
    let fates = &scenario.fates;
    let policy = scenario.policy.clone().settled();
    let replaces = fates.iter().any(|fate| fate.has_outgoing);
    policy.canary > 0 && replaces && fates.iter().any(|fate| fate.has_incoming)
}
