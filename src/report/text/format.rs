//! Durations, counts and bytes as people read them.

use std::time::Duration;

use indicatif::{DecimalBytes, HumanCount};

/// `0.9s`, `12.3s`, `2m 05s`, `1h 02m`: for what is over.
pub(crate) fn precise_seconds(duration: Duration) -> String {
    // Tenths are cut, not rounded: 59.96 s must not become `60.0s`.
    let tenths = duration.as_millis() / 100;
    if tenths < 600 {
        format!("{}.{}s", tenths / 10, tenths % 10)
    } else {
        whole_seconds(duration)
    }
}

/// `3s`, `2m 05s`, `1h 02m`: for what changes while one looks at it.
pub(crate) fn whole_seconds(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let minutes = seconds / 60;
    match minutes {
        0 => format!("{seconds}s"),
        1..60 => format!("{minutes}m {:02}s", seconds % 60),
        _ => format!("{}h {:02}m", minutes / 60, minutes % 60),
    }
}

/// `1,240`.
pub(crate) fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

/// `1 host`, `3 hosts`, `1,240 requests`.
pub(crate) fn counted(number: usize, singular: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    let number = count(u64::try_from(number).unwrap_or(u64::MAX));
    format!("{number} {singular}{plural}")
}

/// `45.20 MB`, in docker's units: powers of 1000.
fn bytes(number: u64) -> String {
    DecimalBytes(number).to_string()
}

/// `9.10 MB/s`.
pub(crate) fn rate(bytes_in_a_second: u64) -> String {
    format!("{}/s", bytes(bytes_in_a_second))
}

/// `45.20 MB of 120.00 MB`, or `45.20 MB` where the total is not known.
pub(crate) fn bytes_of(done: u64, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("{} of {}", bytes(done), bytes(total)),
        None => bytes(done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_to_two_units() {
        for (milliseconds, precise, whole) in [
            (0, "0.0s", "0s"),
            (949, "0.9s", "0s"),
            (12_345, "12.3s", "12s"),
            (59_999, "59.9s", "59s"),
            (60_000, "1m 00s", "1m 00s"),
            (125_000, "2m 05s", "2m 05s"),
            (3_720_000, "1h 02m", "1h 02m"),
        ] {
            let duration = Duration::from_millis(milliseconds);
            assert_eq!(
                (&*precise_seconds(duration), &*whole_seconds(duration)),
                (precise, whole)
            );
        }
    }

    #[test]
    fn numbers_have_separators_and_units() {
        assert_eq!(count(1_240), "1,240");
        assert_eq!(counted(1, "host"), "1 host");
        assert_eq!(counted(0, "host"), "0 hosts");
        assert_eq!(bytes(45_200_000), "45.20 MB");
    }
}
