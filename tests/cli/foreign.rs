//! `shipit init --from FILE`: other tools' files become projects, and nothing in them is dropped silently.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use insta::assert_snapshot;

use super::{
    init::{files_of, is_valid},
    typed::{Answer, Shell},
};

const FOLDER: &str = "tests/cli/foreign";

/// Converts a fixture in a folder of its own.
fn convert(kind: &str, name: &str) -> (Shell, Answer) {
    let shell = Shell::new(&[]);
    let (from, typed) = if kind == "compose" {
        let text = fs::read_to_string(format!("{FOLDER}/compose/{name}.yml"));
        shell.write("app/compose.yml", &text.expect("the fixture"));
        ("app/compose.yml", "--host web-1=192.0.2.1 --user deploy")
    } else {
        for entry in fs::read_dir(format!("{FOLDER}/kamal/{name}")).expect("the fixture") {
            let entry = entry.expect("an entry");
            let file = entry.file_name().to_string_lossy().into_owned();
            let text = fs::read_to_string(entry.path()).expect("a text");
            shell.write(&format!("config/{file}"), &text);
        }
        ("config/deploy.yml", "")
    };
    let line = format!("init --from {from} {typed}");
    let words: Vec<_> = line.split_whitespace().collect();
    let mut command = shell.command(&words);
    // Of the fixture `erb`.
    command.env("REGISTRY_USER", "acme");
    let answer = shell.answer(&mut command);
    (shell, answer)
}

