//! `ssh_config(5)`, PATTERNS.

use wildmatch::WildMatch;

/// A list of patterns holds when one does and none of the negated ones.
pub(super) fn list_matches<'a>(patterns: impl Iterator<Item = &'a str>, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        let (negated, pattern) = match pattern.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, pattern),
        };
        if WildMatch::new(pattern).matches(text) {
            if negated {
                return false;
            }
            found = true;
        }
    }
    found
}
