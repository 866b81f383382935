//! What the records of some releases say, and where a rollback may go.

use std::collections::BTreeMap;

use jiff::Timestamp;

use secrecy::ExposeSecret;

use super::{Again, Hashes, Places, from_records, records, rollback_target};
use crate::{
    docker::{Identity, PinnedImage, SpecHash, Volume, label, parse_containers},
    event::{Events, Outcome as RunOutcome},
    facts::{Facts, HostFacts},
    hosts::Run,
    model::{Environment, HostName, Name, testing::TestProject},
    plan::{Desired, DesiredState, Scope},
    release::{Action, Found, History, Notes, Number, Outcome, Record, Terms, read_records},
    secrets::Secrets,
};

/// Two hosts, of which the first keeps the lock, and two recipes on each.
fn environment() -> Environment {
    environment_with("")
}

/// The same, with more keys in the recipes' containers.
fn environment_with(more: &str) -> Environment {
    let project = TestProject::new();
    let write = |path: &str, text: &str| project.write(path, text);
    write(
        "inventory/staging.toml",
        "recipes = [\"db\", \"web\"]\n[hosts]\na = { address = \"192.0.2.1\" }\nb = { address = \"192.0.2.2\" }\n",
    );
    for recipe in ["db", "web"] {
        let text = format!("hosts = \"all\"\n[container]\nimage = \"{recipe}\"\n{more}");
        write(&format!("recipes/{recipe}.toml"), &text);
    }
    project.environment()
}

fn template(number: u64, outcome: Outcome) -> Record {
    Record {
        number: Number(number),
        environment: "staging".into(),
        preview_of: None,
        host: "".into(),
        action: Action::Deploy,
        by: "alice@laptop".into(),
        started: Timestamp::UNIX_EPOCH,
        finished: None,
        revision: None,
        outcome,
        recipes: BTreeMap::new(),
        notes: Notes::default(),
    }
}

/// A release that succeeds and brings these recipes to these hosts, in a scope of hosts and recipes.
fn release(history: &mut History, wanted: &[(&str, &str)], hosts: &[&str], recipes: &[&str]) {
    release_but(history, wanted, hosts, recipes, &[]);
}

/// The same, which leaves some alone.
fn release_but(
    history: &mut History,
    wanted: &[(&str, &str)],
    hosts: &[&str],
    recipes: &[&str],
    left_alone: &[(&str, &str)],
) {
    let environment = environment();
    let number = history.next_number();
    let mut desired = DesiredState::new();
    for (host, recipe) in wanted {
        let host = HostName::from(*host);
        let on = &environment.recipe(recipe).expect("a recipe").by_host[&host];
        let one = Desired {
            spec: on.container.clone().expect("a container"),
            image: PinnedImage {
                reference: format!("{recipe}@{number}"),
                digest: number.to_string(),
                id: None,
            },
            instances: 1,
            secrets: BTreeMap::new(),
            unread: None,
            stopped: None,
        };
        let recipe: Name = recipe.parse().expect("a name");
        desired.entry(recipe).or_default().insert(host, one);
    }
    let scope = Scope {
        recipes: recipes
            .iter()
            .map(|name| name.parse().expect("a name"))
            .collect(),
        hosts: hosts.iter().map(|host| HostName::from(*host)).collect(),
    };
    let template = template(number.0, Outcome::Succeeded);
    let hash = |(host, recipe): &(&str, &str)| {
        let place = (recipe.parse().expect("a name"), HostName::from(*host));
        (place, hash_of(number.0))
    };
    let hashes: Hashes = wanted.iter().map(hash).collect();
    let place = |(host, recipe): &(&str, &str)| {
        let name: Name = recipe.parse().expect("a name");
        (name, HostName::from(*host))
    };
    let left_alone: Places = left_alone.iter().map(place).collect();
    let made = records(
        &environment,
        &template,
        &scope,
        &desired,
        history,
        (&hashes, &left_alone),
    );
    history.add(&made);
}