fn names(kind: &str) -> Vec<String> {
    let entries = fs::read_dir(format!("{FOLDER}/{kind}")).expect("the fixtures");
    let stem = |path: &Path| {
        path.file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    let mut names: Vec<_> = entries
        .map(|entry| stem(&entry.expect("an entry").path()))
        .collect();
    names.sort();
    names
}

/// What a key is called in what is written, where it is something else. What has no name there only gives its value a
/// place.
const RENAMED: &[(&str, &str)] = &[
    ("services", ""),
    ("environment", ""),
    ("ports", ""),
    ("published", ""),
    ("target", ""),
    ("protocol", ""),
    ("mode", ""),
    ("type", ""),
    ("source", ""),
    ("read_only", ""),
    ("depends_on", "requires"),
    ("condition", ""),
    ("test", "--health-cmd"),
    ("start_period", "--health-start-period"),
    ("start_interval", "--health-start-interval"),
    ("disable", "--no-healthcheck"),
    ("stop_grace_period", "stop_timeout"),
    ("working_dir", "workdir"),
    ("network_mode", "network"),
    ("mem_limit", "--memory"),
    ("memswap_limit", "--memory-swap"),
    ("shm_size", "--shm-size"),
    ("cap_add", "--cap-add"),
    ("cap_drop", "--cap-drop"),
    ("devices", "--device"),
    ("dns_search", "--dns-search"),
    ("extra_hosts", "--add-host"),
    ("group_add", "--group-add"),
    ("security_opt", "--security-opt"),
    ("stop_signal", "--stop-signal"),
    ("sysctls", "--sysctl"),
    ("ulimits", "--ulimit"),
    ("soft", ""),
    ("hard", ""),
    ("driver", ""),
    ("options", ""),
    ("aliases", "--network-alias"),
    ("external", ""),
    ("name", ""),
    ("replicas", "instances"),
    ("parallelism", "max_parallel"),
    ("failure_action", "auto_revert"),
    ("monitor", "min_healthy_time"),
    ("max_attempts", "restart"),
    ("resources", ""),
    ("limits", ""),
    ("reservations", ""),
    ("pids", "--pids-limit"),
    ("tty", "--tty"),
    ("stdin_open", "--interactive"),
    ("version", ""),
    ("extends", ""),
    ("service", ""),
    ("restart_policy", "restart"),
    ("update_config", "rollout"),
    ("deploy", ""),
    ("networks", "network"),
    ("logging", ""),
    // Kamal's.
    ("servers", "hosts"),
    ("host", ""),
    ("hosts", ""),
    ("role", ""),
    ("roles", ""),
    ("accessories", ""),
    ("port", ""),
    ("cmd", "command"),
    ("clear", ""),
    ("secret", "secrets"),
    ("directories", "volumes"),
    ("app_port", "publish"),
    ("healthcheck", ""),
    ("server", ""),
    ("registry", ""),
    ("boot", "rollout"),
    ("limit", "max_parallel"),
    ("keys", "identity_file"),
    ("proxy", ""),
    ("volume", "volumes"),
    ("stop_wait_time", "stop_timeout"),
    ("deploy_timeout", "healthy_deadline"),
    ("drain_timeout", "stop_timeout"),
    ("readiness_delay", "min_healthy_time"),
    ("retain_containers", "keep"),
    ("primary_role", ""),
    ("path", ""),
    ("traefik", ""),
];

/// The words of a file that must be found again: of keys and of values.
fn words(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for line in text.lines() {
        let line = match line.find('#') {
            // A comment, unless it is within a word.
            Some(at) if at == 0 || line[..at].ends_with(' ') => &line[..at],
            _ => line,
        };
        let (key, value) = match line.trim_start_matches([' ', '-']).split_once(": ") {
            Some((key, value)) if !key.contains(' ') => (key, value),
            _ => (line.trim().trim_end_matches(':'), ""),
        };
        for text in [key, value] {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let found = text
                .split(|c: char| !is_word(c))
                .filter(|word| word.len() > 1);
            words.extend(found.map(str::to_owned));
        }
    }
    words
}

/// The words of a fixture that neither are in what was written nor have another name there.
fn dropped(input: &str, output: &str) -> Vec<String> {
    let output_words: BTreeSet<String> = output
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .map(str::to_lowercase)
        .flat_map(|word| {
            let parts = word.split('_').map(str::to_owned).collect::<Vec<_>>();
            parts.into_iter().chain([word])
        })
        .collect();
    // What YAML and variables are written with.
    let notation = [
        "true", "false", "null", "yes", "on", "ENV", "fetch", "CMD", "SHELL", "NONE",
    ];
    let is_there = |word: &str| {
        let renamed = RENAMED.iter().find(|(from, _)| *from == word);
        let renamed = renamed.is_some_and(|(_, to)| to.is_empty() || output.contains(to));
        let word_there = |word: &str| output_words.contains(&word.to_lowercase());
        // A number of seconds has its unit here.
        let is_time = word.parse::<u32>().is_ok() && word_there(&format!("{word}s"));
        renamed || notation.contains(&word) || word_there(word) || is_time
    };
    words(input)
        .into_iter()
        .filter(|word| !is_there(word))
        .collect()
}

/// Words that go: names of anchors, messages, what is so by default, and sizes that docker spells otherwise.
const GO: &[(&str, &[&str])] = &[
    ("forge", &["it", "set"]),
    ("monitoring", &["logs"]),
    ("odd", &["u2603"]),
    ("proxy", &["bridge", "tcp"]),
    ("queue", &["service_healthy"]),
    ("search", &["128mb", "1gb", "2gb", "service_healthy"]),
];

fn holds(kind: &str) {
    let names = names(kind);
    assert!(names.len() >= 12, "{names:?}");
    for name in names {
        let (shell, answer) = convert(kind, &name);
        assert_eq!(answer.code, Some(0), "{kind}/{name}: {}", answer.shown());
        is_valid(&shell);
        let written = files_of(shell.path());
        let folder = if kind == "compose" { "app" } else { "config" };
        let mut input = String::new();
        for entry in fs::read_dir(shell.path().join(folder)).expect("the fixture") {
            input += &fs::read_to_string(entry.expect("an entry").path()).expect("a text");
        }
        let go = GO
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, words)| *words);
        let dropped: Vec<_> = dropped(&input, &written)
            .into_iter()
            .filter(|word| !go.unwrap_or_default().contains(&&**word))
            .collect();
        assert!(
            dropped.is_empty(),
            "{kind}/{name} dropped {dropped:?}:\n{written}"
        );
        insta::assert_snapshot!(format!("{kind}_{name}"), written);
    }
}

#[test]
fn compose_files_become_projects_with_nothing_dropped() {
    holds("compose");
}

#[test]
fn configurations_of_kamal_become_projects_with_nothing_dropped() {
    holds("kamal");
}

#[test]
fn what_was_dropped_would_be_noticed() {
    let input = "services:\n  web:\n    image: nginx:1.27\n    container_name: shop # a note\n";
    assert_eq!(
        dropped(input, "web image = \"nginx:1.27\""),
        ["container_name", "shop"]
    );
}

#[test]
fn compose_names_no_hosts() {
    let shell = Shell::new(&[("compose.yml", "services:\n  web:\n    image: nginx\n")]);
    assert_snapshot!(shell.type_line("init --from compose.yml").shown());
    let answer = shell
        .type_line("init --from compose.yml --host a=192.0.2.1 --user root --environment test");
    assert_snapshot!(answer.shown());
}

