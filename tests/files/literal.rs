//! Values arrive as they were written, whatever is in them.

use proptest::prelude::*;

use super::project::TestProject;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn values_survive_loading(
        // No NUL, which is refused, and no `{{`, which begins a template.
        values in prop::collection::vec("([^{\0]|\\$\\(id\\)|['\"`\\\\\n\r\t <>&]){0,16}", 3),
        host in "[^\\p{C}\\p{Zl}\\p{Zp}\\[\\],]{1,12}",
    ) {
        let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
        let [plain, word, var] = [text(&values[0]), text(&values[1]), text(&values[2])];
        let project = TestProject::new(&[
            (
                "inventory/test.toml",
                &format!("recipes = [\"web\"]\n[vars]\nvalue = {var}\n[hosts]\n{} = {{ address = \"192.0.2.1\" }}\n", serde_json::Value::from(host.as_str())),
            ),
            (
                "recipes/web.toml",
                &format!("hosts = \"all\"\n[container]\nimage = \"w\"\nenv.A = {plain}\nenv.B = \"{{{{value}}}}\"\ncommand = [{word}, \"<{{{{value}}}}>\"]\n"),
            ),
        ]);
        prop_assume!(host != "all");
        let environment = match project.load("test") {
            Ok(loaded) => loaded.environment,
            Err(problems) => return Err(TestCaseError::fail(problems.to_string())),
        };
        prop_assert_eq!(&*environment.hosts[0].name, host.as_str());
        let on = environment.recipes[0].by_host.values().next();
        let spec = on.and_then(|on| on.container.clone()).expect("a container");
        prop_assert_eq!(&spec.env["A"], &values[0]);
        prop_assert_eq!(&spec.env["B"], &values[2]);
        prop_assert_eq!(&spec.command[0], &values[1]);
        prop_assert_eq!(&spec.command[1], &format!("<{}>", values[2]));
    }
}

const FILES: [(&str, &str); 4] = [
    (
        "inventory/test.toml",
        include_str!("../../inventory/staging.toml"),
    ),
    (
        "recipes/consul.toml",
        include_str!("../../recipes/consul.toml"),
    ),
    (
        "recipes/registrator.toml",
        include_str!("../../recipes/registrator.toml"),
    ),
    (
        "recipes/flask-nanoservice.toml",
        include_str!("../../recipes/flask-nanoservice.toml"),
    ),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn no_file_breaks_the_loader(
        file in 0..FILES.len(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..12,
        text in "[\"'\\[\\]{}=#\\\\\n.,a0é%-]{0,4}",
    ) {
        let mut files = FILES.map(|(name, content)| (name, content.to_owned()));
        let content = &mut files[file].1;
        let start = at.index(content.len());
        let end = (start + length).min(content.len());
        content.replace_range(start..end, &text);
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let shown = TestProject::new(&files).shown();
        prop_assert!(!shown.is_empty());
    }
}

#[test]
fn a_number_reaches_the_container_as_it_is_written_or_not_at_all() {
    let env = |value: &str| {
        TestProject::of_recipe(&format!(
            "hosts = \"all\"\n[container]\nimage = \"x\"\nenv = {{ A = {value} }}\n"
        ))
        .load("test")
        .map(|loaded| {
            let on = &loaded.environment.recipes[0].by_host["web-1"];
            on.container
                .as_ref()
                .map(|container| container.env["A"].clone())
        })
        .map_err(|problems| {
            let hints: Vec<_> = problems
                .iter()
                .filter_map(|problem| problem.advice())
                .collect();
            hints.join("; ")
        })
    };
    for text in [
        "0", "-5", "8080", "1.50", "-0.5", "1e3", "inf", "nan", "true",
    ] {
        assert_eq!(env(text), Ok(Some(text.to_owned())), "{text}");
    }
    for (text, number) in [
        ("0xFF", "255"),
        ("0o755", "493"),
        ("0b11", "3"),
        ("1_000", "1000"),
        ("+5", "5"),
        ("1_000.5", "1000.5"),
    ] {
        let hint = format!("write `\"{text}\"` for this text, or `{number}` for the number");
        assert_eq!(env(text), Err(hint), "{text}");
    }
}
