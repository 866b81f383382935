//! Every command block of the README, run on the hosts in the README's order. What a block shows must be
//! what is shown, but for numbers, times and digests.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    fresh,
    lab::{self, APPS, HOST_1, HOST_2},
    pages::{self, Block},
    project::{Project, Run},
    stage::{Stage, both_answer},
};

/// What a block's first command is, and how the block is run.
type Way = (&'static str, fn(&Stage, &Block));

const WAYS: &[Way] = &[
    (
        "shipit init --host web-1=10.0.0.11 --host web-2=10.0.0.12 --host web-3=10.0.0.13 --user deploy --recipe web=nginx:1.27 --publish web=8080:80",
        begin,
    ),
    ("shipit deploy staging --set version=v2", deploy),
    ("shipit rollback staging", rollback),
    ("shipit deploy staging --set version=bad", bad_version),
    ("cargo install --locked --path .", install),
    ("rustup target add x86_64-unknown-linux-musl", |_, _| {}), // see `NOT_RUN`
    (
        "mkdir -p ~/.local/share/bash-completion/completions",
        completions,
    ),
    ("make demo", demo),
    ("shipit status", play),
    ("shipit validate", own_project),
    ("shipit deploy production --promote --output json", in_ci),
];

/// Commands that are shown and not run, each for a reason of its own.
const NOT_RUN: &[(&str, &str)] = &[
    (
        "make lab-down",
        "the lab is still needed; `make test` ends with it",
    ),
    (
        "rustup target add x86_64-unknown-linux-musl",
        "downloads a part of Rust",
    ),
    (
        "cargo build --release --target x86_64-unknown-linux-musl",
        "needs what that downloads",
    ),
];

pub fn every_block(stage: &Stage) {
    stage.project().ok("deploy staging");
    both_answer("v1");
    let pages = pages::pages();
    let readme = pages.iter().find(|page| page.name == "README.md");
    let blocks = pages::blocks(readme.expect("the README"));
    let mut ways = WAYS.iter();
    for block in blocks
        .iter()
        .filter(|block| ["sh", "console"].contains(&&*block.kind))
    {
        let lines = typed(block);
        let way = ways
            .next()
            .filter(|(first, _)| lines.first().is_some_and(|line| line == first));
        let (_, way) = way.unwrap_or_else(|| panic!("{}: how is {lines:?} run?", block.place));
        way(stage, block);
    }
    assert_eq!(
        ways.next().map(|(first, _)| first),
        None,
        "no block begins with it"
    );
    // The README deploys `latest` too, which answers like `v1`.
    stage.serve("v1");
}

/// The lines that are typed in a block, without comments. A line that ends with `\` goes on.
pub fn typed(block: &Block) -> Vec<String> {
    let lines = match &*block.kind {
        "console" => pages::prompted(block),
        _ => block.lines.clone(),
    };
    let lines = lines.join("\n").replace("\\\n    ", "");
    let lines: Vec<_> = lines.lines().collect();
    let lines = lines.iter().map(|line| {
        line.split(" #")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    });
    lines.filter(|line| !line.is_empty()).collect()
}

/// The arguments of the block's only command, which must be `shipit`'s.
#[track_caller]
fn arguments(block: &Block) -> String {
    let lines = typed(block);
    let [line] = lines.as_slice() else {
        panic!("{}: one command is expected: {lines:?}", block.place);
    };
    line.strip_prefix("shipit ").expect("shipit").to_owned()
}

/// `fresh::a_newcomer_types_what_the_readme_says` types it, on fresh hosts; a second time would take two minutes.
fn begin(_: &Stage, block: &Block) {
    assert_eq!(typed(block), fresh::typed_by_the_newcomer());
}

fn deploy(stage: &Stage, block: &Block) {
    let run = stage.project().ok(&arguments(block));
    shows(block, &run);
    run.says(" requests during the rollout, 0 failed");
    both_answer("v2");
}

fn bad_version(stage: &Stage, block: &Block) {
    // The deadline that is waited for is shown as a number; a shorter one tells the same.
    let project = stage.copy("readme-bad");
    project.edit("recipes/flask-nanoservice.toml", "\"60s\"", "\"6s\"");
    let run = project.shipit(&arguments(block));
    run.exits(5).says(" requests during the rollout, 0 failed");
    shows(block, &run);
    both_answer("v1");
}

fn rollback(stage: &Stage, block: &Block) {
    let run = stage.project().ok(&arguments(block));
    shows(block, &run);
    run.says(" requests during the rollout, 0 failed");
    both_answer("v1");
}

fn install(_: &Stage, block: &Block) {
    // Without optimising, and into a folder of its own: else as it is typed. `lab/test` has done so before, while the
    // hosts came up, so this finds nearly all built.
    let root = pages::root().join("target/installed");
    let mut lines = typed(block).into_iter();
    let line = lines.next().expect("cargo install");
    let build = format!("{line} --debug --quiet --root '{}'", root.display());
    shell(pages::root(), &build, &[]);
    let version = lines.next().expect("shipit --version");
    let path = format!("{}:{}", root.join("bin").display(), path());
    let said = shell(pages::root(), &version, &[("PATH", &path)]);
    assert_eq!(said.trim(), concat!("shipit ", env!("CARGO_PKG_VERSION")));
}

fn completions(_: &Stage, block: &Block) {
    let home = tempfile::tempdir().expect("a home");
    let (folder, home) = (folder_of_shipit(), home.path());
    let path = format!("{}:{}", folder.display(), path());
    let variables = [("PATH", &*path), ("HOME", home.to_str().expect("UTF-8"))];
    shell(pages::root(), &typed(block).join("\n"), &variables);
    let written = home.join(".local/share/bash-completion/completions/shipit");
    let script = format!(
        "bash -c '. \"$0\" && complete -p shipit' '{}'",
        written.display()
    );
    shell(pages::root(), &script, &[]);
}

fn demo(_: &Stage, block: &Block) {
    // With this build instead of an optimised one.
    let shipit = folder_of_shipit().join("shipit");
    let variables = [("SHIPIT", shipit.to_str().expect("UTF-8"))];
    let said = shell(pages::root(), &typed(block).join("\n"), &variables);
    assert!(
        said.contains("nothing to do: staging is up to date"),
        "{said}"
    );
    assert!(said.contains("both app containers answer"), "{said}");
}

fn play(stage: &Stage, block: &Block) {
    let project = stage.project();
    for line in typed(block) {
        if is_run(&line) {
            let words = line.strip_prefix("shipit ").expect("shipit");
            project.ok(words);
        }
    }
    both_answer("v1");
}

/// The files that the README shows, on hosts and with an image that are there. Its environment gets another
/// name: one `staging` is on these hosts already.
fn own(stage: &Stage) -> Project {
    let project = stage.copy("readme-own");
    for folder in ["inventory", "recipes"] {
        std::fs::remove_dir_all(project.path(folder)).expect("removed");
    }
    let pages = pages::pages();
    let readme = pages.iter().find(|page| page.name == "README.md");
    for block in pages::blocks(readme.expect("the README")) {
        if block.kind == "toml" {
            let name = block.lines[0].strip_prefix("# ").expect("its name");
            let name = name.replace("staging", "production");
            project.write(&name, &(block.lines.join("\n") + "\n"));
        }
    }
    let inventory = "inventory/production.toml";
    for (shown, here) in [("10.0.0.11", HOST_1), ("10.0.0.12", HOST_2)] {
        project.edit(inventory, shown, &here.address());
    }
    let known_hosts = pages::root().join("lab/.state/known_hosts");
    project.edit(
        inventory,
        "user = \"deploy\"\n",
        &format!(
            "user = \"vagrant\"\nidentity_file = \"~/.vagrant.d/insecure_private_key\"\nknown_hosts_file = \"{}\"\n\n[images]\nsource = \"local\"\n",
            known_hosts.display()
        ),
    );
    project.edit(inventory, "version = \"1.27\"", "version = \"v1\"");
    let recipe = "recipes/web.toml";
    project.edit(recipe, "nginx:", "shipit-lab/flask-nanoservice:");
    project.edit(recipe, "8080:80", "8080:5000");
    project
}

fn own_project(stage: &Stage, block: &Block) {
    let project = own(stage);
    for line in typed(block) {
        project.ok(line.strip_prefix("shipit ").expect("shipit"));
    }
    for host in APPS {
        let answer = lab::get(&format!("http://{}:8080/", host.address()));
        assert!(
            answer.as_ref().is_ok_and(|body| body.contains("(v1)")),
            "{answer:?}"
        );
    }
}

fn in_ci(stage: &Stage, block: &Block) {
    let project = own(stage);
    let line = arguments(block);
    let run = project.ok(&line);
    let last = run.text.lines().last().unwrap_or_default();
    let event: serde_json::Value = serde_json::from_str(last).expect("an event");
    assert_eq!(event["outcome"], "nothing-to-do", "{event}");
    project.ok("down production --yes");
}

/// Whether a command that is shown is to be run, too.
fn is_run(line: &str) -> bool {
    !NOT_RUN.iter().any(|(not_run, _)| *not_run == line)
}

fn path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

fn folder_of_shipit() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_shipit")).parent();
    folder.expect("a folder").to_owned()
}

