//! What the README and `docs/` show is true: their files load, their commands are commands, those that
//! contact no host are run, and their links lead somewhere. A kind of block that is not known here fails.
//!
//! What a command prints on hosts is the end-to-end tests' part (`tests/e2e/readme.rs`).

mod pages;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::error::ErrorKind;
use pages::{Block, Page, blocks, pages, prompted, root};
use shipit::{commands, event::Outcome};
use tempfile::TempDir;

/// What a page's project needs beside what the page shows.
const BESIDE: [(&str, &str, &str); 7] = [
    (
        "docs/hooks.md",
        "recipes/web.toml",
        "hosts = \"all\"\n[container]\nimage = \"web\"\n",
    ),
    (
        "docs/files.md",
        "files/logrotate.conf",
        "# on {{host.name}}\n",
    ),
    (
        "docs/consul.md",
        "inventory/staging.toml",
        "recipes = [\"direct-lb\", \"direct\"]\n[hosts]\nhost-1 = { address = \"192.0.2.1\", groups = [\"apps\", \"balancers\"] }\n\
         [consul]\naddress = \"127.0.0.1:8500\"\n[vars]\nflask_image = \"web\"\ndr_con_image = \"lb\"\nversion = \"v1\"\n",
    ),
    // No inventory there names these, so that each can be shown on its own.
    (
        "docs/files.md",
        "inventory/tasks.toml",
        "extends = \"staging\"\nrecipes = [\"logrotate\", \"orders\"]\n",
    ),
    (
        "docs/secrets.md",
        "secrets/recipients",
        include_str!("pages/secrets/recipients"),
    ),
    (
        "docs/secrets.md",
        "secrets/api-token.age",
        include_str!("pages/secrets/api-token.age"),
    ),
    (
        "docs/ssh.md",
        "recipes/web.toml",
        "hosts = \"all\"\n[container]\nimage = \"nginx\"\n",
    ),
];

/// What may stand on a command line beside shipit: the program and its first argument. What is shown to
/// be typed on a user's own hosts and toolchain cannot be run here.
const OTHERS: [(&str, &str); 13] = [
    ("age", "-a"),
    ("age", "-d"),
    ("cargo", "build"),
    ("cargo", "deny"),
    ("cargo", "install"),
    ("cargo", "run"),
    ("docker", "ps"),
    ("docker", "volume"),
    ("echo", "d /run/shipit 2770 root docker"),
    ("echo", "df -h"),
    ("mkdir", "-p"),
    ("rustup", "target"),
    ("sudo", "systemd-tmpfiles"),
];

/// The project that a page shows, as files, with what it needs beside them.
fn project(page: &Page) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    for block in blocks(page).iter().filter(|block| block.kind == "toml") {
        let name = block.lines.first().and_then(|line| line.strip_prefix("# "));
        let name = name.filter(|name| {
            let is_one = name.starts_with("inventory/") || name.starts_with("recipes/");
            is_one
                && Path::new(name)
                    .extension()
                    .is_some_and(|extension| extension == "toml")
        });
        let name = name.unwrap_or_else(|| {
            panic!(
                "{}: its first line must be its file: `# recipes/NAME.toml`",
                block.place
            )
        });
        write(name, &(block.lines.join("\n") + "\n"));
    }
    for block in blocks(page)
        .iter()
        .filter(|block| block.kind == "handlebars")
    {
        let name = block.lines.first().and_then(|line| line.strip_prefix("# "));
        let name = name.filter(|name| name.starts_with("files/"));
        let name = name.unwrap_or_else(|| {
            panic!(
                "{}: its first line must be its file: `# files/NAME`",
                block.place
            )
        });
        // JSON has no comments: there the line is of the page alone.
        let skipped = usize::from(Path::new(&name).extension().is_some_and(|it| it == "json"));
        write(name, &(block.lines[skipped..].join("\n") + "\n"));
    }
    for (_, name, text) in BESIDE.iter().filter(|(of, ..)| *of == page.name) {
        write(name, text);
    }
    folder
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeSet::new();
    };
    let stem = |path: PathBuf| Some(path.file_stem()?.to_string_lossy().into_owned());
    entries
        .filter_map(|entry| stem(entry.expect("an entry").path()))
        .collect()
}

