//! No crate of `Cargo.lock` has an advisory that `deny.toml` does not answer.
//!
//! The advisories are kept in `lab/advisories.toml`, so that this needs no network; `lab/advisories` renews them.
//! `make deny` asks for today's, and looks at licences and sources as well.

use std::collections::{BTreeMap, BTreeSet};

use semver::{Version, VersionReq};
use serde::Deserialize;

#[derive(Deserialize)]
struct Advisory {
    advisory: Facts,
    #[serde(default)]
    versions: Versions,
}

#[derive(Deserialize)]
struct Facts {
    id: String,
    package: String,
    #[serde(default)]
    withdrawn: Option<toml::Value>,
}

#[derive(Default, Deserialize)]
struct Versions {
    #[serde(default)]
    patched: Vec<VersionReq>,
    #[serde(default)]
    unaffected: Vec<VersionReq>,
}

impl Advisory {
    /// Whether it is about this version. A pre-release counts as the release that it leads to: a requirement such as
    /// `>= 0.10` names no pre-release otherwise.
    fn is_about(&self, version: &Version) -> bool {
        let release = Version {
            pre: semver::Prerelease::EMPTY,
            ..version.clone()
        };
        let is_in = |list: &[VersionReq]| list.iter().any(|wanted| wanted.matches(&release));
        self.advisory.withdrawn.is_none()
            && !is_in(&self.versions.patched)
            && !is_in(&self.versions.unaffected)
    }
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: Version,
}

#[derive(Deserialize)]
struct Deny {
    advisories: Answers,
}

#[derive(Deserialize)]
struct Answers {
    ignore: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    id: String,
    reason: String,
}

fn advisories(text: &str) -> Vec<Advisory> {
    let tables = text.split("\n[advisory]\n").skip(1);
    let one = |table: &str| toml::from_str(&format!("[advisory]\n{table}"));
    tables
        .map(|table| one(table).unwrap_or_else(|error| panic!("{error} in\n{table}")))
        .collect()
}

/// What is known of these crates: crate, version and advisory.
fn found(lock: &str, advisories: &[Advisory]) -> BTreeSet<(String, String)> {
    let lock: Lock = toml::from_str(lock).expect("a lock file");
    let mut of_crate = BTreeMap::<&str, Vec<&Advisory>>::new();
    for advisory in advisories {
        let of_this = of_crate.entry(&advisory.advisory.package);
        of_this.or_default().push(advisory);
    }
    let mut found = BTreeSet::new();
    for Locked { name, version } in &lock.package {
        let known = of_crate.get(name.as_str()).into_iter().flatten();
        for advisory in known.filter(|advisory| advisory.is_about(version)) {
            found.insert((
                advisory.advisory.id.clone(),
                format!("{name} {version}: {}", advisory.advisory.id),
            ));
        }
    }
    found
}

#[test]
fn every_advisory_about_a_locked_crate_is_answered() {
    let advisories = advisories(include_str!("../lab/advisories.toml"));
    let deny: Deny = toml::from_str(include_str!("../deny.toml")).expect("deny.toml");
    let answered: BTreeSet<_> = deny
        .advisories
        .ignore
        .iter()
        .map(|answer| &answer.id)
        .collect();
    let found = found(include_str!("../Cargo.lock"), &advisories);
    let open: Vec<_> = found
        .iter()
        .filter(|(id, _)| !answered.contains(id))
        .map(|(_, what)| what)
        .collect();
    assert!(open.is_empty(), "{open:#?}");
    for answer in &deny.advisories.ignore {
        assert!(!answer.reason.is_empty(), "{} without a reason", answer.id);
        let is_there = found.iter().any(|(id, _)| *id == answer.id);
        assert!(is_there, "{} is about no crate any more", answer.id);
    }
}

#[test]
fn a_locked_crate_of_an_affected_version_is_found() {
    let advisories = advisories(
        "# facts\n\n[advisory]\nid = \"A-1\"\npackage = \"bad\"\n[versions]\npatched = [\">= 1.2\"]\nunaffected = [\"< 1\"]\n\
         \n[advisory]\nid = \"A-2\"\npackage = \"worse\"\n[versions]\npatched = []\n",
    );
    for (name, version, expected) in [
        ("bad", "0.9.0", None),
        ("bad", "1.0.0", Some("A-1")),
        ("bad", "1.2.0-rc.1", None),
        ("worse", "7.0.0", Some("A-2")),
        ("good", "1.0.0", None),
    ] {
        let lock = format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
        let found = found(&lock, &advisories);
        let ids: Vec<_> = found.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, Vec::from_iter(expected), "{name} {version}");
    }
}

#[test]
fn every_crate_that_touches_keys_was_read_in_its_locked_version() {
    let page = include_str!("../docs/dependencies.md");
    let lock: Lock = toml::from_str(include_str!("../Cargo.lock")).expect("Cargo.lock");
    let mut read = 0;
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`');
        let versions: BTreeSet<_> = cells[2].split(", ").map(str::to_owned).collect();
        let locked = lock.package.iter().filter(|locked| locked.name == name);
        let locked: BTreeSet<_> = locked.map(|locked| locked.version.to_string()).collect();
        assert_eq!(versions, locked, "docs/dependencies.md: `{name}`");
        read += 1;
    }
    assert!(read > 10, "{read} crates");
}
