//! The inputs that are kept, and changes of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};

/// Runs a target on each of its inputs, then on some that are made of those.
fn replay(name: &str, target: fn(&[u8]), cases: u32) {
    let kept = kept(name);
    for (path, input) in &kept {
        eprintln!("{}", path.display());
        target(input);
    }
    let inputs: Vec<_> = kept.into_iter().map(|(_, input)| input).collect();
    let changes = prop::collection::vec(Change::any(), 1..8);
    let strategy = (select(inputs.clone()), select(inputs), changes);
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::with_cases(cases)
    });
    let outcome = runner.run(&strategy, |(mut input, other, changes)| {
        for change in changes {
            change.make(&mut input, &other);
        }
        let shown = input.escape_ascii().to_string();
        std::panic::catch_unwind(|| target(&input)).map_err(|_| TestCaseError::fail(shown))
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// The files of `fuzz/corpus/NAME`.
fn kept(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let files = fs::read_dir(folder.join(name)).expect("the inputs");
    let paths = files.map(|file| file.expect("an input").path());
    let mut paths: Vec<_> = paths.collect();
    paths.sort();
    let read = |path: PathBuf| {
        let input = fs::read(&path).expect("an input");
        (path, input)
    };
    paths.into_iter().map(read).collect()
}

/// What becomes of an input.
#[derive(Debug, Clone)]
enum Change {
    /// Other text stands here.
    Replaced(Index, String),
    /// So many bytes are gone.
    Removed(Index, usize),
    /// So many bytes stand there a second time, or many times.
    Repeated(Index, usize, usize),
    /// The rest is another input's.
    Spliced(Index, Index),
}

/// What means something in one format or another.
const WORDS: [&str; 24] = [
    "\n",
    "\n%%\n",
    " ",
    "\"",
    "'",
    "\\",
    "{",
    "}",
    "{{",
    "}}",
    "[",
    "]",
    ":",
    "/",
    "%",
    "#",
    "0",
    "-1",
    "65536",
    "18446744073709551615",
    "null",
    "\u{1b}[2J",
    "\u{202e}",
    "é",
];

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let text = prop_oneof![select(WORDS.to_vec()).prop_map(str::to_owned), ".{1,3}"];
        prop_oneof![
            (any::<Index>(), text).prop_map(|(at, text)| Self::Replaced(at, text)),
            (any::<Index>(), 1..20_usize).prop_map(|(at, length)| Self::Removed(at, length)),
            (any::<Index>(), 1..40_usize, 1..30_usize)
                .prop_map(|(at, length, times)| Self::Repeated(at, length, times)),
            (any::<Index>(), any::<Index>()).prop_map(|(at, from)| Self::Spliced(at, from)),
        ]
    }

    fn make(&self, input: &mut Vec<u8>, other: &[u8]) {
        let at = |index: &Index, length: usize| index.index(length + 1);
        match self {
            Self::Replaced(index, text) => {
                let at = at(index, input.len());
                let end = (at + 1).min(input.len());
                input.splice(at..end, text.bytes());
            }
            Self::Removed(index, length) => {
                let at = at(index, input.len());
                let end = (at + length).min(input.len());
                input.drain(at..end);
            }
            Self::Repeated(index, length, times) => {
                let at = at(index, input.len());
                let end = (at + length).min(input.len());
                let repeated = input[at..end].repeat(*times);
                input.splice(at..at, repeated);
            }
            Self::Spliced(index, from) => {
                input.truncate(at(index, input.len()));
                input.extend(&other[at(from, other.len())..]);
            }
        }
    }
}

macro_rules! targets {
    ($($name:ident: $cases:expr,)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name), super::$name, $cases);
        })*

        #[test]
        fn every_target_is_fuzzed_and_every_input_is_of_one() {
            let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
            let names = |folder: &str| {
                let entries = fs::read_dir(fuzz.join(folder)).expect("a folder");
                let stem = |path: PathBuf| path.file_stem().map(|stem| stem.display().to_string());
                let names = entries.filter_map(|entry| stem(entry.expect("an entry").path()));
                names.collect::<std::collections::BTreeSet<_>>()
            };
            let targets = [$(stringify!($name).to_owned()),*].into();
            assert_eq!(names("fuzz_targets"), targets);
            assert_eq!(names("corpus"), targets);
        }
    };
}

// The numbers are of how many a second or less takes.
targets! {
    ssh_config: 300,
    known_hosts: 300,
    docker_json: 500,
    consul_json: 500,
    upstreams: 500,
    records: 200,
    project: 100,
    foreign: 60,
    quoting: 30,
    http: 300,
    diagnostics: 100,
}
