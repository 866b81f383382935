//! Paths lead where the compiler says.

use crate::{names::Names, tree::Tree};

/// Each use of another file by `here.rs`, as `line path -> file`; tests are marked, re-exports too.
fn uses(here: &str) -> Vec<String> {
    let tree = Tree::of(&[
        (
            "lib.rs",
            "pub mod plan; pub mod text; mod here;\nmacro_rules! early { () => {} }",
        ),
        (
            "plan/mod.rs",
            "mod build;\nmod kinds;\npub use build::build;\npub use kinds::{self as sorts, Kind as Sort, *};\npub struct Plan;",
        ),
        ("plan/build.rs", "pub fn build() {}\npub fn only_here() {}"),
        (
            "plan/kinds.rs",
            "pub enum Kind { Keep }\npub trait Shown {}\npub mod deep { pub const DEEP: u8 = 1; }\nwords! { Made { One = \"one\" } }",
        ),
        (
            "text.rs",
            "pub fn list() {}\npub(crate) use exported;\nmacro_rules! exported { () => {} }",
        ),
        ("here.rs", here),
        ("here/inner.rs", "use super::super::text::list;"),
    ]);
    let names = Names::of(&tree);
    assert!(names.lost.is_empty(), "{:?}", names.lost);
    let from = tree.file("here.rs");
    let edges = names.edges.iter().filter(|edge| Some(edge.from) == from);
    edges
        .map(|edge| {
            let marks = [(edge.test, " (test)"), (edge.reexport, " (re-export)")];
            let marks = marks
                .iter()
                .filter(|(marked, _)| *marked)
                .map(|(_, mark)| *mark);
            let to = &tree.files[edge.to].path;
            format!(
                "{} {} -> {to}{}",
                edge.line,
                edge.path,
                marks.collect::<String>()
            )
        })
        .collect()
}

#[test]
fn re_exports_lead_to_the_file_of_the_definition() {
    assert_eq!(
        uses("use crate::plan::{\n    Plan,\n    Sort,\n    build,\n};"),
        [
            "2 crate::plan::Plan -> plan/mod.rs",
            "3 crate::plan::Sort -> plan/kinds.rs",
            "4 crate::plan::build -> plan/build.rs",
        ]
    );
    assert_eq!(
        uses("pub use crate::plan::Kind;"),
        ["1 crate::plan::Kind -> plan/kinds.rs (re-export)"]
    );
}

#[test]
fn a_module_alone_is_no_use_and_what_is_named_through_it_is() {
    assert_eq!(uses("use crate::{plan, text};").len(), 0);
    assert_eq!(
        uses(
            "use crate::plan::{self, sorts};\nfn f() -> plan::Plan {\n    plan::build();\n    sorts::deep::DEEP;\n}"
        ),
        [
            "2 plan::Plan -> plan/mod.rs",
            "3 plan::build -> plan/build.rs",
            "4 sorts::deep::DEEP -> plan/kinds.rs",
        ]
    );
}

#[test]
fn globs_lead_on() {
    assert_eq!(
        uses("use crate::plan::*;\nfn f(_: impl Shown) { build() }"),
        ["2 Shown -> plan/kinds.rs", "2 build -> plan/build.rs"]
    );
    assert_eq!(
        uses("use super::text::*;\nmod within {\n    use super::*;\n    fn f() { list() }\n}"),
        ["4 list -> text.rs"]
    );
}

#[test]
fn paths_count_wherever_they_stand() {
    let uses_in = |code: &str| uses(&format!("use crate::plan::sorts;\n{code}"));
    let kinds = ["2 sorts::Kind -> plan/kinds.rs"];
    for code in [
        "type A = Vec<Option<sorts::Kind>>;",
        "impl Clone for sorts::Kind {}",
        "fn f<T: Into<sorts::Kind>>() {}",
        "fn f() { let x: sorts::Kind; }",
        "fn f() { a::<sorts::Kind>(1) }",
        "fn f() { format!(\"{}\", g(sorts::Kind)) }",
        "fn f() { <sorts::Kind>::Keep; }",
        "#[serde(with = \"sorts::Kind\")] struct A;",
        "#[derive(sorts::Kind)] struct A;",
    ] {
        assert_eq!(uses_in(code), kinds, "{code}");
    }
    let keep = ["2 sorts::Kind::Keep -> plan/kinds.rs"];
    for code in [
        "fn f() { match x { sorts::Kind::Keep => {} } }",
        "fn f() { matches!(x, sorts::Kind::Keep) }",
        "const K: u8 = sorts::Kind::Keep as u8;",
    ] {
        assert_eq!(uses_in(code), keep, "{code}");
    }
}

#[test]
fn a_block_has_imports_of_its_own() {
    assert_eq!(
        uses("fn f() {\n    use crate::plan::Kind as K;\n    K::Keep;\n}\nfn g() { K::Keep; }"),
        [
            "2 crate::plan::Kind -> plan/kinds.rs",
            "3 crate::plan::Kind::Keep -> plan/kinds.rs"
        ]
    );
}

#[test]
fn macros_by_example_are_uses() {
    assert_eq!(
        uses("use crate::text::exported;\nexported!();\nfn f() { early!() }"),
        [
            "1 crate::text::exported -> text.rs",
            "2 exported -> text.rs",
            "3 early -> lib.rs"
        ]
    );
    assert_eq!(
        uses("macro_rules! m {\n    ($list:ty) => { $crate::text::list::<$list>() };\n}"),
        ["2 crate::text::list -> text.rs"]
    );
    // What a macro makes is where it is called.
    assert_eq!(
        uses("use crate::plan::Made;"),
        ["1 crate::plan::Made -> plan/kinds.rs"]
    );
}

#[test]
fn values_and_fields_are_not_taken_for_items() {
    assert!(
        uses("use crate::text;\nfn f(text: &str) { self.list; println!(\"{}\", text.list()); text.build() }")
            .is_empty()
    );
    assert!(
        uses("// crate::text::list\n/// [`crate::text::list`]\nfn f() { \"crate::text::list\"; }")
            .is_empty()
    );
}

#[test]
fn tests_are_marked() {
    assert_eq!(
        uses(
            "#[cfg(test)]\nmod tests {\n    use crate::text::list;\n}\n#[cfg(not(test))]\nuse crate::plan::Plan;
#[cfg(all(unix, test))]\nuse crate::plan::Kind;\nimpl A {\n    #[cfg(test)]\n    fn f() { crate::text::list() }\n}
#[tokio::test]\nasync fn g() { crate::plan::build() }"
        ),
        [
            "6 crate::plan::Plan -> plan/mod.rs",
            "8 crate::plan::Kind -> plan/kinds.rs (test)",
            "11 crate::text::list -> text.rs (test)",
            "14 crate::plan::build -> plan/build.rs (test)",
            "3 crate::text::list -> text.rs (test)",
        ]
    );
}
