//! The files of the repository, read once.

use std::{collections::BTreeMap, fs, path::Path, sync::LazyLock};

use crate::{names::Names, page::Page, tree::Tree};

/// The text files of the repository, by their paths from its root.
pub static REPOSITORY: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let mut texts = BTreeMap::new();
    collect(Path::new(""), &mut texts);
    assert!(texts.len() > 100, "only {} files", texts.len());
    texts
});

/// `src/`.
pub static SOURCE: LazyLock<(Tree, Names)> = LazyLock::new(|| {
    let source = REPOSITORY.iter().filter_map(|(path, text)| {
        let path = path.strip_prefix("src/")?;
        let is_rust = Path::new(path)
            .extension()
            .is_some_and(|extension| extension == "rs");
        is_rust.then(|| (path.to_owned(), text.clone()))
    });
    Names::with(Tree::new(&source.collect()))
});

/// `docs/ARCHITECTURE.md`.
pub static PAGE: LazyLock<Page> = LazyLock::new(|| Page::new(&REPOSITORY["docs/ARCHITECTURE.md"]));

/// Where people write; the rest is built, fetched, or data.
const FOLDERS: [&str; 4] = ["docs", "lab", "src", "tests"];

/// Reads the files of a folder, and all below. Of the root's folders only those where people write.
fn collect(folder: &Path, texts: &mut BTreeMap<String, String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in fs::read_dir(root.join(folder)).expect("a folder") {
        let entry = entry.expect("an entry");
        let path = folder.join(entry.file_name());
        let kind = entry.file_type().expect("its kind");
        let below =
            folder != Path::new("") || FOLDERS.iter().any(|folder| path == Path::new(folder));
        // What is hidden there is the state of the lab.
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if kind.is_file() {
            // What is not text has no words.
            if let Ok(text) = fs::read_to_string(entry.path()) {
                texts.insert(path.to_string_lossy().into_owned(), text);
            }
        } else if kind.is_dir() && below && !hidden {
            collect(&path, texts);
        }
    }
}
