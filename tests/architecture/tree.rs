//! The modules of `src/` as the compiler sees them: what each defines, imports and names.

use std::collections::{BTreeMap, HashMap, HashSet};

/// An index into [`Tree::files`].
pub type FileId = usize;
/// An index into [`Tree::modules`].
pub type ModuleId = usize;

/// The modules of one library, and of its `main.rs`.
#[derive(Default)]
pub struct Tree {
    /// In the order of their paths.
    pub files: Vec<File>,
    /// The first is the library's root.
    pub modules: Vec<Module>,
    /// Where each macro by example is defined. Such a macro is in scope by the order of the text, which a
    /// path does not say.
    pub macros: HashMap<String, FileId>,
}

/// A source file.
pub struct File {
    /// Below `src/`: `execute/deploy.rs`.
    pub path: String,
    /// How many lines it has.
    pub lines: usize,
    /// How many of them are modules of tests within it.
    pub test_lines: usize,
    /// Compiled only for tests.
    pub test: bool,
    /// Declared by some module; a file that is not is no part of the program.
    pub declared: bool,
    /// Its functions, with those inside `impl` blocks and traits.
    pub functions: Vec<Function>,
}

/// A function and its size.
pub struct Function {
    /// `deploy`, or `Fleet::connect` in an `impl` block or a trait.
    pub name: String,
    /// The line of its `fn`.
    pub line: usize,
    /// From its `fn` to its closing brace.
    pub lines: usize,
    /// Compiled only for tests.
    pub test: bool,
}

/// A module, in a file of its own or within another's.
pub struct Module {
    pub parent: Option<ModuleId>,
    /// What `crate` is here: the root of the library or `main.rs`.
    pub root: ModuleId,
    pub file: FileId,
    /// What each name stands for. A name may be a module and a function at once.
    pub names: HashMap<String, Vec<Named>>,
    /// The paths of its `use …::*`.
    pub globs: Vec<Vec<String>>,
    /// Every word in the calls of item macros, as those may define what they name.
    pub generated: HashSet<String>,
    pub mentions: Vec<Mention>,
}

/// What a name in a module stands for.
#[derive(Clone)]
pub enum Named {
    /// A type, function, constant, trait or macro defined in this module.
    Item,
    Module(ModuleId),
    Import(Vec<String>),
}

/// A path somewhere in the code.
#[derive(Clone)]
pub struct Mention {
    /// Its words; a leading `::` is an empty one.
    pub path: Vec<String>,
    pub line: usize,
    /// In code that is compiled only for tests.
    pub test: bool,
    /// In a `pub use` of any visibility.
    pub reexport: bool,
    /// The name of a macro that is called.
    pub macro_call: bool,
}

impl Tree {
    /// The tree of these files, by their paths below `src/`.
    pub fn new(texts: &BTreeMap<String, String>) -> Self {
        let files = texts.iter().map(|(path, text)| File {
            path: path.clone(),
            lines: text.lines().count(),
            test_lines: 0,
            test: false,
            declared: false,
            functions: Vec::new(),
        });
        let mut tree = Self {
            files: files.collect(),
            ..Self::default()
        };
        for root in ["lib.rs", "main.rs"] {
            if texts.contains_key(root) {
                crate::read::root(root, texts, &mut tree);
            }
        }
        tree
    }

    /// A tree written in a test.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Self::new(&files.iter().map(owned).collect())
    }

    /// The file of this path below `src/`.
    pub fn file(&self, path: &str) -> Option<FileId> {
        self.files
            .binary_search_by(|file| file.path.as_str().cmp(path))
            .ok()
    }
}
