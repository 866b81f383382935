//! A small library and its page, for tests that break them.

use crate::{names::Names, page::Page, tree::Tree};

/// A page whose `rollout/machine` decides, and whose `rollout` does.
pub const PAGE: &str = "
| module | owns | may use |
| --- | --- | --- |
| `event` | what happens | – |
| `rollout/machine` | decides | – |
| `transport` | SSH | `event` |
| `rollout` | does | `rollout/machine`, `transport` |

| library | only in |
| --- | --- |
| `russh` | `transport` |

`event` and `rollout/machine` do no I/O and
read no clock; the test looks for that, too.
";

/// A library that keeps to the page.
pub const SOURCE: [(&str, &str); 6] = [
    ("lib.rs", "mod event; mod rollout; mod transport;"),
    ("event.rs", "pub struct Event;"),
    (
        "rollout/mod.rs",
        "mod machine;\nuse crate::transport::run;\nuse machine::step;",
    ),
    ("rollout/machine/mod.rs", "pub fn step() {}"),
    ("transport/mod.rs", "mod session;\npub use session::run;"),
    (
        "transport/session.rs",
        "use crate::event::Event;\npub fn run(_: Event) {\n    russh::connect();\n}",
    ),
];

/// The example of a page.
pub fn page() -> Page {
    Page::new(PAGE)
}

/// The example of a library.
pub fn source() -> (Tree, Names) {
    Names::with(Tree::of(&SOURCE))
}

/// The example with another text for one of its files.
pub fn source_with(path: &str, text: &str) -> (Tree, Names) {
    let mut files = SOURCE.to_vec();
    files.retain(|(other, _)| *other != path);
    files.push((path, text));
    Names::with(Tree::of(&files))
}