#[test]
fn a_variable_may_have_a_name_that_templates_have_for_something_else() {
    let text = "services:\n  web:\n    image: nginx:${as:-1}\n    environment:\n      A: x${true}y${host}\n";
    let shell = Shell::new(&[("compose.yml", text)]);
    let answer = shell.type_line("init --from compose.yml --host a=192.0.2.1 --user root");
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
    is_valid(&shell);
    let recipe = fs::read_to_string(shell.path().join("recipes/web.toml")).expect("a recipe");
    for line in ["image = \"nginx:{{as_}}\"", "A = \"x{{true_}}y{{host_}}\""] {
        assert!(recipe.contains(line), "{recipe}");
    }
}

#[test]
fn what_is_of_another_kind_than_expected_is_told_as_well() {
    for (of_service, at_the_top, told) in [
        (
            "deploy: {resources: {limits: [a, b]}}",
            "",
            "deploy.resources.limits: [a, b]",
        ),
        (
            "deploy: {restart_policy: {condition: [x]}}",
            "",
            "restart_policy.condition: [x]",
        ),
        ("networks: {n: 5}", "", "networks.n: 5"),
        (
            "networks: {n: {aliases: {a: b}}}",
            "",
            "networks.n.aliases: {a: b}",
        ),
        (
            "volumes: [{type: volume, target: /x, read_only: {a: b}}]",
            "",
            "read_only: {a: b}",
        ),
        (
            "ports: [{target: 80, published: [1]}]",
            "",
            "published: [1]",
        ),
        ("logging: {driver: [x]}", "", "logging.driver: [x]"),
        ("depends_on: {other: 5}", "", "depends_on.other: 5"),
        ("tty: true", "networks: [one]", "networks: [one]"),
        ("tty: true", "networks: {n: [a]}", "networks.n: [a]"),
        ("tty: true", "volumes: {v: 5}", "volumes.v: 5"),
        ("tty: true", "name: [x]", "name: [x]"),
    ] {
        let text = format!(
            "services:\n  web:\n    image: nginx\n    {of_service}\n  other:\n    image: redis\n{at_the_top}\n"
        );
        let shell = Shell::new(&[("compose.yml", &text)]);
        let answer = shell.type_line("init --from compose.yml --host a=192.0.2.1 --user root");
        assert_eq!(answer.code, Some(0), "{of_service}: {}", answer.shown());
        let files = files_of(shell.path());
        // A comment may go on in its next line.
        let files: Vec<_> = files
            .split_whitespace()
            .filter(|word| *word != "#")
            .collect();
        assert!(
            files.join(" ").contains(told),
            "{told}: {}",
            files.join(" ")
        );
    }
}

#[test]
fn what_cannot_become_a_project_is_told_of_the_file_that_was_read() {
    let compose = |image: &str| format!("services:\n  web:\n    image: {image}\n");
    let kamal = |text: &str| format!("service: shop\n{text}\n");
    let mut said = String::new();
    for (name, text) in [
        ("compose.yml", compose("\"nginx:${TAG:-}\"")),
        ("compose.yml", compose("\"${REG:-}/nginx:${TAG}\"")),
        ("compose.yml", compose("\"nginx:$$x\"")),
        ("compose.yml", compose("NGINX:1")),
        ("compose.yml", compose("\"\"")),
        ("compose.yml", compose("\"${REG}/nginx:1\"")),
        ("compose.yml", compose("\"${IMAGE}\"")),
        ("compose.yml", compose("\"nginx@${D}\"")),
        (
            "compose.yml",
            "services:\n  one:\n    image: A\n  two:\n    image: B\n".to_owned(),
        ),
        (
            "compose.yml",
            "name: a..b\nservices:\n  web:\n    build: .\n".to_owned(),
        ),
        ("deploy.yml", kamal("image: REG/S\nservers: [192.0.2.1]")),
        ("deploy.yml", kamal("image: [a]\nservers: [192.0.2.1]")),
        (
            "deploy.yml",
            kamal("image: <%= ENV[\"IMAGE\"] %>\nservers: [192.0.2.1]"),
        ),
        (
            "deploy.yml",
            kamal("image: a/s\nservers:\n  \"jo b\": [192.0.2.1]"),
        ),
        (
            "deploy.yml",
            kamal(
                "image: a/s\nservers: [192.0.2.1]\naccessories:\n  db: {image: Db, host: 192.0.2.1}",
            ),
        ),
        (
            "deploy.yml",
            kamal("image: a/s\nservers: [\"not an address\"]"),
        ),
        (
            "deploy.yml",
            kamal("image: a/s\nservers:\n  all: [192.0.2.1]"),
        ),
        ("deploy.yml", kamal("image: a/s\nservers: []")),
    ] {
        let shell = Shell::new(&[(name, &text)]);
        let hosts = match name {
            "compose.yml" => "--host a=192.0.2.1 --user root",
            _ => "",
        };
        let answer = shell.type_line(&format!("init --from {name} {hosts}"));
        answer.is_a_mistake();
        assert!(!shell.path().join("inventory").exists());
        assert!(!answer.stderr.contains("recipes/"), "{}", answer.stderr);
        let _ = writeln!(said, "{text}$ shipit init --from {name}\n{}", answer.stderr);
    }
    assert_snapshot!(said);
}

