//! `ssh_config(5)`, TIME FORMATS.

/// The longest time in OpenSSH's time format, in seconds.
const LONGEST: u64 = i32::MAX as u64;

/// OpenSSH's time format: `90`, `1m30s`.
pub(in crate::transport) fn seconds(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    if !number.is_empty() {
        total = total.checked_add(number.parse().ok()?)?;
    }
    (1..=LONGEST).contains(&total).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_openssh_s() {
        for (text, time) in [
            ("90", Some(90)),
            ("1m30s", Some(90)),
            ("1M", Some(60)),
            ("2h", Some(7200)),
            ("1d", Some(86_400)),
            ("1W2d", Some(777_600)),
            ("0", None),
            ("m", None),
            ("5x", None),
            ("2147483647", Some(2_147_483_647)),
            ("2147483648", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(seconds(text), time, "{text}");
        }
    }
}