#[test]
fn the_files_load() {
    let mut checked = 0;
    for page in pages() {
        let project = project(&page);
        let recipes = names_in(&project.path().join("recipes"));
        let inventories = project.path().join("inventory");
        if recipes.is_empty() && !inventories.exists() {
            continue;
        }
        checked += 1;
        let all: String = names_in(&inventories)
            .iter()
            .map(|name| fs::read_to_string(inventories.join(format!("{name}.toml"))).expect("read"))
            .collect();
        for recipe in recipes {
            assert!(
                all.contains(&format!("\"{recipe}\"")),
                "{}: no inventory names `{recipe}`",
                page.name
            );
        }
        let output = shipit(&["validate"], project.path());
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{}:\n{}",
            page.name,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert!(checked >= 5, "{checked} projects");
}

#[test]
fn the_commands_are_commands() {
    let mut checked = 0;
    for page in pages() {
        for block in blocks(&page) {
            let commands = match &*block.kind {
                "sh" if block
                    .lines
                    .first()
                    .is_some_and(|line| line.starts_with("#!")) =>
                {
                    assert_shell_reads(&block);
                    continue;
                }
                "sh" => {
                    assert_shell_reads(&block);
                    commands(&block.lines)
                }
                "console" => commands(&prompted(&block)),
                "json" => {
                    for line in &block.lines {
                        serde_json::from_str::<serde_json::Value>(line)
                            .unwrap_or_else(|error| panic!("{}: {error}: {line}", block.place));
                    }
                    continue;
                }
                // Output alone: a command there would be one that nobody checks.
                "text" => {
                    assert!(
                        !block.lines.iter().any(|line| line.starts_with("$ ")),
                        "{}",
                        block.place
                    );
                    continue;
                }
                "mermaid" => {
                    assert_diagram_is_of_modules(&block);
                    continue;
                }
                // In `the_files_load`; a policy is given to Consul, and lines to nginx, by scenarios of the lab.
                "toml" | "handlebars" | "hcl" | "nginx" => continue,
                // Steps of a pipeline: `- run: shipit …` and `- shipit …`.
                "yaml" => {
                    let steps = block
                        .lines
                        .iter()
                        .map(|line| line.trim_start_matches([' ', '-']));
                    let steps = steps.map(|line| line.strip_prefix("run: ").unwrap_or(line));
                    let steps = steps.filter(|line| line.starts_with("shipit "));
                    commands(&steps.map(without_expressions).collect::<Vec<_>>())
                }
                kind => panic!(
                    "{}: what is to be done with a block of `{kind}`?",
                    block.place
                ),
            };
            for words in commands {
                checked += 1;
                check_command(&words, &block.place);
            }
        }
    }
    assert!(checked > 40, "{checked} commands");
}

#[test]
fn commands_within_sentences_are_commands() {
    let mut checked = 0;
    for page in pages() {
        let mut in_block = false;
        for (index, line) in page.text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                in_block = !in_block;
                continue;
            }
            let spans = line.split('`').skip(1).step_by(2).filter(|_| !in_block);
            for span in spans.filter(|span| span.starts_with("shipit ")) {
                checked += 1;
                let filled = span
                    .replace("ENV", "staging")
                    .replace("RECIPE", "web")
                    .replace("COMMAND", "deploy")
                    .replace("rN", "r1");
                check_command(&split(&filled), &format!("{}:{}", page.name, index + 1));
            }
        }
    }
    assert!(checked > 30, "{checked} commands");
}

/// A folder without a project, with what `shipit init --from` may be told to read.
fn folder_to_begin_in() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| fs::write(folder.path().join(path), text);
    fs::create_dir(folder.path().join("config")).expect("made");
    write("compose.yml", "services: { web: { image: nginx } }\n").expect("written");
    let kamal = "service: shop\nimage: acme/shop\nservers: [192.0.2.1]\n";
    write("config/deploy.yml", kamal).expect("written");
    folder
}

#[test]
fn what_contacts_no_host_is_run() {
    let mut ran = 0;
    for page in pages() {
        let project = project(&page);
        let has_files = project.path().join("inventory").exists();
        for block in blocks(&page) {
            let lines = match &*block.kind {
                "sh" => block.lines.clone(),
                "console" => prompted(&block),
                _ => continue,
            };
            for words in commands(&lines) {
                let offline = [
                    "init",
                    "validate",
                    "schema",
                    "completions",
                    "--version",
                    "--help",
                ];
                let is_offline = words.get(1).is_some_and(|word| offline.contains(&&**word));
                if words[0] != "shipit" || !is_offline {
                    continue;
                }
                let arguments: Vec<_> = words[1..].iter().map(String::as_str).collect();
                // A page without a project means the reader's own; this repository is one.
                let empty = folder_to_begin_in();
                let folder = if arguments[0] == "init" {
                    empty.path()
                } else if arguments[0] == "validate" && !has_files {
                    root()
                } else {
                    project.path()
                };
                let output = shipit(&arguments, folder);
                assert!(
                    output.status.success(),
                    "{}: {words:?}\n{}",
                    block.place,
                    String::from_utf8_lossy(&output.stderr)
                );
                ran += 1;
            }
        }
    }
    assert!(ran >= 6, "{ran} commands");
}

