//! Where other crates are used, and what looks at the world outside.

use crate::{
    example,
    names::Names,
    page::{Page, is_in},
    repository::{PAGE, SOURCE},
    rule::{Violation, hold, shown},
    tree::Tree,
};

/// Libraries used away from their homes, and those that nothing uses.
pub fn libraries_away_from_home(page: &Page, tree: &Tree, names: &Names) -> Vec<Violation> {
    let mut found = Vec::new();
    for (library, homes) in &page.libraries {
        let uses = names.outside.iter().filter(|used| used.path[0] == *library);
        let uses: Vec<_> = uses.filter(|used| used.path.len() > 1).collect();
        if uses.is_empty() {
            found.push(Violation {
                place: library.clone(),
                evidence: format!("    nothing uses `{library}`"),
            });
        }
        for used in uses {
            let place = &tree.files[used.file].path;
            if !homes.iter().any(|home| is_in(place, home)) {
                found.push(Violation {
                    place: place.clone(),
                    evidence: format!("    {place}:{}: `{library}`", used.line),
                });
            }
        }
    }
    found
}

/// What looks at the world outside.
const WORLD: [&str; 14] = [
    "hyper",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "russh",
    "std::env",
    "std::fs",
    "std::io::stdin",
    "std::io::stdout",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant::now",
    "std::time::SystemTime",
    "tokio",
];

/// What is below one of them and is a value all the same: an address is not a connection.
const VALUES: [&str; 3] = [
    "std::net::IpAddr",
    "std::net::Ipv4Addr",
    "std::net::Ipv6Addr",
];

/// Looks at the world in modules that decide. Tests may look: the quoting of commands is tested with a
/// real shell, plans with files in a temporary folder.
pub fn impure(page: &Page, tree: &Tree, names: &Names) -> Vec<Violation> {
    let rows = page.rows(tree);
    let outside = names.outside.iter().filter(|used| !used.test);
    let pure =
        outside.filter(|used| page.is_pure(&tree.files[used.file].path, rows.get(&used.file)));
    let looks = pure.filter_map(|used| {
        let path = used.path.join("::");
        let is_below = |world: &str| {
            let rest = path.strip_prefix(world);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        WORLD.iter().find(|world| is_below(world))?;
        if VALUES.iter().any(|value| is_below(value)) {
            return None;
        }
        let place = &tree.files[used.file].path;
        Some(Violation {
            place: place.clone(),
            evidence: format!("    {place}:{}: `{path}`", used.line),
        })
    });
    looks.collect()
}

#[test]
fn libraries_stay_in_their_homes() {
    let small = example::page();
    let (tree, names) = example::source();
    assert_eq!(shown(&libraries_away_from_home(&small, &tree, &names)), "");
    let (tree, names) = example::source_with(
        "event.rs",
        "use russh::{self as ssh, Channel};\npub struct Event(ssh::Key);",
    );
    assert_eq!(
        shown(&libraries_away_from_home(&small, &tree, &names)),
        "    event.rs:1: `russh`\n    event.rs:2: `russh`"
    );
    let (tree, names) = example::source_with("transport/session.rs", "pub fn run() {}");
    assert_eq!(
        shown(&libraries_away_from_home(&small, &tree, &names)),
        "    nothing uses `russh`"
    );

    let (tree, names) = &*SOURCE;
    hold(
        "libraries stay in their homes",
        &[],
        &libraries_away_from_home(&PAGE, tree, names),
    );
}

/// What is decided is decided without a look at the world, so that it can be tested as a function.
#[test]
fn what_decides_does_no_io_and_reads_no_clock() {
    let small = example::page();
    let (tree, names) = example::source_with(
        "rollout/machine/mod.rs",
        "use std::{collections::BTreeMap, fs, time};
pub fn step() { let now = time::Instant::now(); }
#[cfg(test)]
mod tests { use std::process::Command; }",
    );
    assert_eq!(
        shown(&impure(&small, &tree, &names)),
        "    rollout/machine/mod.rs:1: `std::fs`
    rollout/machine/mod.rs:2: `std::time::Instant::now`"
    );
    let (tree, names) =
        example::source_with("rollout/mod.rs", "mod machine;\nuse tokio::time::sleep;");
    assert_eq!(shown(&impure(&small, &tree, &names)), "");
    let (tree, names) = example::source_with(
        "rollout/machine/mod.rs",
        "use std::net::{IpAddr, TcpStream};\npub fn step(ip: IpAddr) {}",
    );
    assert_eq!(
        shown(&impure(&small, &tree, &names)),
        "    rollout/machine/mod.rs:1: `std::net::TcpStream`"
    );

    let (tree, names) = &*SOURCE;
    hold(
        "what decides does no I/O and reads no clock",
        &[],
        &impure(&PAGE, tree, names),
    );
}
