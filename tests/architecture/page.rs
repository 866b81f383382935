//! The tables of `docs/ARCHITECTURE.md`, and what breaks them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    example,
    names::Names,
    repository::{PAGE, SOURCE},
    rule::{Violation, hold, shown},
    tree::{FileId, Tree},
};

/// The first cell of each row and the names in its last one, in the order of the page.
pub type Table = Vec<(String, BTreeSet<String>)>;

/// What the page says of `src/`.
pub struct Page {
    /// The modules and which others each may use. A module may be a path, as `rollout/machine`: a file
    /// belongs to the deepest row above it.
    pub modules: Table,
    /// The libraries with a home, and the modules that are it.
    pub libraries: Table,
    /// The modules that do no I/O and read no clock. A deeper row that is not among them may.
    pub pure: BTreeSet<String>,
}

impl Page {
    /// Reads the text of the page.
    ///
    /// # Panics
    ///
    /// When a table or the sentence about I/O is not there.
    pub fn new(text: &str) -> Self {
        let paragraph = text.split("\n\n").find_map(|paragraph| {
            let words = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
            let (modules, _) = words.split_once("do no I/O and read no clock")?;
            Some(names(modules))
        });
        Self {
            modules: table(text, "module", "may use"),
            libraries: table(text, "library", "only in"),
            pure: paragraph.expect("a paragraph with `… do no I/O and read no clock`"),
        }
    }

    /// Whether a file is in a module that does no I/O, and in no deeper row that may.
    pub fn is_pure(&self, file: &str, row: Option<&&str>) -> bool {
        let around = self.pure.iter().filter(|module| is_in(file, module));
        let deepest = around.map(String::len).max();
        deepest.is_some_and(|deepest| row.is_none_or(|row| row.len() <= deepest))
    }

    /// The row of each file that has one. `lib.rs` and `main.rs` have none.
    pub fn rows(&self, tree: &Tree) -> BTreeMap<FileId, &str> {
        let rows = tree.files.iter().enumerate().filter_map(|(id, file)| {
            let rows = self.modules.iter().map(|(row, _)| row.as_str());
            let above = rows.filter(|row| is_in(&file.path, row));
            Some((id, above.max_by_key(|row| row.len())?))
        });
        rows.collect()
    }
}

/// Whether a file is this module or below it: `rollout/machine/mod.rs` is in `rollout/machine`.
pub fn is_in(file: &str, module: &str) -> bool {
    let rest = file.strip_prefix(module);
    rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// The names in backticks.
fn names(text: &str) -> BTreeSet<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

/// The table whose header's first and last cell are these.
fn table(page: &str, first: &str, last: &str) -> Table {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        let cells = inner.split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    let is_header = |line: &&str| {
        let cells = cells(line);
        line.starts_with('|') && cells[0] == first && cells[cells.len() - 1] == last
    };
    let rows = page.lines().skip_while(|line| !is_header(line)).skip(2);
    let rows: Table = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = cells(line);
            let name = names(&cells[0]).pop_first();
            let name = name.expect("a name in each row");
            (name, names(&cells[cells.len() - 1]))
        })
        .collect();
    assert!(!rows.is_empty(), "no table `{first} | … | {last}`");
    rows
}

/// Files without a row, rows without a file, and rows that may use what is not above them.
pub fn incomplete(page: &Page, tree: &Tree) -> Vec<Violation> {
    let rows = page.rows(tree);
    let mut found = Vec::new();
    let mut wrong = |place: &str, evidence: String| {
        found.push(Violation {
            place: place.to_owned(),
            evidence,
        });
    };
    for (id, file) in tree.files.iter().enumerate() {
        if !rows.contains_key(&id) && !["lib.rs", "main.rs"].contains(&file.path.as_str()) {
            wrong(&file.path, format!("    {} is in no row", file.path));
        }
    }
    let mut above = BTreeSet::new();
    for (row, may_use) in &page.modules {
        if !rows.values().any(|used| used == row) {
            wrong(row, format!("    `{row}` has no file"));
        }
        for used in may_use.difference(&above) {
            wrong(
                row,
                format!("    `{row}` may use `{used}`, which is no row above it"),
            );
        }
        if !above.insert(row.clone()) {
            wrong(row, format!("    `{row}` has two rows"));
        }
    }
    for module in &page.pure {
        if !tree.files.iter().any(|file| is_in(&file.path, module)) {
            wrong(
                module,
                format!("    `{module}` does no I/O, and has no file"),
            );
        }
    }
    found
}

