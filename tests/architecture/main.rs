//! `docs/ARCHITECTURE.md` says which module may use which, and where some libraries live. This reads its
//! tables and holds `src/` against them, so that neither can drift from the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What the doc says of each module, in its order.
type Table = Vec<(String, BTreeSet<String>)>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The table whose header's first and last cell are these: its rows' first and last cell, as the names in
/// backticks.
fn table(first: &str, last: &str) -> Table {
    let doc = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("the doc");
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        inner
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let is_header = |line: &&str| {
        let cells = cells(line);
        line.starts_with('|') && cells[0] == first && cells[cells.len() - 1] == last
    };
    let rows: Table = doc
        .lines()
        .skip_while(|line| !is_header(line))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = cells(line);
            let name = names(&cells[0]).pop_first().expect("a name in each row");
            (name, names(&cells[cells.len() - 1]))
        })
        .collect();
    assert!(
        !rows.is_empty(),
        "docs/ARCHITECTURE.md has no table `{first} | … | {last}`"
    );
    rows
}

/// A source file, without its comments.
struct Source {
    path: PathBuf,
    /// `["execute", "operate", "down"]`; empty for `lib` and `main`.
    module: Vec<String>,
    code: String,
}

impl Source {
    fn top(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join("src"), &mut found);
    assert!(found.len() > 50, "only {} files in src/", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).expect("a folder");
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root().join("src")).expect("below src");
            let module = relative
                .with_extension("")
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .filter(|part| !["mod", "lib", "main"].contains(&part.as_str()))
                .collect();
            let text = fs::read_to_string(&path).expect("a source file");
            let code = text
                .lines()
                .map(|line| without_comment(line).to_owned() + "\n")
                .collect();
            found.push(Source { path, module, code });
        }
    }
}

/// A line up to `//`, unless that follows a colon, as in a URL.
fn without_comment(line: &str) -> &str {
    let comment = line
        .match_indices("//")
        .find(|(at, _)| !line[..*at].ends_with(':'));
    comment.map_or(line, |(at, _)| &line[..at])
}

/// The modules that a file names after `crate::`, in `use` and elsewhere, and after enough `super::` to
/// get to the root.
fn uses(source: &Source) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, prefix) in source.code.match_indices("crate::") {
        let before = source.code[..at].chars().next_back();
        if !before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            used.extend(heads(&source.code[at + prefix.len()..]));
        }
    }
    // `super` of `src/x.rs` is the root; a test module within a file is one deeper, and there the names
    // after it are the file's own.
    let climb = "super::".repeat(source.module.len().max(1));
    for (at, prefix) in source.code.match_indices(&climb) {
        used.extend(heads(&source.code[at + prefix.len()..]));
    }
    used
}

/// The first names of a path or of each path of a group: `{a::b, c}` gives `a` and `c`.
fn heads(path: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let mut depth = 0;
    let mut starts = vec![0];
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => starts.push(at + 1),
            _ => {}
        }
    }
    starts
        .into_iter()
        .map(|at| name(&group[at..]))
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn every_module_is_in_the_table_and_uses_only_rows_above_it() {
    let table = table("module", "may use");
    let listed: BTreeSet<_> = table.iter().map(|(module, _)| module.clone()).collect();
    let there: BTreeSet<_> = sources()
        .iter()
        .filter_map(|source| source.top().map(str::to_owned))
        .collect();
    assert_eq!(listed, there, "left: the table; right: src/");
    assert_eq!(listed.len(), table.len(), "a module has two rows");

    let mut above = BTreeSet::new();
    for (module, may_use) in &table {
        let below: Vec<_> = may_use.difference(&above).collect();
        assert!(
            below.is_empty(),
            "`{module}` may use {below:?}, which no row above it is"
        );
        above.insert(module.clone());
    }
}

