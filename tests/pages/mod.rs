//! The pages of the documentation, taken apart into the blocks that they show. Read by
//! the tests that need no host (`tests/readme.rs`) and by those that run the README's blocks on the lab.

use std::{fs, path::Path};

/// A page.
pub struct Page {
    /// Its path in the repository.
    pub name: String,
    pub text: String,
}

/// What stands between two fences.
#[derive(Debug)]
pub struct Block {
    /// `README.md:12`, for messages.
    pub place: String,
    /// What stands behind the opening fence.
    pub kind: String,
    pub lines: Vec<String>,
}

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page.
pub fn pages() -> Vec<Page> {
    let mut names = vec![
        "README.md".to_owned(),
        "CONTRIBUTING.md".to_owned(),
        "lab/README.md".to_owned(),
    ];
    let docs = fs::read_dir(root().join("docs")).expect("docs/");
    let docs = docs.map(|entry| entry.expect("an entry").file_name());
    names.extend(docs.map(|name| format!("docs/{}", name.to_string_lossy())));
    names.sort();
    assert!(names.len() > 10, "{names:?}");
    let page = |name: String| Page {
        text: fs::read_to_string(root().join(&name)).expect("a page"),
        name,
    };
    names.into_iter().map(page).collect()
}

/// The blocks of a page, in order.
pub fn blocks(page: &Page) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(usize, Block)> = None;
    for (index, line) in page.text.lines().enumerate() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        match (&mut open, text.strip_prefix("```")) {
            (None, Some(kind)) => {
                let place = format!("{}:{}", page.name, index + 1);
                let (kind, lines) = (kind.trim().to_owned(), Vec::new());
                open = Some((indent, Block { place, kind, lines }));
            }
            (Some(_), Some("")) => found.extend(open.take().map(|(_, block)| block)),
            (Some((indent, block)), _) => {
                block
                    .lines
                    .push(line.get(*indent..).unwrap_or_default().to_owned());
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: a block does not end", page.name);
    found
}

/// What is typed in a block that also has what is shown.
pub fn prompted(block: &Block) -> Vec<String> {
    let typed: Vec<_> = block
        .lines
        .iter()
        .filter_map(|line| line.strip_prefix("$ "))
        .map(str::to_owned)
        .collect();
    assert!(!typed.is_empty(), "{}: nothing is typed here", block.place);
    typed
}