#[test]
fn a_variable_that_is_no_tag_has_its_value_from_the_environment() {
    let text = "services:\n  web:\n    image: ${REG}/nginx:${TAG}\n";
    let shell = Shell::new(&[("compose.yml", text)]);
    let line = [
        "init",
        "--from",
        "compose.yml",
        "--host",
        "a=192.0.2.1",
        "--user",
        "root",
    ];
    let answer = shell.answer(shell.command(&line).env("REG", "registry.example:5000"));
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
    is_valid(&shell);
    let recipe = fs::read_to_string(shell.path().join("recipes/web.toml")).expect("a recipe");
    for line in [
        "REG = \"registry.example:5000\"\n",
        "TAG = \"latest\"    # compose: a variable without a default; set it here, or with `--set`\n",
        "image = \"{{REG}}/nginx:{{TAG}}\"\n",
    ] {
        assert!(recipe.contains(line), "{recipe}");
    }
}

#[test]
fn kamal_names_its_hosts() {
    let (shell, answer) = convert("kamal", "destinations");
    assert_snapshot!(answer.shown());
    let again = shell.type_line("init --from config/deploy.yml --host a=192.0.2.1");
    again.is_a_mistake();
    assert!(again.stderr.contains("names its hosts"), "{}", again.stderr);
}

#[test]
fn what_is_no_yaml_is_shown_at_its_place() {
    let shell = Shell::new(&[
        ("tab.yml", "services:\n  web:\n\timage: nginx\n"),
        ("quote.yml", "services:\n  web: {image: \"nginx}\n"),
        (
            "twice.yml",
            "services:\n  web:\n    image: a\n    image: b\n",
        ),
        ("other.yml", "on: push\njobs: {}\n"),
        ("list.yml", "- a\n"),
        ("empty.yml", "# nothing\n"),
        ("two.yml", "services: {}\n---\nservices: {}\n"),
        ("tag.yml", "services:\n  web:\n    ports: !reset []\n"),
        ("key.yml", "services:\n  ? [a, b]\n  : c\n"),
        ("service.yml", "services:\n  web: nginx\n"),
        ("none.yml", "services: {}\n"),
        (
            "erb.yml",
            "service: a\nimage: b\n<% if true %>\nservers:\n  - 192.0.2.1\n<% end %>\n",
        ),
        ("merge.yml", "services:\n  web:\n    <<: nginx\n"),
        ("self.yml", "services: &a\n  web: *a\n"),
    ]);
    let mut said = String::new();
    for name in [
        "tab", "quote", "twice", "other", "list", "empty", "two", "tag", "key", "service", "none",
        "erb", "merge", "self",
    ] {
        let answer = shell.type_line(&format!(
            "init --from {name}.yml --host a=192.0.2.1 --user root"
        ));
        answer.is_a_mistake();
        let _ = writeln!(said, "$ shipit init --from {name}.yml\n{}", answer.stderr);
    }
    assert_snapshot!(said);
    let missing = shell.type_line("init --from nowhere.yml");
    missing.is_a_mistake();
    assert!(
        missing.stderr.contains("cannot read `nowhere.yml`"),
        "{}",
        missing.stderr
    );
}

#[test]
fn what_is_too_much_is_refused_and_costs_little() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{before}]");
    }
    bomb += "services: {}\n";
    let deep = format!("services: {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let levels = (1..3000).map(|level| " ".repeat(level) + "-\n");
    let lists = format!("services:\n{}x\n", levels.collect::<String>());
    let chain = (0..200).map(|number| (number, (number + 1) % 200));
    let chain = chain.map(|(one, next)| format!("  s{one}:\n    extends: s{next}\n"));
    let chain = chain.collect::<Vec<_>>().concat();
    let shell = Shell::new(&[
        ("bomb.yml", &bomb),
        ("deep.yml", &deep),
        ("lists.yml", &lists),
        ("chain.yml", &format!("services:\n{chain}")),
    ]);
    for (name, says) in [
        ("bomb", "the file stands for more than 8 MiB"),
        ("deep", "error: "),
        ("lists", "within one another"),
        ("chain", "extend one another without end"),
    ] {
        let answer = shell.type_line(&format!(
            "init --from {name}.yml --host a=192.0.2.1 --user root"
        ));
        answer.is_a_mistake();
        assert!(answer.stderr.contains(says), "{name}: {}", answer.stderr);
    }
}
