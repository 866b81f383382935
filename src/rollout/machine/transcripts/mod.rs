//! Small rollouts as transcripts: what is done when, on hosts that answer after a second.

mod blue_green;
mod failing;
mod monitoring;
mod order;
mod sequence;

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use super::failure::Span;
use super::*;
use crate::model::Order;

fn policy() -> Policy {
    Policy {
        order: Order::StartFirst,
        max_parallel: 1,
        canary: 0,
        auto_promote: true,
        weighs_canaries: false,
        min_healthy_time: seconds(2),
        healthy_deadline: seconds(60),
        progress_deadline: seconds(600),
        auto_revert: true,
        max_failures: 0,
        leave_deadline: seconds(30),
        quorum: false,
        drain: Some(DrainPolicy {
            wait: seconds(1),
            timeout: seconds(10),
            is_told: false,
        }),
        registered: true,
        registers: false,
    }
}

/// A policy of containers that nothing routes to: short transcripts.
fn plain() -> Policy {
    Policy {
        min_healthy_time: Duration::ZERO,
        drain: None,
        registered: false,
        ..policy()
    }
}

fn replacements(count: usize, has_incoming: bool, has_outgoing: bool) -> Vec<Replacement> {
    let replacement = |number| Replacement {
        host: format!("host-{number}").into(),
        has_incoming,
        incoming_runs: false,
        outgoing: has_outgoing.then_some(Outgoing::Serves),
        is_last: false,
    };
    (1..=count).map(replacement).collect()
}

