//! Simulated containers on simulated hosts: what steps do to them and what gates see, tick by tick.

use std::time::Duration;

use crate::rollout::machine::{Failure, Gate, Observation, Policy, Side, Slot, Step, Verdict};

/// The resolution of simulated time.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// What is laid down beforehand about one slot. Small numbers of ticks.
#[derive(Debug, Clone)]
pub(super) struct Fate {
    /// The slot has an old container.
    pub has_outgoing: bool,
    /// The slot is to get a new one.
    pub has_incoming: bool,
    /// How its new container does once it is started.
    pub health: Health,
    /// What becomes of the new container later, so many ticks after its start.
    pub later: Option<(u32, Later)>,
    /// After how many ticks the old container dies once it was started again.
    pub old_dies: Option<u32>,
    /// Which of its steps goes wrong, counted from 0, and how.
    pub fault: Option<(usize, Fault)>,
    /// Which gate of the old container sticks, if any.
    pub stuck: Option<Gate>,
    /// Used in turn, over and over, wherever something takes time.
    pub latencies: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    /// Comes and goes before it stays, each time for less than `min_healthy_time`.
    Flaps,
    NeverReady,
    Exits,
    /// Ready, but no balancer takes it.
    Unroutable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Later {
    Dies,
    /// Does not answer for so many ticks.
    Sickens(u32),
    /// Does not answer for so many ticks, answers for so many, and so on.
    Flaps(u32, u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The step fails and has done nothing.
    Undone,
    /// The step fails though it has done its work.
    Done,
    /// The host is gone from here on.
    Lost,
}

#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what a host knows of a container are independent facts"
)]
pub(super) struct Container {
    pub exists: bool,
    pub running: bool,
    pub retired: bool,
    pub maintenance: bool,
    pub registered: bool,
    /// Whether the balancers were told of it.
    is_known: bool,
    /// Kept out of traffic until requests are switched to it.
    held: bool,
    exited: bool,
    /// When it was last started by a step.
    pub raised: Option<Duration>,
    /// When it died or first sickened after that.
    pub fell_at: Option<Duration>,
    /// Whether it ever died or sickened by itself.
    pub has_fallen: bool,
    /// What the balancers route to.
    pub routed: bool,
    /// For how many ticks its state and the balancers' view have differed.
    lags: u32,
    since: Duration,
    connections_end: Duration,
    gone_at: Option<Duration>,
}

#[derive(Debug, Clone)]
pub(super) struct Place {
    pub fate: Fate,
    pub host: usize,
    pub new: Container,
    pub old: Container,
    steps: usize,
    draws: usize,
}

impl Place {
    pub(super) fn of(&self, side: Side) -> &Container {
        match side {
            Side::New => &self.new,
            Side::Old => &self.old,
        }
    }

    fn of_mut(&mut self, side: Side) -> &mut Container {
        match side {
            Side::New => &mut self.new,
            Side::Old => &mut self.old,
        }
    }

    fn latency(&mut self) -> u32 {
        self.draws += 1;
        self.fate.latencies[self.draws % self.fate.latencies.len()]
    }
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub places: Vec<Place>,
    /// Which hosts are gone.
    pub lost: Vec<bool>,
    policy: Policy,
    pub now: Duration,
}

impl World {
    /// Every slot as before the rollout; with `updated`, as after it.
    pub(super) fn new(policy: Policy, fates: Vec<Fate>, per_host: usize, updated: bool) -> Self {
        let serving = Container {
            exists: true,
            running: true,
            registered: true,
            is_known: true,
            routed: true,
            ..Container::default()
        };
        let stopped = Container {
            exists: true,
            retired: true,
            ..Container::default()
        };
        let before = |is: bool| {
            if is {
                serving.clone()
            } else {
                Container::default()
            }
        };
        let places: Vec<Place> = (0..)
            .zip(fates)
            .map(|(index, fate): (usize, Fate)| {
                let (new, old) = match (updated, fate.has_outgoing) {
                    (false, has_outgoing) => (Container::default(), before(has_outgoing)),
                    (true, true) => (before(fate.has_incoming), stopped.clone()),
                    (true, false) => (before(fate.has_incoming), Container::default()),
                };
                Place {
                    fate,
                    host: index / per_host,
                    new,
                    old,
                    steps: 0,
                    draws: 0,
                }
            })
            .collect();
        let hosts = places.len().div_ceil(per_host);
        Self {
            places,
            lost: vec![false; hosts],
            policy,
            now: Duration::ZERO,
        }
    }

    pub(super) fn latency(&mut self, slot: Slot) -> Duration {
        TICK * self.places[slot.0].latency()
    }