/// The hash of what a release made.
fn hash_of(release: u64) -> String {
    format!("{release:032x}")
}

/// What each host had at a release: `a: db@r1 web@r1`.
fn had(history: &History, number: u64) -> Vec<String> {
    let of = |host: &str| {
        let record = history.at(&host.into(), Number(number));
        record.map_or(format!("{host}: no record"), |record| {
            let images = record
                .recipes
                .values()
                .map(|recipe| &*recipe.image.reference);
            format!("{host}: {}", images.collect::<Vec<_>>().join(" "))
        })
    };
    ["a", "b"].map(of).to_vec()
}

const EVERYTHING: [(&str, &str); 4] = [("a", "db"), ("a", "web"), ("b", "db"), ("b", "web")];

#[test]
fn a_release_that_is_limited_changes_no_record_of_what_it_leaves_alone() {
    let mut history = History::default();
    release(&mut history, &EVERYTHING, &[], &[]);
    release(&mut history, &EVERYTHING[2..], &["b"], &[]);
    assert_eq!(had(&history, 2), ["a: db@r1 web@r1", "b: db@r2 web@r2"]);
    release(&mut history, &EVERYTHING, &[], &["web"]);
    assert_eq!(had(&history, 3), ["a: db@r1 web@r3", "b: db@r2 web@r3"]);
    release(&mut history, &EVERYTHING[2..], &["b"], &["db"]);
    assert_eq!(had(&history, 4), ["a: db@r1 web@r3", "b: db@r4 web@r3"]);
}

#[test]
fn an_accessory_that_is_left_alone_stays_in_the_record_as_it_is() {
    let mut history = History::default();
    release(&mut history, &EVERYTHING, &[], &[]);
    release_but(&mut history, &EVERYTHING, &[], &[], &[("a", "db")]);
    assert_eq!(had(&history, 2), ["a: db@r1 web@r2", "b: db@r2 web@r2"]);
    // Also where the files want none of it any more.
    release_but(&mut history, &EVERYTHING[1..], &[], &[], &[("a", "db")]);
    assert_eq!(had(&history, 3), ["a: db@r1 web@r3", "b: db@r3 web@r3"]);
}

#[test]
fn a_host_that_has_nothing_any_more_has_a_record_of_that() {
    let mut history = History::default();
    release(&mut history, &EVERYTHING, &[], &[]);
    release(&mut history, &EVERYTHING[..2], &[], &[]);
    assert_eq!(had(&history, 2), ["a: db@r2 web@r2", "b: "]);
    assert_eq!(had(&history, 1), ["a: db@r1 web@r1", "b: db@r1 web@r1"]);
}

#[test]
fn only_a_release_that_succeeded_is_one_to_go_back_to() {
    let environment = environment();
    let mut history = History::default();
    let target = |history: &History, to: Option<u64>| {
        rollback_target(&environment, history, to.map(Number)).map_err(|stop| {
            assert_eq!(stop.report.hint.as_deref(), Some("shipit history staging"));
            stop.report.message
        })
    };
    let none = "`staging` has no earlier successful release to go back to";
    assert_eq!(target(&history, None), Err(none.to_owned()));
    release(&mut history, &EVERYTHING, &[], &[]);
    assert_eq!(target(&history, None), Err(none.to_owned()));
    let failed = Record {
        host: "a".into(),
        ..template(2, Outcome::Reverted)
    };
    history.add(&[failed]);
    assert_eq!(target(&history, None), Ok(Number(1)));
    assert_eq!(target(&history, Some(1)), Ok(Number(1)));
    let reverted = "r2 of `staging` cannot be rolled back to: it failed and was reverted";
    assert_eq!(target(&history, Some(2)), Err(reverted.to_owned()));
    assert_eq!(
        target(&history, Some(9)),
        Err("there is no release r9 of `staging`".to_owned())
    );
}