/// Who may use a module may use those in it as well: `transport` is also `transport/session`.
fn covers(module: &str, row: &str) -> bool {
    let rest = row.strip_prefix(module);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Uses between modules that the table lacks, and what it allows in vain. Tests count, too.
pub fn forbidden_uses(page: &Page, tree: &Tree, names: &Names) -> Vec<Violation> {
    let rows = page.rows(tree);
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for edge in &names.edges {
        let (Some(from), Some(to)) = (rows.get(&edge.from), rows.get(&edge.to)) else {
            continue;
        };
        if from == to {
            continue;
        }
        seen.insert((*from, *to));
        let row = page.modules.iter().find(|(row, _)| row == from);
        let allowed = row.is_some_and(|(_, may_use)| may_use.iter().any(|used| covers(used, to)));
        if !allowed {
            let place = &tree.files[edge.from].path;
            found.push(Violation {
                place: place.clone(),
                evidence: format!(
                    "    {place}:{}: `{from}` uses `{to}`: {}",
                    edge.line, edge.path
                ),
            });
        }
    }
    for (row, may_use) in &page.modules {
        for used in may_use {
            if !seen
                .iter()
                .any(|(from, to)| from == row && covers(used, to))
            {
                found.push(Violation {
                    place: row.clone(),
                    evidence: format!("    `{row}` may use `{used}`, and does not"),
                });
            }
        }
    }
    found
}

#[test]
fn every_module_has_a_row_and_may_use_only_rows_above_it() {
    let small = Tree::of(&example::SOURCE);
    assert_eq!(shown(&incomplete(&example::page(), &small)), "");
    let broken = example::PAGE
        .replace("`event` and", "`clock`, `event` and")
        .replace("| `event` | what happens | – |\n", "")
        .replace("decides | – |", "decides | `rollout` |")
        .replace(
            "| `transport` | SSH | `event` |\n",
            "| `transport` | SSH | – |\n| `facts` | – | – |\n",
        );
    assert_eq!(
        shown(&incomplete(&Page::new(&broken), &small)),
        "    event.rs is in no row
    `rollout/machine` may use `rollout`, which is no row above it
    `facts` has no file
    `clock` does no I/O, and has no file"
    );

    let (tree, _) = &*SOURCE;
    hold(
        "every module has a row in docs/ARCHITECTURE.md, and may use only rows above it",
        &[],
        &incomplete(&PAGE, tree),
    );
}

#[test]
fn modules_use_what_the_table_lets_them() {
    let small = example::page();
    let (tree, names) = example::source();
    assert_eq!(shown(&forbidden_uses(&small, &tree, &names)), "");
    let (tree, names) = example::source_with(
        "rollout/machine/mod.rs",
        "use crate::transport::run;\npub fn step() { run(); }",
    );
    assert_eq!(
        shown(&forbidden_uses(&small, &tree, &names)),
        "    rollout/machine/mod.rs:1: `rollout/machine` uses `transport`: crate::transport::run
    rollout/machine/mod.rs:2: `rollout/machine` uses `transport`: run"
    );
    let (tree, names) = example::source_with("rollout/mod.rs", "mod machine;\nuse machine::step;");
    assert_eq!(
        shown(&forbidden_uses(&small, &tree, &names)),
        "    `rollout` may use `transport`, and does not"
    );

    // `rollout` may use `transport` and so what is in it, and its own `machine` only where its row says so.
    let deeper = example::PAGE
        .replace(
            "| `transport` | SSH | `event` |",
            "| `transport/session` | SSH | `event` |\n| `transport` | lists | `transport/session` |",
        )
        .replace("does | `rollout/machine`, ", "does | ");
    let (tree, names) = example::source();
    assert_eq!(
        shown(&forbidden_uses(&Page::new(&deeper), &tree, &names)),
        "    rollout/mod.rs:3: `rollout` uses `rollout/machine`: machine::step"
    );

    let (tree, names) = &*SOURCE;
    hold(
        "modules use what docs/ARCHITECTURE.md lets them",
        &[],
        &forbidden_uses(&PAGE, tree, names),
    );
}