    /// The effect and the result of a step that ends now.
    pub(super) fn step(&mut self, slot: Slot, side: Side, step: Step) -> Result<(), Failure> {
        let now = self.now;
        let place = &mut self.places[slot.0];
        let fault = place.fate.fault.filter(|(nth, _)| *nth == place.steps);
        let fault = fault.map(|(_, fault)| fault);
        place.steps += 1;
        if fault == Some(Fault::Lost) {
            self.lost[place.host] = true;
        }
        if self.lost[place.host] {
            return Err(failed("no route to host", true));
        }
        if fault == Some(Fault::Undone) {
            return Err(failed("docker said no", false));
        }
        let lag = TICK * place.latency();
        if step == Step::Switch {
            self.switch(slot, side)?;
        }
        let place = &mut self.places[slot.0];
        let stuck = side == Side::Old && place.fate.stuck == Some(Gate::Gone);
        let container = place.of_mut(side);
        match step {
            Step::Start | Step::Resume => {
                *container = Container {
                    exists: true,
                    running: true,
                    registered: true,
                    since: if container.running {
                        container.since
                    } else {
                        now
                    },
                    ..container.clone()
                };
                container.retired = false;
                container.maintenance = false;
                container.exited = false;
                (container.raised, container.fell_at) = (Some(now), None);
                container.gone_at = None;
            }
            Step::StartHeld => {
                if !container.running {
                    (container.held, container.maintenance) = (true, false);
                    container.since = now;
                }
                container.exists = true;
                container.running = true;
                container.registered = true;
                container.retired = false;
                container.exited = false;
                (container.raised, container.fell_at) = (Some(now), None);
                container.gone_at = None;
            }
            Step::OutlastStop | Step::Switch => {}
            Step::EnterRotation => container.is_known = true,
            Step::EnterMaintenance => (container.maintenance, container.is_known) = (true, false),
            Step::Stop => {
                container.running = false;
                container.gone_at = (!stuck).then_some(now + lag);
            }
            Step::Deregister => container.registered = false,
            Step::Retire => container.retired = true,
        }
        match fault {
            Some(Fault::Done) => Err(failed("docker did not answer in time", false)),
            _ => Ok(()),
        }
    }

    fn is_told(&self) -> bool {
        let drain = self.policy.drain.as_ref();
        drain.is_some_and(|drain| drain.is_told)
    }

    /// Balancers that are told have one list for all slots, which takes effect at once; others learn of each
    /// container by itself.
    fn switch(&mut self, slot: Slot, to: Side) -> Result<(), Failure> {
        let now = self.now;
        let refuses = |place: &Place| {
            place.fate.has_incoming && place.fate.health == Health::Unroutable && to == Side::New
        };
        let is_told = self.is_told();
        if is_told && self.places.iter().any(refuses) {
            return Err(failed("a balancer refuses the list", false));
        }
        let own = slot.0..slot.0 + 1;
        let all = 0..self.places.len();
        for at in if is_told { all } else { own } {
            let answers = self.answers(at, to);
            let place = &mut self.places[at];
            let lasts = TICK * place.latency();
            let stuck = place.fate.stuck;
            let comes = place.of_mut(to);
            (comes.held, comes.maintenance) = (false, false);
            if is_told {
                comes.is_known = comes.running;
                comes.routed = answers;
                let goes = place.of_mut(other(to));
                goes.is_known = false;
                let stays = to == Side::New && stuck == Some(Gate::Unrouted);
                if goes.routed && !stays {
                    goes.routed = false;
                    let never = to == Side::New && stuck == Some(Gate::Idle);
                    let lasts = if never { Duration::MAX } else { lasts };
                    goes.connections_end = now.saturating_add(lasts);
                }
            }
        }
        Ok(())
    }

    /// Whether the container would answer a request.
    fn answers(&self, slot: usize, side: Side) -> bool {
        let place = &self.places[slot];
        let container = place.of(side);
        if !container.running {
            return false;
        }
        if self.is_sick(slot, side) {
            return false;
        }
        let age = self.now.saturating_sub(container.since);
        let health = match side {
            Side::New => place.fate.health,
            Side::Old => Health::Good,
        };
        match health {
            Health::Good | Health::Unroutable => true,
            Health::NeverReady | Health::Exits => false,
            Health::Flaps => {
                // Half of the healthy time is never long enough.
                let half = (self.policy.min_healthy_time / 2).max(TICK);
                age >= half * 6 || (age.as_millis() / half.as_millis()) % 2 == 1
            }
        }
    }

    fn is_sick(&self, slot: usize, side: Side) -> bool {
        let place = &self.places[slot];
        let (Side::New, Some((after, later)), Some(raised)) =
            (side, place.fate.later, place.new.raised)
        else {
            return false;
        };
        let from = raised + TICK * after;
        let Some(since) = self.now.checked_sub(from) else {
            return false;
        };
        match later {
            Later::Dies => false,
            Later::Sickens(length) => since < TICK * length,
            Later::Flaps(sick, well) => {
                let ticks = since.as_millis() / TICK.as_millis();
                ticks % u128::from(sick + well) < u128::from(sick)
            }
        }
    }