/// Runs lines of shell, which must succeed; what they print.
#[track_caller]
fn shell(folder: &Path, script: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new("sh")
        .args(["-ec", script])
        .current_dir(folder)
        .envs(variables.iter().copied())
        .output()
        .expect("sh");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}:\n{said}{complained}");
    said + &complained
}

/// That a block's output is what was shown: line after line, `…` standing for any number of lines.
#[track_caller]
fn shows(block: &Block, run: &Run) {
    let shown: Vec<_> = run.text.lines().map(shape).collect();
    let mut next = 0;
    let mut may_skip = false;
    for line in block.lines.iter().filter(|line| !line.starts_with("$ ")) {
        if line.trim() == "…" {
            may_skip = true;
            continue;
        }
        let wanted = shape(line);
        let found = shown[next..].iter().position(|line| *line == wanted);
        let found = found.filter(|skipped| *skipped == 0 || may_skip);
        let skipped = found.unwrap_or_else(|| {
            panic!(
                "{}: `{line}` is not what follows, in:\n{}",
                block.place, run.text
            )
        });
        next += skipped + 1;
        may_skip = false;
    }
}

/// A line without what differs from run to run.
fn shape(line: &str) -> String {
    let (mut shape, mut rest) = (String::new(), line.trim_end());
    while let Some(first) = rest.chars().next() {
        if let Some(digest) = rest.strip_prefix("sha256:") {
            shape.push_str("sha256:#");
            rest = digest.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        } else if first.is_ascii_digit() {
            shape.push('#');
            rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || ".,:".contains(c));
        } else {
            shape.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    shape
}