#[test]
fn modules_use_what_the_table_lets_them() {
    let table = table("module", "may use");
    let allowed: BTreeMap<_, _> = table.iter().cloned().collect();
    let mut seen = BTreeMap::<String, BTreeSet<String>>::new();
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(top) = source.top() else { continue };
        for used in uses(&source) {
            if used == top || !allowed.contains_key(&used) {
                continue;
            }
            if !allowed[top].contains(&used) {
                wrong.push(format!("{}: `{top}` uses `{used}`", source.path.display()));
            }
            seen.entry(top.to_owned()).or_default().insert(used);
        }
    }
    assert!(
        wrong.is_empty(),
        "not in docs/ARCHITECTURE.md:\n{}",
        wrong.join("\n")
    );
    for (module, may_use) in table {
        let uses = seen.remove(&module).unwrap_or_default();
        let unused: Vec<_> = may_use.difference(&uses).collect();
        assert!(
            unused.is_empty(),
            "the table lets `{module}` use {unused:?}, and it does not"
        );
    }
}

#[test]
fn libraries_stay_in_their_homes() {
    let mut wrong = Vec::new();
    let sources = sources();
    for (library, homes) in table("library", "only in") {
        let mut used = 0;
        for source in &sources {
            let names_it = source.code.match_indices(&library).any(|(at, _)| {
                let before = source.code[..at].chars().next_back();
                let after = &source.code[at + library.len()..];
                !before.is_some_and(|c| c.is_alphanumeric() || "_\"`-".contains(c))
                    && after.starts_with("::")
            });
            if !names_it {
                continue;
            }
            used += 1;
            if !source.top().is_some_and(|top| homes.contains(top)) {
                wrong.push(format!("{}: `{library}`", source.path.display()));
            }
        }
        assert!(used > 0, "nothing uses `{library}`");
    }
    assert!(
        wrong.is_empty(),
        "libraries away from home:\n{}",
        wrong.join("\n")
    );
}

/// What is decided is decided without a look at the world, so that it can be tested as a function.
#[test]
fn what_decides_does_no_io_and_reads_no_clock() {
    const PURE: [&str; 7] = [
        "command",
        "docker",
        "facts",
        "plan",
        "release",
        "rollout/machine",
        "text",
    ];
    const WORLD: [&str; 9] = [
        "tokio::",
        "hyper::",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
    ];
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for source in sources() {
        let path = source.module.join("/");
        let room = PURE.iter().find(|room| {
            let rest = path.strip_prefix(*room);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let Some(room) = room else { continue };
        seen.insert((*room).to_owned());
        // Tests may look at the world: the quoting of commands is tested with a real shell, plans with
        // files in a temporary folder. They stand in a module of the file or in a folder of their own.
        if source
            .path
            .components()
            .any(|part| part.as_os_str() == "tests")
        {
            continue;
        }
        let code = source.code.split("#[cfg(test)]").next().unwrap_or_default();
        let found = WORLD.iter().filter(|word| code.contains(*word));
        wrong.extend(found.map(|word| format!("{}: `{word}`", source.path.display())));
    }
    assert_eq!(seen.len(), PURE.len(), "{seen:?}");
    assert!(wrong.is_empty(), "not pure:\n{}", wrong.join("\n"));
}

#[test]
fn paths_are_read_as_the_compiler_reads_them() {
    let source = |module: &[&str], code: &str| Source {
        path: "x.rs".into(),
        module: module.iter().map(|part| (*part).to_owned()).collect(),
        code: code
            .lines()
            .map(|line| without_comment(line).to_owned() + "\n")
            .collect(),
    };
    let uses = |module: &[&str], code| uses(&source(module, code)).into_iter().collect::<Vec<_>>();
    assert_eq!(
        uses(
            &["plan"],
            "use crate::{\n    docker::{A, B},\n    text,\n};"
        ),
        ["docker", "text"]
    );
    assert_eq!(
        uses(&["plan"], "fn f() { crate::transport::dial() }"),
        ["transport"]
    );
    assert_eq!(uses(&["plan"], "use super::event::Event;"), ["event"]);
    assert_eq!(
        uses(&["plan", "build"], "use super::super::event;"),
        ["event"]
    );
    assert!(
        uses(
            &["plan", "build"],
            "// crate::report\nuse super::Input; // as crate::event"
        )
        .is_empty()
    );
}