fn rollout(policy: Policy, count: usize) -> Play {
    Play::of(Rollout::new(policy, replacements(count, true, true)), count)
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// What a host answers to a step or a gate, instead of well and at once.
#[derive(Clone, Copy)]
enum Answer {
    Err(&'static str),
    Unreachable(&'static str),
    NotYet(&'static str),
    Never(&'static str),
    /// Not yet in these seconds of the play, well in all others.
    Breaks(u64, u64, &'static str),
    /// From this second on well at one look in three of a finished slot: at the first, second or third.
    OneLookInThree(u64, u64, &'static str),
    /// Well until this second of the play, never again from there on.
    DiesAt(u64, &'static str),
}

/// An executor whose steps take a second, whose gates are looked at each second, and whose finished slots
/// every other second.
struct Play {
    rollout: Rollout,
    hosts: usize,
    now: Duration,
    due: Vec<(Duration, Input)>,
    watched: BTreeMap<(Slot, Side, Gate), Purpose>,
    answers: Vec<(String, Answer)>,
    transcript: String,
}

impl Play {
    fn of(rollout: Rollout, hosts: usize) -> Self {
        Self {
            rollout,
            hosts,
            now: Duration::ZERO,
            due: vec![(Duration::ZERO, Input::Begin)],
            watched: BTreeMap::new(),
            answers: Vec::new(),
            transcript: String::new(),
        }
    }

    /// Lets `what` (`host-2 new ready`, `host-1 old stop`) be answered otherwise.
    fn when(mut self, what: &str, answer: Answer) -> Self {
        self.answers.push((what.to_owned(), answer));
        self
    }

    fn at(mut self, second: u64, input: Input) -> Self {
        self.due.push((seconds(second), input));
        self
    }

    /// Plays until the end and returns the transcript.
    fn transcript(mut self) -> String {
        for _ in 0..10_000 {
            let first = self.due.iter().map(|(at, _)| *at).min();
            let Some(next) = first.into_iter().chain(self.rollout.wakes_at()).min() else {
                break;
            };
            let input = match self.due.iter().position(|(at, _)| *at <= next) {
                Some(index) => self.due.remove(index).1,
                None => Input::Tick,
            };
            self.now = self.now.max(next);
            self.tell(&input);
            for action in self.rollout.step(input, self.now) {
                self.perform(action);
            }
        }
        self.transcript
    }

    fn line(&mut self, text: &str) {
        let now = Span(self.now).to_string();
        writeln!(self.transcript, "{now:<6} {text}").expect("a string takes it");
    }

    fn answer(&self, what: &str) -> Option<Answer> {
        let answer = self.answers.iter().find(|(name, _)| name == what);
        answer.map(|(_, answer)| *answer)
    }

    /// The lines that come from outside.
    fn tell(&mut self, input: &Input) {
        match input {
            Input::Promotion { granted } => self.line(&format!("> promotion: {granted}")),
            Input::Interrupt => self.line("> interrupt"),
            Input::OverBudget { reason } => self.line(&format!("> over budget: {reason}")),
            Input::StepEnded {
                result: Err(failure),
                ..
            } => {
                self.line(&format!("> {}", failure.error.join(": ")));
            }
            _ => {}
        }
        if let Input::Observed {
            slot, side, gate, ..
        } = input
            && let Some(purpose) = self.watched.get(&(*slot, *side, *gate))
        {
            let pause = if *purpose == Purpose::Monitor { 2 } else { 1 };
            let at = self.now + seconds(pause);
            self.due.push((at, self.look(*slot, *side, *gate, at)));
        }
    }

    fn look(&self, slot: Slot, side: Side, gate: Gate, now: Duration) -> Input {
        let (verdict, detail) = match self.answer(&name(slot, side, &gate)) {
            Some(Answer::NotYet(detail)) => (Verdict::NotYet, detail),
            Some(Answer::Never(detail)) => (Verdict::Never, detail),
            Some(Answer::Breaks(first, last, detail))
                if (seconds(first)..=seconds(last)).contains(&now) =>
            {
                (Verdict::NotYet, detail)
            }
            Some(Answer::OneLookInThree(first, well_at, detail))
                if now >= seconds(first)
                    && now.saturating_sub(seconds(first)).as_secs() / 2 % 3 != well_at =>
            {
                (Verdict::NotYet, detail)
            }
            Some(Answer::DiesAt(second, detail)) if now >= seconds(second) => {
                (Verdict::Never, detail)
            }
            _ => (Verdict::Holds, "passing"),
        };
        let detail = detail.to_owned();
        Input::Observed {
            slot,
            side,
            gate,
            observation: Observation { verdict, detail },
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Perform { slot, side, step } => {
                let name = name(slot, side, &step);
                self.line(&name);
                let result = match self.answer(&name) {
                    Some(Answer::Err(error)) => Err((error, false)),
                    Some(Answer::Unreachable(error)) => Err((error, true)),
                    _ => Ok(()),
                };
                let result = result.map_err(|(error, unreachable)| Failure {
                    error: vec![error.to_owned()],
                    unreachable,
                });
                let ended = Input::StepEnded {
                    slot,
                    side,
                    step,
                    result,
                };
                self.due.push((self.now + seconds(1), ended));
            }
            Action::Watch {
                slot,
                side,
                gate,
                purpose,
            } => {
                let before = self.watched.insert((slot, side, gate), purpose);
                assert_eq!(before, None, "watched twice");
                let first = self.look(slot, side, gate, self.now);
                self.due.push((self.now, first));
            }
            Action::Unwatch {
                slot,
                side,
                gate,
                end,
            } => {
                let purpose = self.watched.remove(&(slot, side, gate));
                let purpose = purpose.expect("what is unwatched was watched");
                let end = match (purpose, end) {
                    (Purpose::Confirm, WatchEnd::Held) => "still so".to_owned(),
                    (Purpose::Monitor, WatchEnd::Held) => "kept".to_owned(),
                    (Purpose::Monitor, WatchEnd::Failed) => "not kept".to_owned(),
                    (Purpose::Monitor, WatchEnd::Abandoned) => "no longer kept".to_owned(),
                    (_, end) => words(&end),
                };
                self.line(&format!("{} {end}", name(slot, side, &gate)));
            }
            Action::AskPromotion { others: true } => self.line("ask promotion"),
            Action::AskPromotion { others: false } => self.line("ask promotion of all"),
            Action::Reverting { reason } => self.line(&format!("reverting: {reason}")),
            Action::Finish(finish) => {
                assert_eq!(finish.slots.len(), self.hosts);
                self.line(&words(&finish.end));
                for (number, state) in (1..).zip(finish.slots) {
                    let text = match state {
                        SlotState::NeedsHand(failure) => {
                            format!("needs a hand: {}", failure.error.join(": "))
                        }
                        other => words(&other),
                    };
                    writeln!(self.transcript, "       host-{number} {text}").expect("it fits");
                }
                if let Some((slot, failure)) = finish.failure {
                    let place = slot.map_or("rollout".to_owned(), host);
                    let error = failure.error.join(": ");
                    writeln!(self.transcript, "       {place} failed: {error}").expect("it fits");
                }
            }
        }
    }
}

fn host(slot: Slot) -> String {
    format!("host-{}", slot.0 + 1)
}

fn name(slot: Slot, side: Side, what: &dyn std::fmt::Debug) -> String {
    format!("{} {} {}", host(slot), words(&side), words(what))
}

/// `EnterMaintenance` is `enter maintenance`.
fn words(what: &dyn std::fmt::Debug) -> String {
    let mut text = String::new();
    for letter in format!("{what:?}").chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.extend(letter.to_lowercase());
    }
    text
}
