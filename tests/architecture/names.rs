//! What each path leads to: through imports and re-exports to the file that defines the item.

use crate::{
    repository::SOURCE,
    tree::{FileId, Mention, ModuleId, Named, Tree},
};

/// What a path leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    Module(ModuleId),
    /// An item that this file defines.
    Item(FileId),
    /// A path into another crate, by the names that it has there.
    External(Vec<String>),
}

/// One file names an item of another.
#[derive(Clone, Debug)]
pub struct Edge {
    pub from: FileId,
    pub to: FileId,
    /// The line in `from`.
    pub line: usize,
    /// The path as it stands there, or as the block around it imports it.
    pub path: String,
    /// In code that is compiled only for tests.
    pub test: bool,
    /// A `pub use`, which says where an item is and does nothing with it.
    pub reexport: bool,
}

/// A path into another crate.
pub struct Outside {
    pub file: FileId,
    pub line: usize,
    /// `["std", "fs", "read"]`, however it is imported.
    pub path: Vec<String>,
    pub test: bool,
}

/// What all paths of a tree lead to.
#[derive(Default)]
pub struct Names {
    pub edges: Vec<Edge>,
    pub outside: Vec<Outside>,
    /// Paths into this crate that lead nowhere: what the compiler understands and this does not.
    pub lost: Vec<String>,
}

impl Names {
    /// What the paths of this tree lead to.
    pub fn of(tree: &Tree) -> Self {
        let mut names = Self::default();
        for (id, module) in tree.modules.iter().enumerate() {
            for mention in &module.mentions {
                names.follow(tree, id, mention);
            }
        }
        names
    }

    /// A tree beside its names.
    pub fn with(tree: Tree) -> (Tree, Self) {
        let names = Self::of(&tree);
        (tree, names)
    }

    fn follow(&mut self, tree: &Tree, module: ModuleId, mention: &Mention) {
        let from = tree.modules[module].file;
        let path = mention.path.join("::");
        let Some(targets) = resolve(tree, module, &mention.path, &mut Vec::new()) else {
            let file = &tree.files[from].path;
            self.lost.push(format!("{file}:{}: `{path}`", mention.line));
            return;
        };
        for target in targets {
            let to = match target {
                Target::Item(file) => file,
                Target::External(words) => {
                    let known = tree.macros.get(&words[0]);
                    let by_example = known.filter(|_| mention.macro_call && words.len() == 1);
                    let Some(&file) = by_example else {
                        self.outside.push(Outside {
                            file: from,
                            line: mention.line,
                            path: words,
                            test: mention.test,
                        });
                        continue;
                    };
                    file
                }
                Target::Module(_) => continue,
            };
            if to != from {
                self.edges.push(Edge {
                    from,
                    to,
                    line: mention.line,
                    path: path.clone(),
                    test: mention.test,
                    reexport: mention.reexport,
                });
            }
        }
    }
}

/// A name that is being looked up, to end where imports go round: the module, the name, and whether what
/// contains others is looked for.
type Asked = (ModuleId, String, bool);

