//! Times and sizes as other tools write them.

/// A time as shipit's files have it: a number alone is of seconds.
pub fn duration(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(format!("{text}s"));
    }
    let units = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    (units && text.starts_with(|c: char| c.is_ascii_digit())).then(|| text.to_owned())
}

/// A size as docker's options have it. Compose takes `1gb` and `1GiB` for `1g`.
pub fn bytes(text: &str) -> String {
    let lower = text.trim().to_ascii_lowercase();
    let short = lower.strip_suffix("ib").or(lower.strip_suffix('b'));
    let short = short.filter(|short| short.ends_with(['k', 'm', 'g', 't']));
    short.map_or_else(|| text.trim().to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_dockers() {
        assert_eq!(bytes("512M"), "512M");
        assert_eq!(bytes("1gb"), "1g");
        assert_eq!(bytes("2GiB"), "2g");
        assert_eq!(bytes("100b"), "100b");
        assert_eq!(duration("30"), Some("30s".to_owned()));
        assert_eq!(duration("1m30s"), Some("1m30s".to_owned()));
        assert_eq!(duration("soon"), None);
        assert_eq!(duration("-1s"), None);
    }
}
