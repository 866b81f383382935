use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn render(source: &str, context: Value) -> Result<String, Vec<TemplateError>> {
    super::render(source, context, &std::cell::Cell::default())
}

fn context() -> Value {
    let host = |name: &str, address: &str| json!({ "name": name, "address": address, "groups": ["web", "all"], "vars": {} });
    json!({
        "host": host("a", "10.0.0.1"),
        "hosts": [host("a", "10.0.0.1"), host("b", "10.0.0.2")],
        "groups": { "web": [host("a", "10.0.0.1"), host("b", "10.0.0.2")] },
        "environment": "staging",
        "version": "1.10",
        "debug": false,
        "quoted": "<a href=\"x\">it's & $(id)</a>",
    })
}

#[test]
fn templates_fill_names_and_lists_in() {
    for (source, expected) in [
        ("web:{{version}}", "web:1.10"),
        (
            "{{count groups.web}} {{addresses groups.web}}",
            "2 10.0.0.1 10.0.0.2",
        ),
        ("http://{{address groups.web}}/", "http://10.0.0.1/"),
        ("{{names hosts}}", "a b"),
        ("{{join (addresses groups.web) \",\"}}", "10.0.0.1,10.0.0.2"),
        ("{{join host.groups \"+\"}}", "web+all"),
        (
            "{{#each hosts}}{{name}}={{address}};{{/each}}",
            "a=10.0.0.1;b=10.0.0.2;",
        ),
        (
            "{{#each hosts}}{{../environment}}{{@index}}{{/each}}",
            "staging0staging1",
        ),
        ("{{#if debug}}on{{else}}off{{/if}}", "off"),
        ("{{#if (gt (count hosts) 1)}}many{{/if}}", "many"),
        (
            "{{quote version}} {{quote quoted}} {{quote debug}}",
            r#"1.10 '<a href="x">it'\''s & $(id)</a>' false"#,
        ),
        ("{{quote host.groups}}", "web all"),
        ("{{quote (addresses hosts)}}", "10.0.0.1 10.0.0.2"),
        ("{{quoted}}", "<a href=\"x\">it's & $(id)</a>"),
        (
            r"docker ps --format '\{{.Names}}'",
            "docker ps --format '{{.Names}}'",
        ),
        (r"\d {single} \\", r"\d {single} \\"),
    ] {
        assert_eq!(
            render(source, context()),
            Ok(expected.to_owned()),
            "{source}"
        );
    }
}

#[test]
fn every_mistake_has_its_place() {
    for (source, message, underlined) in [
        (
            "v{{versoin}}",
            "unknown name `versoin` in a template",
            "versoin",
        ),
        (
            "é\n {{groups.wbe}}",
            "unknown name `groups.wbe` in a template",
            "groups.wbe",
        ),
        (
            "{{count groups.wbe}}",
            "unknown name `groups.wbe` in a template",
            "groups.wbe",
        ),
        (
            "{{#if deubg}}x{{/if}}",
            "unknown name `deubg` in a template",
            "deubg",
        ),
        (
            "{{#if (eq versoin \"1\")}}x{{/if}}",
            "unknown name `versoin` in a template",
            "versoin",
        ),
        (
            "{{#each hosts}}{{nmae}}{{/each}}",
            "unknown name `nmae` in a template",
            "{{nmae}}",
        ),
        (
            "{{coutn hosts}}",
            "unknown helper `coutn` in a template",
            "coutn",
        ),
        (
            "{{release}}",
            "unknown name `release` in a template",
            "release",
        ),
        (
            "{{count version}}",
            "template failed: `count` wants a list, such as `groups.web`",
            "{{count version}}",
        ),
        (
            "{{count}}",
            "template failed: `count` wants a list, such as `groups.web`",
            "{{count}}",
        ),
        ("{{> header}}", "a partial in a template", "{{> header}}"),
        (
            "{{#each hosts}}{{> header}}{{/each}}",
            "a partial in a template",
            "{{> header}}",
        ),
        (
            "{{#> header}}{{/header}}",
            "a partial in a template",
            "{{#> header}}",
        ),
        (
            "{{#*inline \"x\"}}{{> x}}{{/inline}}",
            "a decorator in a template",
            "{{#*inline \"x\"}}",
        ),
    ] {
        let errors = render(source, context()).expect_err(source);
        let [error] = errors.as_slice() else {
            panic!("{source}: {errors:?}");
        };
        let found = &source[error.offset..error.offset + error.length];
        assert_eq!(
            (error.message.as_str(), found),
            (message, underlined),
            "{source}"
        );
    }
    let errors = render("{{a}} {{b}}", context()).expect_err("two unknown names");
    assert_eq!(errors.len(), 2);
}

