//! How large functions, files and folders are.

use std::collections::BTreeMap;

use crate::{
    example, known,
    repository::SOURCE,
    rule::{Violation, hold, shown},
    tree::{Function, Tree},
};

const LINES_OF_A_FUNCTION: usize = 80;
const LINES_OF_A_FILE: usize = 400;
const FILES_OF_A_FOLDER: usize = 12;

/// Files that may be longer because they are tables of data, each with what it lists.
const TABLES: &[(&str, &str)] = &[];

/// Functions with more lines than this, from `fn` to the closing brace.
pub fn long_functions(tree: &Tree, most: usize) -> Vec<Violation> {
    let functions = tree.files.iter().flat_map(|file| {
        let functions = file.functions.iter();
        functions.map(move |function| (&file.path, function))
    });
    let long = functions.filter(|(_, function)| !function.test && function.lines > most);
    let violation = |(path, function): (&String, &Function)| {
        let place = format!("{path} {}", function.name);
        let evidence = format!(
            "    {path}:{}: `{}` has {} lines",
            function.line, function.name, function.lines
        );
        Violation { place, evidence }
    };
    long.map(violation).collect()
}

/// Files with more lines than this that are neither tests nor tables of data.
pub fn long_files(tree: &Tree, most: usize, tables: &[(&str, &str)]) -> Vec<Violation> {
    let is_table = |path: &str| tables.iter().any(|(table, _)| *table == path);
    let long = tree.files.iter().filter(|file| file.lines > most);
    long.filter(|file| !file.test && !is_table(&file.path))
        .map(|file| Violation {
            place: file.path.clone(),
            evidence: format!(
                "    {} has {} lines, {} of them tests",
                file.path, file.lines, file.test_lines
            ),
        })
        .collect()
}

/// Folders with more files side by side than this.
pub fn wide_folders(tree: &Tree, most: usize) -> Vec<Violation> {
    let mut folders = BTreeMap::<&str, usize>::new();
    for file in &tree.files {
        let folder = file.path.rsplit_once('/').map_or(".", |(folder, _)| folder);
        *folders.entry(folder).or_default() += 1;
    }
    let wide = folders.into_iter().filter(|(_, files)| *files > most);
    wide.map(|(folder, files)| Violation {
        place: format!("{folder}/"),
        evidence: format!("    {folder}/ has {files} files side by side"),
    })
    .collect()
}

#[test]
fn no_function_is_long() {
    let source = "/// A long one.
#[must_use]
pub fn long() {
    1;
    2;
}
impl Fleet {
    async fn connect(
        &self,
    ) {
        1;
    }
    fn short() {}
}
#[test]
fn a_transcript() {
    1;
    2;
}";
    let small = Tree::of(&[("lib.rs", source)]);
    assert_eq!(
        shown(&long_functions(&small, 3)),
        "    lib.rs:3: `long` has 4 lines\n    lib.rs:8: `Fleet::connect` has 5 lines"
    );

    let (tree, _) = &*SOURCE;
    hold(
        "a function has at most 80 lines",
        known::LONG_FUNCTIONS,
        &long_functions(tree, LINES_OF_A_FUNCTION),
    );
}

#[test]
fn no_file_is_long() {
    let small = Tree::of(&[
        (
            "lib.rs",
            "mod short;\nmod words;\n#[cfg(test)]\nmod tests {\n    fn test() {}\n}",
        ),
        ("short.rs", "\n\n\n"),
        ("words.rs", "#[cfg(test)]\nmod tests;\n\n\n"),
        ("words/tests.rs", "\n\n\n\n\n"),
    ]);
    let table = [("words.rs", "all the words")];
    assert_eq!(
        shown(&long_files(&small, 3, &table)),
        "    lib.rs has 6 lines, 3 of them tests"
    );

    let (tree, _) = &*SOURCE;
    let long = |path: &str| {
        tree.file(path)
            .is_some_and(|file| tree.files[file].lines > LINES_OF_A_FILE)
    };
    for (table, what) in TABLES {
        assert!(
            long(table),
            "{table}, a table of {what}, needs no exception"
        );
    }
    hold(
        "a file has at most 400 lines",
        known::LONG_FILES,
        &long_files(tree, LINES_OF_A_FILE, TABLES),
    );
}

#[test]
fn no_folder_is_wide() {
    let small = Tree::of(&example::SOURCE);
    assert_eq!(
        shown(&wide_folders(&small, 1)),
        "    ./ has 2 files side by side\n    transport/ has 2 files side by side"
    );

    let (tree, _) = &*SOURCE;
    hold(
        "a folder has at most a dozen files side by side",
        known::WIDE_FOLDERS,
        &wide_folders(tree, FILES_OF_A_FOLDER),
    );
}
