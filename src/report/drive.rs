//! From the stream of events to the reporters.

use std::time::Duration;

use jiff::Timestamp;
use tokio::{task::spawn_blocking, time::MissedTickBehavior};

use super::{
    masks::Masks,
    queue::{self, Next, queue},
    reporter::BoxedReporter,
};
use crate::event::{EventKind, Receiver, Unshown};

/// How often reporters learn the time.
const TICK: Duration = Duration::from_millis(100);

/// Shows every event until the last one, [`EventKind::Finished`], or until all senders are gone. Secrets are
/// masked here, once, before any reporter sees an event.
///
/// The reader of standard output and the terminal may take their time, so that reporter has a thread of its own and
/// the log never waits for it. What a command printed takes up its room until it was shown.
pub async fn drive(
    mut events: Receiver,
    terminal: BoxedReporter,
    mut log: Option<BoxedReporter>,
    masks: Masks,
) {
    let (sender, unshown) = queue();
    let showing = spawn_blocking(move || show(&unshown, terminal));
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            event = events.next() => {
                let Some(mut unshown) = event else { break };
                masks.mask_event(&mut unshown.event);
                if let Some(log) = &mut log {
                    log.event(&unshown.event);
                }
                let is_last = matches!(unshown.event.kind, EventKind::Finished { .. });
                sender.send(unshown);
                // A question that nobody answers any more still has a sender.
                if is_last {
                    break;
                }
            }
            _ = ticks.tick() => {
                if let Some(log) = &mut log {
                    log.tick(Timestamp::now());
                }
            }
        }
    }
    drop(sender);
    let _ = showing.await;
}

/// Shows events at the speed of their reader. To one who lags behind time is that of the events, so that no step
/// seems to last until its end was shown.
fn show(events: &queue::Receiver, mut reporter: BoxedReporter) {
    let mut next_tick = Timestamp::MIN;
    loop {
        match events.next(TICK) {
            Next::Event(Unshown { event, room, .. }) => {
                if event.at >= next_tick {
                    reporter.tick(event.at);
                    next_tick = event.at.saturating_add(TICK).unwrap_or(event.at);
                }
                reporter.event(&event);
                drop(room);
            }
            Next::Nothing => reporter.tick(Timestamp::now()),
            Next::End => return,
        }
    }
}