#[test]
fn every_command_and_exit_code_is_described() {
    let read = |name: &str| fs::read_to_string(root().join(name)).expect("a page");
    let (readme, reference) = (read("README.md"), read("docs/commands.md"));
    let program = commands::parser();
    for command in program
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        let name = command.get_name();
        let heading = |line: &str| {
            line.strip_prefix("## ")
                .is_some_and(|names| names.split(", ").any(|other| other == name))
        };
        assert!(
            reference.lines().any(heading),
            "docs/commands.md has no `## {name}`"
        );
        let offline_helper = ["schema", "completions"].contains(&name);
        let named = readme.contains(&format!("`shipit {name}`"))
            || (command.has_subcommands() && readme.contains(&format!("`shipit {name} ")));
        assert!(named || offline_helper, "README.md has no `shipit {name}`");
    }
    let outcomes = [
        Outcome::Done,
        Outcome::NothingToDo,
        Outcome::Failed,
        Outcome::Usage,
        Outcome::NotReady,
        Outcome::Locked,
        Outcome::Reverted,
        Outcome::Interrupted,
        Outcome::BrokenPipe,
    ];
    let expected: BTreeSet<String> = outcomes
        .iter()
        .map(|outcome| outcome.exit_code().to_string())
        .collect();
    for (page, text) in [("README.md", &readme), ("docs/commands.md", &reference)] {
        let rows = text
            .lines()
            .skip_while(|line| *line != "| code | meaning |")
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let codes: BTreeSet<String> = rows
            .filter_map(|row| Some(row.split('|').nth(1)?.trim().to_owned()))
            .collect();
        assert_eq!(codes, expected, "{page}");
    }
}

#[test]
fn the_list_of_commands_is_made_from_the_table() {
    const BEGIN: &str = "<!-- commands: made from src/commands/table.rs; \
        `INSTA_UPDATE=always cargo test --test readme` renews it -->\n";
    const END: &str = "<!-- end of commands -->\n";
    let path = root().join("docs/commands.md");
    let page = fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("where the list begins");
    let (_, after) = rest.split_once(END).expect("where the list ends");
    let renewed = format!("{before}{BEGIN}{}{END}{after}", commands::reference());
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&path, renewed).expect("written");
        return;
    }
    assert!(
        page == renewed,
        "the list in docs/commands.md is not what the commands say; \
         `INSTA_UPDATE=always cargo test --test readme` renews it"
    );
}

#[test]
fn links_lead_somewhere_and_every_page_is_linked() {
    let mut linked = BTreeSet::new();
    for page in pages() {
        let folder = Path::new(&page.name).parent().expect("a folder");
        for link in page
            .text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let name = if file.is_empty() {
                page.name.clone().into()
            } else {
                folder.join(file)
            };
            let path = root().join(&name);
            assert!(path.exists(), "{}: `{link}` leads nowhere", page.name);
            if page.name == "README.md" {
                linked.insert(name);
            }
            if !anchor.is_empty() {
                let text = fs::read_to_string(&path).expect("a page");
                let found = text
                    .lines()
                    .filter(|line| line.starts_with('#'))
                    .any(|line| slug(line) == anchor);
                assert!(found, "{}: `{link}` has no such heading", page.name);
            }
        }
    }
    for page in pages().iter().filter(|page| page.name != "README.md") {
        assert!(
            linked.contains(Path::new(&page.name)),
            "README.md does not link {}",
            page.name
        );
    }
}

/// GitHub's name for a heading.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn shipit(arguments: &[&str], folder: &Path) -> std::process::Output {
    assert_cmd::Command::cargo_bin("shipit")
        .expect("the program")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("it runs")
}

/// The commands of lines of shell, as words; a line that ends with `\` goes on.
fn commands(lines: &[String]) -> Vec<Vec<String>> {
    let text = lines.join("\n").replace("\\\n", " ");
    let words = text.lines().map(split);
    words.filter(|words| !words.is_empty()).collect()
}