    /// Whether requests come to the container and it answers them.
    pub(super) fn serves(&self, slot: usize, side: Side) -> bool {
        self.places[slot].of(side).routed && self.answers(slot, side)
    }

    pub(super) fn pass(&mut self, now: Duration) {
        self.now = now;
        for index in 0..self.places.len() {
            for side in [Side::New, Side::Old] {
                self.fall(index, side);
                let answers = self.answers(index, side);
                let told = self.is_told();
                let place = &mut self.places[index];
                let latency = place.latency();
                let fate = place.fate.clone();
                let container = place.of_mut(side);
                let age = now.saturating_sub(container.since);
                if side == Side::New
                    && fate.health == Health::Exits
                    && container.running
                    && age > TICK
                {
                    container.running = false;
                    container.exited = true;
                }
                if container.gone_at.is_some_and(|at| at <= now) {
                    container.registered = false;
                }
                let unroutable = side == Side::New
                    && fate.health == Health::Unroutable
                    && self.policy.drain.is_some();
                let wanted = answers
                    && !container.held
                    && !container.maintenance
                    && !unroutable
                    && (container.is_known || !told);
                let stuck = side == Side::Old && fate.stuck == Some(Gate::Unrouted);
                if container.routed == wanted || stuck && container.routed {
                    container.lags = 0;
                } else {
                    container.lags += 1;
                    if container.lags > latency || self.policy.drain.is_none() {
                        container.routed = wanted;
                        container.lags = 0;
                        let never = side == Side::Old && fate.stuck == Some(Gate::Idle);
                        let lasts = if never { Duration::MAX } else { TICK * latency };
                        container.connections_end = now.saturating_add(lasts);
                    }
                }
            }
        }
    }

    /// Lets what was laid down for later come about.
    fn fall(&mut self, index: usize, side: Side) {
        let (now, is_sick) = (self.now, self.is_sick(index, side));
        let place = &mut self.places[index];
        let dies = match (side, place.fate.later) {
            (Side::New, Some((after, Later::Dies))) => Some(after),
            (Side::New, _) => None,
            (Side::Old, _) => place.fate.old_dies,
        };
        let container = place.of_mut(side);
        // An old one may also die before anything is done to it.
        let since = container
            .raised
            .or((side == Side::Old).then_some(Duration::ZERO));
        let is_due = |after| since.is_some_and(|at| at + TICK * after <= now);
        let dies = container.running && dies.is_some_and(is_due);
        if dies {
            (container.running, container.exited) = (false, true);
        }
        if dies || is_sick {
            container.fell_at.get_or_insert(now);
            container.has_fallen = true;
        }
    }

    pub(super) fn is_idle(&self, slot: Slot, side: Side) -> bool {
        let container = self.places[slot.0].of(side);
        !container.running || !container.routed && container.connections_end <= self.now
    }

    /// One look at a gate.
    pub(super) fn look(&self, slot: Slot, side: Side, gate: Gate) -> Observation {
        let place = &self.places[slot.0];
        let container = place.of(side);
        let stuck = side == Side::Old && place.fate.stuck == Some(gate);
        let of_the_host = matches!(gate, Gate::Ready | Gate::Idle | Gate::Gone);
        let holds = match gate {
            Gate::Quorum => self.quorum() && !stuck,
            Gate::Leader => !stuck,
            // A server is ready when it sees its whole cluster.
            Gate::Ready => self.answers(slot.0, side) && (!self.policy.quorum || self.quorum()),
            Gate::Routed => container.routed,
            Gate::Unrouted => !container.routed,
            Gate::Idle => self.is_idle(slot, side),
            Gate::Gone => !container.registered && !stuck,
        };
        let verdict = if of_the_host && self.lost[place.host] {
            Verdict::NotYet
        } else if gate == Gate::Ready && container.exited {
            Verdict::Never
        } else if holds {
            Verdict::Holds
        } else {
            Verdict::NotYet
        };
        Observation {
            verdict,
            detail: format!("{gate:?} {verdict:?}"),
        }
    }

    fn quorum(&self) -> bool {
        (0..self.places.len()).all(|slot| {
            let place = &self.places[slot];
            let counts = place.fate.has_outgoing && place.fate.has_incoming;
            let serves = [Side::New, Side::Old].map(|side| self.answers(slot, side));
            !counts || serves.contains(&true) && !self.lost[place.host]
        })
    }
}

pub(super) fn other(side: Side) -> Side {
    match side {
        Side::New => Side::Old,
        Side::Old => Side::New,
    }
}

pub(super) fn failed(error: &str, unreachable: bool) -> Failure {
    Failure {
        error: vec![error.to_owned()],
        unreachable,
    }
}