/// A record as somebody could write it who may use docker on host `b`: it names a command, a file and a variable of
/// the deployer's, beside the names that the recipe had.
fn forged(folder: &std::path::Path, secrets: &[&str]) -> History {
    let sources: serde_json::Map<_, _> = secrets
        .iter()
        .zip(["command", "file", "env"].iter().cycle())
        .map(|(name, kind)| {
            let source = match *kind {
                "command" => format!("id > {}/written-by-the-record; date", folder.display()),
                "file" => "/etc/hostname".to_owned(),
                _ => "HOME".to_owned(),
            };
            ((*name).to_owned(), serde_json::json!({ *kind: source }))
        })
        .collect();
    let mut written = serde_json::to_value(Record {
        host: "b".into(),
        ..template(1, Outcome::Succeeded)
    })
    .expect("a record");
    written["recipes"]["web"] = serde_json::json!({
        "spec": { "image": "web", "secrets": sources, "stop_timeout": { "secs": 30, "nanos": 0 } },
        "image": { "reference": "web:1", "digest": "sha256:aa" },
        "instances": 1,
        "hash": "deadbeefdeadbeefdeadbeefdeadbeef",
    });
    let record: Record = serde_json::from_value(written.clone()).expect("a record");
    let mut volume = Volume {
        name: record.volume_name(),
        labels: record.volume_labels().expect("labels"),
    };
    volume
        .labels
        .insert(label::RECORD.into(), written.to_string());
    let found = Found {
        on: &"b".into(),
        volume: &volume,
    };
    let reading = read_records(&environment(), Terms::default(), [found]);
    assert!(reading.left_out.is_empty(), "{reading:?}");
    History::new(reading.records, 0)
}

/// What a rollback of `b` to r1 wants, and the values that were read for it.
async fn rolled_back(
    environment: &Environment,
    folder: &std::path::Path,
    history: &History,
    is_read: bool,
) -> Run<BTreeMap<String, String>> {
    let secrets = Secrets::new(folder, &|_| {}, None);
    let secrets = is_read.then_some(&secrets);
    let scope = Scope {
        recipes: Vec::new(),
        hosts: vec!["b".into()],
    };
    let (events, _told) = Events::channel();
    let (desired, _) =
        from_records(environment, &events, &scope, history, Number(1), secrets).await?;
    let wanted = &desired[&*"web".parse::<Name>().expect("a name")][&HostName::from("b")];
    let hash = "deadbeefdeadbeefdeadbeefdeadbeef";
    assert_eq!(wanted.unread.as_deref(), (!is_read).then_some(hash));
    let values = wanted.secrets.iter();
    Ok(values
        .map(|(name, value)| (name.clone(), value.expose_secret().to_owned()))
        .collect())
}

#[tokio::test]
async fn a_record_has_no_say_in_what_is_read_on_this_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let environment =
        environment_with("secrets = { TOKEN = { command = \"echo from the files\" } }\n");
    let names = ["TOKEN", "STOLEN", "STOLEN_ENV"];
    let history = forged(folder.path(), &names);
    let stop = rolled_back(&environment, folder.path(), &history, true)
        .await
        .expect_err("the files have no such secrets");
    assert_eq!(stop.outcome, RunOutcome::Usage);
    assert_eq!(
        stop.report.message,
        "the files have no secrets `STOLEN` and `STOLEN_ENV` of `web` for `b`, and r1 had them; nothing was changed"
    );
    let history = forged(folder.path(), &names[..1]);
    let values = rolled_back(&environment, folder.path(), &history, true).await;
    let values = values.unwrap_or_else(|stop| panic!("{:?}", stop.report));
    let expected = BTreeMap::from([("TOKEN".to_owned(), "from the files".to_owned())]);
    assert_eq!(values, expected);
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn the_dry_run_of_a_rollback_reads_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let environment =
        environment_with("secrets = { TOKEN = { command = \"echo x >read; echo x\" } }\n");
    let history = forged(folder.path(), &["TOKEN"]);
    for is_read in [false, true] {
        let values = rolled_back(&environment, folder.path(), &history, is_read).await;
        let values = values.unwrap_or_else(|stop| panic!("{:?}", stop.report));
        assert_eq!(values.contains_key("TOKEN"), is_read);
        assert_eq!(folder.path().join("read").exists(), is_read);
    }
}

