//! From the stream of events to the reporters.

use std::time::Duration;

use jiff::Timestamp;
use tokio::{sync::mpsc::UnboundedReceiver, time::MissedTickBehavior};

use super::{masks::Masks, reporter::BoxedReporter};
use crate::event::Event;

/// How often reporters learn the time.
const TICK: Duration = Duration::from_millis(100);

/// Shows every event to every reporter until all senders are gone. Secrets are masked here, once, before
/// any reporter sees an event.
///
/// Reporters write to their streams directly, so on a runtime with one thread a reader that does not
/// read would hold everything up.
pub async fn drive(
    mut events: UnboundedReceiver<Event>,
    mut reporters: Vec<BoxedReporter>,
    masks: Masks,
) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(mut event) = event else { break };
                masks.mask_event(&mut event);
                for reporter in &mut reporters {
                    reporter.event(&event);
                }
            }
            _ = ticks.tick() => {
                let now = Timestamp::now();
                for reporter in &mut reporters {
                    reporter.tick(now);
                }
            }
        }
    }
}