/// The words of a simple command, up to a comment, a redirection or a pipe.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None if c == '#' && word.is_none() => break,
            None if ">|;&".contains(c) => break,
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// A step with `1` in the place of each `${{ … }}`, whose spaces are no words of the shell's, and of each `$NAME`.
fn without_expressions(step: &str) -> String {
    let mut parts = step.split('$');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let is_of_name = |c: char| c.is_ascii_uppercase() || c == '_';
        let rest = match part.split_once("}}") {
            Some((_, rest)) => rest,
            None => part.trim_start_matches(is_of_name),
        };
        format!("{text}1{rest}")
    })
}

fn check_command(words: &[String], place: &str) {
    let second = words.get(1).map_or("", String::as_str);
    match (&*words[0], second) {
        ("shipit", _) => assert_parses(words, place),
        ("cargo", "run") => {
            let ours = words.iter().skip_while(|word| *word != "--").skip(1);
            let words: Vec<_> = std::iter::once("shipit".to_owned())
                .chain(ours.cloned())
                .collect();
            assert_parses(&words, place);
        }
        ("make", target) => {
            let makefile = fs::read_to_string(root().join("Makefile")).expect("the Makefile");
            let is_target = makefile
                .lines()
                .any(|line| line.starts_with(&format!("{target}:")));
            assert!(is_target, "{place}: `make {target}` is no target");
        }
        known => assert!(
            OTHERS.contains(&known),
            "{place}: is `{}` right?",
            words.join(" ")
        ),
    }
}

fn assert_parses(words: &[String], place: &str) {
    if let Err(error) = commands::parser().try_get_matches_from(words) {
        let fine = match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
            // `shipit lock` within a sentence names the command.
            ErrorKind::MissingRequiredArgument => words.len() == 2,
            _ => false,
        };
        assert!(fine, "{place}: {}\n{error}", words.join(" "));
    }
}

fn assert_shell_reads(block: &Block) {
    let script = block.lines.join("\n");
    let output = Command::new("sh")
        .args(["-n", "-c", &script])
        .output()
        .expect("sh");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", block.place);
}

/// Every name in the diagram that is not a label is a module of the crate.
fn assert_diagram_is_of_modules(block: &Block) {
    assert!(block.lines[0].starts_with("flowchart"), "{}", block.place);
    for line in &block.lines[1..] {
        let names = line
            .split("-->")
            .flat_map(|part| part.split(" -- ").take(1));
        for name in names.map(str::trim) {
            let name: String = name.chars().take_while(|c| c.is_alphanumeric()).collect();
            let module = root().join("src").join(&name);
            let outside = ["files", "hosts"].contains(&&*name);
            let is_there = module.is_dir() || module.with_extension("rs").is_file();
            assert!(
                outside || is_there,
                "{}: there is no module `{name}`",
                block.place
            );
        }
    }
}

#[test]
fn words_are_split_as_a_shell_does() {
    let words = split;
    assert_eq!(
        words("shipit exec -- sh -c 'a | b' # all"),
        ["shipit", "exec", "--", "sh", "-c", "a | b"]
    );
    assert_eq!(
        words("shipit completions bash > ~/x"),
        ["shipit", "completions", "bash"]
    );
    assert!(words("# nothing").is_empty());
    let parse = |words: &[&str]| commands::parser().try_get_matches_from(words);
    let renamed = parse(&["shipit", "deploy", "--promoted"]).expect_err("no such flag");
    assert_eq!(renamed.kind(), ErrorKind::UnknownArgument);
    let deploy = parse(&["shipit", "deploy"]).expect("a command");
    assert_eq!(deploy.subcommand_name(), Some("deploy"));
}

/// The source of a folder's tests, as one text.
fn source_of(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            text += &source_of(&path);
        } else if path.extension().is_some_and(|it| it == "rs") {
            text += &fs::read_to_string(&path).expect("a source file");
        }
    }
    text
}

#[test]
fn every_claim_about_security_has_its_tests() {
    let page = fs::read_to_string(root().join("docs/security.md")).expect("the page");
    let source = source_of(&root().join("src")) + &source_of(&root().join("tests"));
    let mut claims = 0;
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let last = cells.last().copied().unwrap_or_default();
        if last == "tests" || !last.starts_with('`') {
            continue;
        }
        claims += 1;
        for test in last.split(", ").map(|name| name.trim_matches('`')) {
            // A scenario on real hosts is called by its module, too.
            let is_there =
                source.contains(&format!("fn {test}(")) || source.contains(&format!("\"{test}\""));
            assert!(is_there, "docs/security.md: there is no test `{test}`");
        }
    }
    assert!(claims > 10, "{claims} claims");
}