/// Facts of containers, each with its host, recipe, the release that made it and whether it runs.
fn facts(containers: &[(&str, &str, u64, bool)]) -> Facts {
    let mut facts = Facts::default();
    for (host, recipe, release, runs) in containers {
        let identity = Identity {
            environment: "staging".to_owned(),
            preview_of: None,
            recipe: (*recipe).to_owned(),
            release: *release,
            instance: 1,
            spec: SpecHash::from_labels(&hash_of(*release), None),
        };
        let shown = serde_json::json!([{
            "Id": format!("{recipe}{release}"),
            "Name": format!("/{recipe}-r{release}"),
            "Image": "sha256:1d",
            "Config": { "Image": recipe, "Labels": identity.labels() },
            "State": { "Status": if *runs { "running" } else { "exited" }, "Running": runs, "Pid": 0 },
            "HostConfig": { "NetworkMode": "bridge" },
        }]);
        let shown = parse_containers(&shown.to_string()).expect("docker's JSON");
        let on_host = facts
            .hosts
            .entry(HostName::from(*host))
            .or_insert_with(HostFacts::default);
        on_host.containers.extend(shown);
    }
    facts
}

/// What a restart of `web` wants on each host: `a: web@r1`; or why there is none.
async fn restarted(history: &History, facts: &Facts) -> Result<Vec<String>, String> {
    let environment = environment();
    let scope = Scope {
        recipes: vec!["web".parse().expect("a name")],
        hosts: Vec::new(),
    };
    let (events, _told) = Events::channel();
    let again = Again {
        environment: &environment,
        scope: &scope,
        facts,
        history,
        action: Action::Restart,
        by: "bob@desk",
        secrets: None,
    };
    let desired = again.desired(&events).await;
    let desired = desired.map_err(|stop| {
        assert_eq!(stop.outcome, RunOutcome::NotReady);
        format!(
            "{} ({})",
            stop.report.message,
            stop.report.hint.unwrap_or_default()
        )
    })?;
    let on_hosts = desired.values().flatten();
    Ok(on_hosts
        .map(|(host, wanted)| format!("{host}: {}", wanted.image.reference))
        .collect())
}

#[tokio::test]
async fn a_restart_is_of_what_runs_and_not_of_what_the_files_say_by_now() {
    let mut history = History::default();
    release(&mut history, &EVERYTHING, &[], &[]);
    release(&mut history, &EVERYTHING, &[], &["web"]);
    // r2 came no further than `a`, and nothing was reverted.
    let half = [
        ("a", "web", 2, true),
        ("b", "web", 2, false),
        ("b", "web", 1, true),
    ];
    let wanted = restarted(&history, &facts(&half)).await;
    assert_eq!(
        wanted,
        Ok(vec!["a: web@r2".to_owned(), "b: web@r1".to_owned()])
    );
    // Where nothing runs, the last release counts.
    let wanted = restarted(
        &history,
        &facts(&[("a", "web", 1, false), ("b", "web", 1, true)]),
    )
    .await;
    assert_eq!(
        wanted,
        Ok(vec!["a: web@r2".to_owned(), "b: web@r1".to_owned()])
    );

    let two = [("a", "web", 1, true), ("a", "web", 2, true)];
    assert_eq!(
        restarted(&history, &facts(&two)).await,
        Err("`web-r2` and `web-r1` on `a` are of different releases; nothing was changed (shipit deploy staging web)".to_owned())
    );
    assert_eq!(
        restarted(&history, &facts(&[("a", "web", 7, true)])).await,
        Err("no record says what `web-r7` on `a` is made from; nothing was changed (`shipit deploy staging web \
             --force` replaces it by what the files say)".to_owned())
    );
    assert_eq!(
        restarted(&History::default(), &facts(&[("a", "db", 1, true)])).await,
        Err("nothing of `web` was ever deployed to these hosts (shipit deploy staging)".to_owned())
    );
}