#[test]
fn what_is_no_list_is_not_called_unknown() {
    let no_list = "template failed: `each` wants a list, such as `groups.web`";
    for (source, message, underlined) in [
        (
            "{{#each environment}}x{{/each}}",
            no_list,
            "{{#each environment}}",
        ),
        (
            "{{#each debug}}x{{else}}none{{/each}}",
            no_list,
            "{{#each debug}}",
        ),
        ("{{#each 5}}x{{/each}}", no_list, "{{#each 5}}"),
        ("{{#each}}x{{/each}}", no_list, "{{#each}}"),
        (
            "{{#each hosts}} {{#each name}}x{{/each}}{{/each}}",
            no_list,
            "{{#each name}}",
        ),
        (
            "{{#if debug}}{{else}}{{#each version}}x{{/each}}{{/if}}",
            no_list,
            "{{#each version}}",
        ),
        (
            "{{#each hosts}}{{#each nmae}}x{{/each}}{{/each}}",
            "unknown name `nmae` in a template",
            "{{#each nmae}}",
        ),
    ] {
        let errors = render(source, context()).expect_err(source);
        let [error] = errors.as_slice() else {
            panic!("{source}: {errors:?}");
        };
        let found = &source[error.offset..error.offset + error.length];
        assert_eq!((&*error.message, found), (message, underlined), "{source}");
    }
    let over_a_map = "{{#each hosts}}{{#each groups}}{{this}} {{/each}}{{#each this}}{{@key}} {{/each}}{{/each}}";
    let gone_through = "web all name address groups vars ".repeat(2);
    assert_eq!(render(over_a_map, context()), Ok(gone_through));
}

#[test]
fn a_malformed_template_is_one_mistake() {
    for source in [
        "{{",
        "{{}}",
        "{{version",
        "{{#if x}}",
        "{{.Names}}",
        "{{#if x}}{{/each}}",
    ] {
        let errors = render(source, context()).expect_err(source);
        assert!(
            errors[0].message.starts_with("malformed template"),
            "{source}: {errors:?}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_renderer(source in "([{}#/>@.()\"' a-e|=&!^~\\\\]|\\{\\{|\\}\\}){0,24}") {
        let _ = render(&source, context());
    }

    #[test]
    fn a_text_without_braces_stays_as_it_is(source in "[^{]{0,40}") {
        prop_assert_eq!(render(&source, context()), Ok(source));
    }

    #[test]
    fn a_value_is_never_escaped(value in "\\PC{0,40}") {
        let mut context = context();
        context["value"] = value.clone().into();
        prop_assert_eq!(render("<{{value}}>", context), Ok(format!("<{value}>")));
    }
}

#[test]
fn a_deep_template_is_refused_and_not_recursed_into() {
    for (open, close) in [
        ("{{#if debug}}", "{{/if}}"),
        ("{{#each hosts}}", "{{/each}}"),
        ("{{#*inline \"x\"}}{{> x}}", "{{/inline}}"),
        ("{{else if debug}}", ""),
        ("{{count ", "}}"),
        ("{{", "}}"),
        ("{{count (count ", ")"),
        ("(", ")"),
        ("[", "]"),
        ("{\"a\":", "}"),
        ("{{{{raw}}}}", "{{{{/raw}}}}"),
        ("../", ""),
        ("a.", ""),
    ] {
        for depth in [32, 99, 101, 1000, 20_000] {
            let nested = format!("{}a{}", open.repeat(depth), close.repeat(depth));
            for source in [
                nested.clone(),
                format!("{{{{#if debug}}}}{nested}{{{{/if}}}}"),
                format!("{{{{count {nested}}}}}"),
            ] {
                let _ = render(&source, context());
            }
        }
    }
}