/// What a path in a module leads to; nothing when it starts in this crate and ends nowhere.
fn resolve(
    tree: &Tree,
    module: ModuleId,
    path: &[String],
    asked: &mut Vec<Asked>,
) -> Option<Vec<Target>> {
    let here = &tree.modules[module];
    let single = path.len() == 1;
    let mut found = match path[0].as_str() {
        "" => return Some(vec![Target::External(path[1..].to_vec())]),
        "crate" => vec![Target::Module(here.root)],
        "self" => vec![Target::Module(module)],
        "super" => vec![Target::Module(here.parent?)],
        name => lookup(tree, module, name, !single, asked),
    };
    if found.is_empty() {
        if path[0] != env!("CARGO_PKG_NAME") {
            return Some(vec![Target::External(path.to_vec())]);
        }
        // `main.rs` and macros name the library as another crate would.
        found = vec![Target::Module(0)];
    }
    for (at, word) in path.iter().enumerate().skip(1) {
        let mut container = None;
        for target in &found {
            match target {
                Target::Module(module) => container = Some(*module),
                Target::External(before) => {
                    let words = before.iter().chain(&path[at..]).cloned().collect();
                    return Some(vec![Target::External(words)]);
                }
                Target::Item(_) => {}
            }
        }
        let inside = match (container, word.as_str()) {
            (Some(module), "super") => vec![Target::Module(tree.modules[module].parent?)],
            (Some(module), name) => lookup(tree, module, name, at + 1 < path.len(), asked),
            (None, _) => Vec::new(),
        };
        if inside.is_empty() {
            // A variant, a method or a constant of a type, if there is one.
            found.retain(|target| matches!(target, Target::Item(_)));
            return (!found.is_empty()).then_some(found);
        }
        found = inside;
    }
    Some(found)
}

/// What a name stands for in a module. A name in the middle of a path (`contains`) is a module rather than
/// a function of the same name.
fn lookup(
    tree: &Tree,
    module: ModuleId,
    name: &str,
    contains: bool,
    asked: &mut Vec<Asked>,
) -> Vec<Target> {
    let question = (module, name.to_owned(), contains);
    if asked.contains(&question) {
        return Vec::new();
    }
    asked.push(question);
    let found = lookup_once(tree, module, name, contains, asked);
    asked.pop();
    found
}

fn lookup_once(
    tree: &Tree,
    module: ModuleId,
    name: &str,
    contains: bool,
    asked: &mut Vec<Asked>,
) -> Vec<Target> {
    let here = &tree.modules[module];
    let named = here.names.get(name).map_or(&[][..], Vec::as_slice);
    if contains && let Some(inner) = named.iter().find_map(as_module) {
        return vec![Target::Module(inner)];
    }
    let mut found = Vec::new();
    for named in named {
        match named {
            Named::Item => found.push(Target::Item(here.file)),
            Named::Module(inner) => found.push(Target::Module(*inner)),
            Named::Import(path) => {
                found.extend(resolve(tree, module, path, asked).unwrap_or_default());
            }
        }
    }
    for glob in &here.globs {
        if !found.is_empty() {
            break;
        }
        for target in resolve(tree, module, glob, asked).unwrap_or_default() {
            if let Target::Module(other) = target {
                found.extend(lookup(tree, other, name, contains, asked));
            }
        }
    }
    if found.is_empty() && here.generated.contains(name) {
        found.push(Target::Item(here.file));
    }
    // `use name;` of a macro by example finds itself first.
    if found.iter().any(|target| matches!(target, Target::Item(_))) {
        found.retain(|target| !matches!(target, Target::External(_)));
    }
    found
}

fn as_module(named: &Named) -> Option<ModuleId> {
    match named {
        Named::Module(module) => Some(*module),
        _ => None,
    }
}

#[test]
fn every_file_is_a_module_and_every_path_leads_somewhere() {
    let (tree, names) = Names::with(Tree::of(&[
        ("lib.rs", "mod plan;"),
        ("plan.rs", "use crate::facts::Facts;"),
        ("left_over.rs", ""),
    ]));
    assert_eq!(undeclared(&tree), ["left_over.rs"]);
    assert_eq!(names.lost, ["plan.rs:1: `crate::facts::Facts`"]);

    let (tree, names) = &*SOURCE;
    assert!(
        undeclared(tree).is_empty(),
        "in no module: {:?}",
        undeclared(tree)
    );
    assert!(
        names.lost.is_empty(),
        "this test does not know what these stand for:\n{}",
        names.lost.join("\n")
    );
}

fn undeclared(tree: &Tree) -> Vec<&str> {
    let undeclared = tree.files.iter().filter(|file| !file.declared);
    undeclared.map(|file| file.path.as_str()).collect()
}
