//! Previews beside their environment: under requests, many of them, and gone without a trace.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    lab::{self, APPS, HOST_1, HOST_2, HOST_3, HOSTS, of_recipe},
    load::{Load, Tally},
    project::Project,
    stage::{Stage, both_answer, other},
};

const INVENTORY: &str = "inventory/staging.toml";
const RECIPE: &str = "recipes/flask-nanoservice.toml";

/// All that `docs/environments.md` adds to the reference topology.
const EDITS: [(&str, &str, &str); 3] = [
    (
        RECIPE,
        r#"env = { SERVICE_NAME = "flask-nanoservice", SERVICE_CHECK_HTTP"#,
        r#"env = { SERVICE_NAME = "flask-nanoservice{{#if preview}}-{{preview}}{{/if}}", SERVICE_TAGS = "{{#if preview}}host={{preview}}.{{environment}}.test{{/if}}", SERVICE_CHECK_HTTP"#,
    ),
    (
        RECIPE,
        r#"consul = "flask-nanoservice""#,
        r#"consul = "flask-nanoservice{{#if preview}}-{{preview}}{{/if}}""#,
    ),
    (
        INVENTORY,
        "[vars]",
        "[previews]\nrecipes = [\"flask-nanoservice\"]\n\n[vars]",
    ),
];

/// How many lines may be added or changed for any number of previews.
const MOST_LINES: usize = 20;

/// The longest that a new preview may take whose image is there. It is told, and judged loosely: what else this machine
/// does is not what is tested.
const NEW_PREVIEW: Duration = Duration::from_secs(15);

fn project(stage: &Stage, name: &str) -> Project {
    let project = stage.quick(name);
    for (path, old, new) in EDITS {
        project.edit(path, old, new);
    }
    project
}

/// The lines that previews have cost, added or changed.
fn lines(stage: &Stage, project: &Project) -> usize {
    [INVENTORY, RECIPE]
        .map(|path| {
            let read = |project: &Project| fs::read_to_string(project.path(path)).expect("a file");
            let before = read(&stage.quick("base"));
            let after = read(project);
            let before: Vec<_> = before.lines().collect();
            after.lines().filter(|line| !before.contains(line)).count()
        })
        .iter()
        .sum()
}

