//! Files that use each other in a circle.

use std::collections::{BTreeMap, VecDeque, btree_map::Entry};

use crate::{
    known,
    names::{Edge, Names},
    repository::SOURCE,
    rule::{Violation, hold},
    tree::{FileId, Tree},
};

/// The uses between files in what is shipped; for each pair of files the first line.
struct Graph<'a> {
    tree: &'a Tree,
    uses: BTreeMap<FileId, BTreeMap<FileId, &'a Edge>>,
}

/// Every file that is part of a circle, with the shortest circle through it. Those in short circles come
/// first, as their mending often mends the long ones.
pub fn circles(tree: &Tree, names: &Names) -> Vec<Violation> {
    let mut uses = BTreeMap::<FileId, BTreeMap<FileId, &Edge>>::new();
    for edge in names
        .edges
        .iter()
        .filter(|edge| !edge.test && !edge.reexport)
    {
        let first = uses
            .entry(edge.from)
            .or_default()
            .entry(edge.to)
            .or_insert(edge);
        if edge.line < first.line {
            *first = edge;
        }
    }
    let graph = Graph { tree, uses };
    let mut found = Vec::new();
    for start in 0..tree.files.len() {
        if let Some(circle) = graph.shortest(start) {
            let place = tree.files[start].path.clone();
            let evidence = graph.shown(&circle);
            found.push((circle.len(), Violation { place, evidence }));
        }
    }
    found.sort_by_key(|(length, _)| *length);
    found.into_iter().map(|(_, violation)| violation).collect()
}

impl Graph<'_> {
    /// The shortest circle through a file, from its smallest path on, so that each of its files shows the
    /// same one.
    fn shortest(&self, start: FileId) -> Option<Vec<FileId>> {
        let mut before = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(file) = queue.pop_front() {
            for &next in self.uses.get(&file).into_iter().flat_map(BTreeMap::keys) {
                if next == start {
                    let mut circle = vec![file];
                    while let Some(&earlier) = before.get(&circle[0]) {
                        circle.insert(0, earlier);
                    }
                    let smallest = circle.iter().enumerate().min_by_key(|(_, file)| **file);
                    let first = smallest.map_or(0, |(at, _)| at);
                    circle.rotate_left(first);
                    return Some(circle);
                }
                if let Entry::Vacant(unseen) = before.entry(next) {
                    unseen.insert(file);
                    queue.push_back(next);
                }
            }
        }
        None
    }

    /// A line for each use: `plan/build.rs:7 uses plan/mod.rs: super::Input`.
    fn shown(&self, circle: &[FileId]) -> String {
        let next = circle.iter().cycle().skip(1);
        let uses = circle.iter().zip(next).map(|(from, to)| {
            let edge = self.uses[from][to];
            let [from, to] = [from, to].map(|file| &self.tree.files[*file].path);
            format!("    {from}:{} uses {to}: {}", edge.line, edge.path)
        });
        let uses = uses.collect::<Vec<_>>().join("\n");
        format!("  a circle of {}:\n{uses}", circle.len())
    }
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    // `slot.rs` is in two circles; the shorter one is shown.
    let (tree, names) = Names::with(Tree::of(&[
        ("lib.rs", "mod driver; mod gate; mod probe; mod slot;"),
        (
            "driver.rs",
            "use crate::gate::open;\npub fn drive() {\n    open();\n}",
        ),
        ("gate.rs", "pub fn open() {\n    crate::slot::start();\n}"),
        (
            "slot.rs",
            "use crate::{\n    driver::drive,\n    probe::look,\n};\npub fn start() {\n    drive();\n    look();\n}",
        ),
        ("probe.rs", "pub fn look() {\n    crate::slot::start()\n}"),
    ]));
    let found = circles(&tree, &names);
    let shown: Vec<_> = found
        .iter()
        .map(|found| (found.place.as_str(), found.evidence.as_str()))
        .collect();
    let long = "  a circle of 3:
    driver.rs:1 uses gate.rs: crate::gate::open
    gate.rs:2 uses slot.rs: crate::slot::start
    slot.rs:2 uses driver.rs: crate::driver::drive";
    let short = "  a circle of 2:
    probe.rs:2 uses slot.rs: crate::slot::start
    slot.rs:3 uses probe.rs: crate::probe::look";
    assert_eq!(
        shown,
        [
            ("probe.rs", short),
            ("slot.rs", short),
            ("driver.rs", long),
            ("gate.rs", long)
        ]
    );

    let (tree, names) = &*SOURCE;
    hold(
        "no files use each other in a circle",
        known::CIRCLES,
        &circles(tree, names),
    );
}
