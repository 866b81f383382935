//! Whether the hosts' clocks agree with this machine's: certificates, sessions in Consul and logs rest on that.

use jiff::Timestamp;

use super::{found::Found, plan::HostPlan};
use crate::{
    event::{EventKind, Events},
    text,
};

/// What is no more than the time that an answer takes.
const BEARABLE: i64 = 10;

/// How far a host's clock is from a time of this machine's between the question and the answer; positive where the
/// host is ahead.
pub fn skew(found: &Found, asked: Timestamp, answered: Timestamp) -> Option<i64> {
    let clock = found.clock?;
    if clock < asked.as_second() {
        return Some(clock - asked.as_second());
    }
    Some((clock - answered.as_second()).max(0))
}

/// Warns of the clocks that are wrong.
pub fn warn_of_clocks(plans: &[HostPlan], events: &Events) {
    for HostPlan { host, skew, .. } in plans {
        let Some(skew) = skew.filter(|skew| skew.abs() > BEARABLE) else {
            continue;
        };
        let by = text::duration(std::time::Duration::from_secs(skew.unsigned_abs()));
        let side = if skew > 0 { "ahead of" } else { "behind" };
        events.send(EventKind::Warning {
            host: Some(host.to_string()),
            message: format!("its clock is {by} {side} this machine's"),
            hint: Some(format!(
                "on `{host}`: `sudo timedatectl set-ntp true`, or install chrony"
            )),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_took_its_time_is_no_skew() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let skew = |clock| {
            let found = Found {
                clock: Some(clock),
                ..Found::default()
            };
            skew(&found, at(1000), at(1020))
        };
        assert_eq!(skew(1000), Some(0));
        assert_eq!(skew(1015), Some(0));
        assert_eq!(skew(1050), Some(30));
        assert_eq!(skew(940), Some(-60));
        assert_eq!(super::skew(&Found::default(), at(0), at(0)), None);
    }
}