/// What the balancer answers for a host name.
fn get(name: &str) -> Result<String, String> {
    let output = Command::new("curl")
        .args(["-fsS", "--max-time", "10", "-H"])
        .args([&format!("Host: {name}"), &lab::url()])
        .output()
        .expect("curl");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

#[track_caller]
fn answers(preview: &str, version: &str) {
    let name = format!("{preview}.staging.test");
    lab::eventually(&name, Duration::from_secs(5), || {
        let answer = get(&name)?;
        let is_it = answer.ends_with(&format!("({version})"));
        if is_it { Ok(()) } else { Err(answer) }
    });
}

/// What is left of a preview, wherever one could look.
fn traces(preview: &str) -> Vec<String> {
    let environment = format!("staging.{preview}");
    let mut traces = Vec::new();
    let mut look = |what: &str, text: &str, wanted: &str| {
        let lines = text.lines().filter(|line| line.contains(wanted));
        traces.extend(lines.map(|line| format!("{what}: {}", line.trim())));
    };
    for host in HOSTS {
        let containers = host.run("docker ps --all --format '{{.Names}} {{.Labels}}'");
        look("container", &containers, &environment);
        let volumes = host.run("docker volume ls --format '{{.Name}} {{.Labels}}'");
        look("volume", &volumes, &environment);
        look(
            "lock",
            &host.run("ls /run/shipit /tmp 2>&1 || :"),
            &environment,
        );
    }
    let services = lab::consul(HOST_3, "catalog/services").to_string();
    look("service", &services, &format!("-{preview}\""));
    let nginx = HOST_3.run("docker exec dr-con nginx -T 2>&1");
    look("nginx", &nginx, &format!("{preview}.staging.test"));
    traces
}

#[track_caller]
fn leaves_no_trace(preview: &str) {
    // DR-CoN hears of it a moment later.
    lab::eventually(preview, Duration::from_secs(5), || {
        let traces = traces(preview);
        if traces.is_empty() {
            Ok(())
        } else {
            Err(traces.join("\n"))
        }
    });
}

fn of_staging() -> String {
    HOSTS
        .map(|host| host.containers("--all --filter label=shipit.environment=staging"))
        .concat()
        .join("\n")
}

#[track_caller]
fn nothing_lost(what: &str, tally: &Tally) {
    assert!(tally.requests > 100, "{what}: only {}", tally.requests);
    assert_eq!(tally.lost(), 0, "{what}: {:#?}", tally.lost);
}

pub fn two_under_requests(stage: &Stage) {
    let version = stage.now();
    let project = project(stage, "previews");
    project.ok(&format!("deploy staging --set version={version}"));
    let (one, two) = (version, other(version));
    // One that is refused was never there.
    project
        .shipit("deploy staging --as pr-9 --set version=never-built")
        .exits(3);
    leaves_no_trace("pr-9");
    for (preview, version) in [("pr-1", one), ("pr-2", two)] {
        let run = project.ok(&format!(
            "deploy staging --as {preview} --set version={version}"
        ));
        run.says(&format!("deployed r1 to staging.{preview}"));
        answers(preview, version);
        for host in APPS {
            let containers = host.containers(&of_recipe(
                &format!("staging.{preview}"),
                "flask-nanoservice",
            ));
            let expected = format!("staging.{preview}.flask-nanoservice-r1");
            assert_eq!(containers, [expected]);
        }
    }
    both_answer(version);
    let before = of_staging();

    // Each under requests of its own while one after the other is replaced.
    let address = |preview: &str| {
        let to = format!("{preview}.staging.test@192.168.50.103:80");
        lab::all_here(&[&to])
    };
    let loads = ["pr-1", "pr-2"].map(|preview| (preview, Load::start(address(preview))));
    stage.loses_nothing("two previews beside their base", |_| {
        let of_one = project.ok(&format!("deploy staging --as pr-1 --set version={two}"));
        answers("pr-1", two);
        assert_eq!(of_staging(), before, "the base is left alone");
        let of_two = project.ok("rollback staging --as pr-1");
        answers("pr-1", one);
        let restarted = project.ok("restart staging flask-nanoservice");
        vec![(&of_one).into(), (&of_two).into(), (&restarted).into()]
    });
    for (preview, load) in loads {
        nothing_lost(preview, &load.stop());
    }
    answers("pr-2", two);

    // What is understood without the base, and what is not.
    project.ok("status pr-2").says(two);
    project.ok("history pr-1").says("rollback to r1");
    project.ok("logs pr-1 --since 1h").says("host-1");
    project
        .shipit("deploy pr-3")
        .exits(2)
        .says("no environment `pr-3`")
        .says("shipit deploy staging --as pr-3");
    project
        .shipit("down staging --yes")
        .exits(3)
        .says("`staging` is needed by its previews")
        .says("shipit down staging.pr-1");
    // The lock of one is nobody else's.
    project.ok("lock staging --as pr-1 -m \"not now\"");
    project
        .shipit("deploy staging --as pr-1 --set version=v1")
        .exits(4)
        .says("not now");
    project
        .ok(&format!("plan staging --as pr-2 --set version={one}"))
        .says("replace");
    project.ok("unlock pr-1");
    let status = project.ok("status staging");
    status.says("pr-1").says("pr-2").says("flask-nanoservice");
    let (run, events) = project.events("previews staging");
    run.exits(0);
    let listed = events.iter().find(|event| event["event"] == "previews");
    let listed = listed.expect("the event")["previews"].clone();
    let names: Vec<_> = listed.as_array().expect("a list").iter().collect();
    assert_eq!(names.len(), 2, "{listed:#}");
    let of = |name: &str| {
        let found = names.iter().find(|row| row["preview"] == *name);
        found.map_or(Value::Null, |row| (*row).clone())
    };
    assert_eq!(of("pr-1")["versions"][0]["version"], one);
    assert_eq!(of("pr-1")["release"]["release"], "r3");
    assert_eq!(
        (&of("pr-2")["running"], &of("pr-2")["wanted"]),
        (&2.into(), &2.into())
    );

    goes_with_its_console(&project);
    leaves_no_trace("pr-1");
    answers("pr-2", two);
    project.ok("down staging.pr-2 --yes");
    leaves_no_trace("pr-2");
    both_answer(version);
    stage.serve(version);
}

/// Removes `pr-1` while somebody is at a console in a container of its own: that is none of the preview's containers, and
/// goes with it.
fn goes_with_its_console(project: &Project) {
    let console = "console pr-1 flask-nanoservice --limit host-1 --new -- sleep 600";
    let console = project.start(console);
    let one_off = "--filter label=shipit.one-off --filter label=shipit.preview-of=staging";
    lab::eventually("the console's container", Duration::from_secs(60), || {
        let there = HOST_1.containers(one_off);
        (there.len() == 1).then_some(()).ok_or(format!("{there:?}"))
    });
    let (_, events) = project.events("previews staging");
    let listed = events.iter().find(|event| event["event"] == "previews");
    let rows = listed.expect("the event")["previews"].as_array();
    let rows = rows.expect("a list").iter();
    let running: Vec<_> = rows.map(|row| &row["running"]).collect();
    assert_eq!(running, [&Value::from(2), &Value::from(2)]);
    project.ok("down pr-1 --yes");
    assert_ne!(console.finish().code, Some(0));
}

/// How many: a few unless `PREVIEWS=10` asks for more, as each takes its seconds.
fn many() -> usize {
    let asked = std::env::var("PREVIEWS").ok();
    asked.map_or(4, |number| number.parse().expect("PREVIEWS is a number"))
}

pub fn many_from_one_base(stage: &Stage) {
    let version = stage.now();
    let project = project(stage, "many-previews");
    let lines = lines(stage, &project);
    assert!(lines <= MOST_LINES, "{lines} lines of TOML");
    project.ok(&format!("deploy staging --set version={version}"));
    let before = of_staging();
    let many = many();
    let names: Vec<_> = (1..=many).map(|number| format!("pr-{number:02}")).collect();
    let mut times = Vec::new();
    for name in &names {
        let began = Instant::now();
        project.ok(&format!("deploy staging --as {name} --set version=v3"));
        times.push(began.elapsed());
        answers(name, "v3");
    }
    times.sort();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    stage.tell(format!(
        "{many} environments from one base: {lines} lines of TOML beyond it; a new one takes {median:.1?} (median), {longest:.1?} at most; below {NEW_PREVIEW:?}: {}",
        if longest < NEW_PREVIEW { "met" } else { "NOT met" }
    ));
    assert!(median < 4 * NEW_PREVIEW, "{times:?}");
    assert_eq!(of_staging(), before);
    both_answer(version);

    // A nightly job.
    project
        .ok("previews staging --prune --yes")
        .says(&format!("all {many} previews stay"));
    project.edit(INVENTORY, "[previews]", "[previews]\nlimit = 2");
    project
        .shipit("previews staging --prune")
        .exits(2)
        .says("`--yes`");
    let pruned = project.ok("previews staging --prune --yes");
    let (gone, stay) = names.split_at(many - 2);
    for name in gone {
        pruned.says(&format!("removed `staging.{name}`"));
        leaves_no_trace(name);
    }
    for name in stay {
        answers(name, "v3");
    }
    project.edit(INVENTORY, "limit = 2", "keep = \"1s\"");
    std::thread::sleep(Duration::from_secs(1));
    project
        .ok("previews staging --prune --yes")
        .says("older than 1s");
    for name in &names {
        leaves_no_trace(name);
    }
    assert_eq!(of_staging(), before);
    both_answer(version);
    stage.serve(version);
}

pub fn without_its_base(stage: &Stage) {
    stage.now();
    let project = project(stage, "lonely");
    project.write(
        "inventory/lonely.toml",
        "extends = \"staging\"\n\n[previews]\nrecipes = [\"flask-nanoservice\"]\n",
    );
    let before = lab::everything();
    project
        .shipit("deploy lonely --as pr-1")
        .exits(3)
        .says("`registrator` of `lonely` does not run on `host-1` and `host-2`, and `flask-nanoservice` needs it")
        .says("shipit deploy lonely");
    assert_eq!(lab::everything(), before);

    // One that needs nothing of its base, with a volume of its own.
    project.write(
        "inventory/alone.toml",
        "extends = \"staging\"\nrecipes = [\"alone\"]\n\n[previews]\nrecipes = [\"alone\"]\n",
    );
    project.write(
        "recipes/alone.toml",
        r#"
hosts = "host-2"

[container]
image = "{{flask_image}}:{{version}}"
publish_all = true
volumes = ["files:/files"]
"#,
    );
    project.ok("deploy alone --as pr-1 --set version=v1");
    let volumes = || HOST_2.run("docker volume ls --quiet");
    assert!(volumes().contains("alone.pr-1.files"), "{}", volumes());
    project.ok("down alone --as pr-1 --yes");
    assert!(!volumes().contains("alone.pr-1"), "{}", volumes());
    assert_eq!(lab::everything(), before);

    project
        .shipit("status pr-1")
        .exits(2)
        .says("no environment `pr-1`; a preview of which one? `alone`, `lonely` and `staging` have some")
        .says("shipit status staging --as pr-1");
}

/// The commands of the workflow files in `docs/environments.md`, as CI runs them for pull request 7.
pub fn workflows(stage: &Stage) {
    let version = stage.now();
    let project = project(stage, "workflows");
    project.ok(&format!("deploy staging --set version={version}"));
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/environments.md"));
    let page = page.expect("the page");
    let ci = [
        ("${{ github.event.number }}", "7"),
        ("${{ github.event.pull_request.head.sha }}", "v3"),
        ("$CI_MERGE_REQUEST_IID", "7"),
        ("$CI_COMMIT_SHA", "v3"),
    ];
    let mut ran = 0;
    for block in page.split("```yaml\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        let commands = block.lines().filter_map(|line| {
            let line = line
                .trim()
                .trim_start_matches("- ")
                .trim_start_matches("run: ");
            line.strip_prefix("shipit ")
        });
        for command in commands {
            let mut command = command.to_owned();
            for (name, value) in ci {
                command = command.replace(name, value);
            }
            assert!(!command.contains('$'), "{command}");
            project.ok(&command);
            ran += 1;
            if command.starts_with("deploy") {
                answers("pr-7", "v3");
            } else if command.starts_with("down") {
                leaves_no_trace("pr-7");
            }
        }
    }
    assert!(ran >= 6, "only {ran} commands");
    stage.serve(version);
}
