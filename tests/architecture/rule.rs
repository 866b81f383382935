//! Holding a rule against what breaks it, but for the places that are known to.

use std::{collections::BTreeSet, fmt::Write};

/// A place that breaks a rule.
#[derive(Debug)]
pub struct Violation {
    /// What [`crate::known`] calls it.
    pub place: String,
    /// What is wrong there, for people.
    pub evidence: String,
}

/// Whether nothing but the known places breaks a rule, and each of these still does. So a list of known
/// places gets shorter only.
///
/// # Errors
///
/// All new violations with their evidence, and all known places that break the rule no more.
pub fn check(rule: &str, known: &[&str], violations: &[Violation]) -> Result<(), String> {
    let mut message = String::new();
    let mut shown = BTreeSet::new();
    let mut places = BTreeSet::new();
    for violation in violations {
        let place = violation.place.as_str();
        if known.contains(&place) {
            continue;
        }
        places.insert(place);
        if shown.insert(&violation.evidence) {
            let _ = writeln!(message, "{}", violation.evidence);
        }
    }
    if !places.is_empty() {
        let places: Vec<_> = places
            .into_iter()
            .map(|place| format!("{place:?}"))
            .collect();
        message = format!("{rule}\n{message}  in: {}\n", places.join(", "));
    }
    for place in known {
        if !violations.iter().any(|violation| violation.place == *place) {
            let _ = writeln!(
                message,
                "`{place}` keeps this rule by now, so strike it from tests/architecture/known.rs: {rule}"
            );
        }
    }
    if message.is_empty() {
        Ok(())
    } else {
        Err(message)
    }
}

/// [`check`], as a test wants it.
///
/// # Panics
///
/// When the rule does not hold.
#[track_caller]
pub fn hold(rule: &str, known: &[&str], violations: &[Violation]) {
    if let Err(message) = check(rule, known, violations) {
        panic!("{message}");
    }
}

/// The evidence of violations, a line each.
pub fn shown(violations: &[Violation]) -> String {
    let lines = violations
        .iter()
        .map(|violation| violation.evidence.as_str());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_known_place_may_break_a_rule_as_long_as_it_does() {
    let wide = [Violation {
        place: "execute/".to_owned(),
        evidence: "    execute/ has 18 files".to_owned(),
    }];
    assert_eq!(check("narrow folders", &["execute/"], &wide), Ok(()));
    assert_eq!(
        check("narrow folders", &["report/"], &wide),
        Err("narrow folders
    execute/ has 18 files
  in: \"execute/\"
`report/` keeps this rule by now, so strike it from tests/architecture/known.rs: narrow folders
"
        .to_owned())
    );
}
