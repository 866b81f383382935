//! What is wanted on every host: from the files for a deploy, from records for a rollback.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    docker,
    event::{EventKind, Outcome as RunOutcome},
    hosts::{Run, Stop},
    images::{Pins, Wanted},
    model::{
        ContainerSpec, Environment, HostName, HostRecipe, LateValues, Name, Recipe, Task,
        TaskAction,
    },
    plan::{Desired, DesiredState, Scope},
    release::{History, Number, Outcome, RecipeRecord, Record},
    run::Context,
    secrets::Secrets,
};

/// The recipes of a scope. Of the others neither images nor secrets are needed: that they run is all that is
/// asked of them.
fn in_scope<'e>(
    environment: &'e Environment,
    scope: &'e Scope,
) -> impl Iterator<Item = &'e Recipe> {
    environment
        .recipes
        .iter()
        .filter(|recipe| scope.has_recipe(&recipe.name))
}

/// Reads the secrets of a scope's recipes, so that one without a value is known before anything is
/// contacted.
pub async fn read_secrets(
    environment: &Environment,
    scope: &Scope,
    secrets: &mut Secrets<'_>,
) -> Run<()> {
    for recipe in in_scope(environment, scope) {
        for (_, on) in recipe.on.iter().filter(|(host, _)| scope.has_host(host)) {
            if let Some(spec) = &on.container {
                secrets.of(&spec.secrets).await?;
            }
        }
    }
    Ok(())
}

/// Which images the recipes of a scope name, and the hosts that use each.
pub fn wanted_images(
    environment: &Environment,
    scope: &Scope,
) -> BTreeMap<Wanted, BTreeSet<HostName>> {
    let mut users = BTreeMap::<Wanted, BTreeSet<HostName>>::new();
    for recipe in in_scope(environment, scope) {
        for (host, on) in recipe.on.iter().filter(|(host, _)| scope.has_host(host)) {
            if let Some(spec) = &on.container {
                users
                    .entry((spec.image.clone(), spec.source))
                    .or_default()
                    .insert(host.clone());
            }
        }
    }
    users
}

/// What the files want.
pub async fn from_files(
    environment: &Environment,
    scope: &Scope,
    pins: &Pins,
    secrets: &mut Secrets<'_>,
) -> Run<DesiredState> {
    let mut desired = DesiredState::new();
    for recipe in in_scope(environment, scope) {
        for (host, on) in recipe.on.iter().filter(|(host, _)| scope.has_host(host)) {
            let Some(spec) = &on.container else { continue };
            let Some(image) = pins.get(&(spec.image.clone(), spec.source)) else {
                continue;
            };
            let wanted = Desired {
                spec: ContainerSpec {
                    setup: setup(on),
                    ..spec.clone()
                },
                image: image.clone(),
                instances: on.instances,
                secrets: secrets.of(&spec.secrets).await?,
            };
            desired
                .entry(recipe.name.clone())
                .or_default()
                .insert(host.clone(), wanted);
        }
    }
    Ok(desired)
}

/// The hash of what a recipe does around its container on one host; `None` when that is nothing.
pub fn setup(on: &HostRecipe) -> Option<String> {
    let late = LateValues::dummy();
    let describe = |task: &Task| match &task.action {
        TaskAction::Run(script) => format!("run {}", script.render(&late).unwrap_or_default()),
        TaskAction::Upload {
            from: _,
            to,
            mode,
            content,
        } => {
            format!("upload {to} {mode:o} {}", docker::short_hash(content, 16))
        }
    };
    let all: Vec<_> = on.before.iter().chain(&on.after).map(describe).collect();
    (!all.is_empty()).then(|| docker::short_hash(all.join("\0").as_bytes(), 6))
}

/// Which release a rollback goes to.
pub fn rollback_target(
    environment: &Environment,
    history: &History,
    to: Option<Number>,
) -> Run<Number> {
    let releases = history.releases();
    let show = format!("shipit history {}", environment.name);
    let Some(number) = to else {
        return history.previous().ok_or_else(|| {
            Stop::new(
                RunOutcome::NotReady,
                format!(
                    "`{}` has no earlier successful release to go back to",
                    environment.name
                ),
            )
            .hint(show)
        });
    };
    match releases.iter().find(|release| release.number == number) {
        None => Err(Stop::new(
            RunOutcome::NotReady,
            format!("there is no release {number} of `{}`", environment.name),
        )
        .hint(show)),
        Some(release) if release.outcome != Outcome::Succeeded => Err(Stop::new(
            RunOutcome::NotReady,
            format!(
                "{number} of `{}` is no release to go back to: it {}",
                environment.name,
                ended(release.outcome)
            ),
        )
        .hint(show)),
        Some(_) => Ok(number),
    }
}

/// How a release ended, for people.
pub fn ended(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unfinished => "never ended",
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::Reverted => "failed and was reverted",
        Outcome::Interrupted => "was interrupted",
    }
}

/// What a release had. Recipes that it did not have, and hosts without a record of it or an earlier one,
/// are left out and thereby left alone; each is a warning.
pub async fn from_records(
    context: &Context<'_>,
    scope: &mut Scope,
    history: &History,
    target: Number,
    secrets: &mut Secrets<'_>,
) -> Run<DesiredState> {
    let environment = context.environment;
    let warn = |host: Option<&HostName>, message: String| {
        context.events.send(EventKind::Warning {
            host: host.map(ToString::to_string),
            message,
            hint: None,
        });
    };
    let mut desired = DesiredState::new();
    let mut hosts = Vec::new();
    for host in environment
        .hosts
        .iter()
        .filter(|host| scope.has_host(&host.name))
    {
        let Some(record) = history.at(&host.name, target) else {
            warn(
                Some(&host.name),
                format!("it has no record of {target} or an earlier release, and is left as it is"),
            );
            continue;
        };
        hosts.push(host.name.clone());
        for (name, recorded) in &record.recipes {
            let Some(recipe) = environment.recipe(name) else {
                warn(
                    Some(&host.name),
                    format!(
                        "{target} had a recipe `{name}`, which the files have no more; it is left out"
                    ),
                );
                continue;
            };
            let wanted = Desired {
                spec: recorded.spec.clone(),
                image: recorded.image.clone(),
                instances: recorded.instances,
                secrets: secrets.of(&recorded.spec.secrets).await?,
            };
            desired
                .entry(recipe.name.clone())
                .or_default()
                .insert(host.name.clone(), wanted);
        }
    }
    let had: Vec<Name> = environment
        .recipes
        .iter()
        .filter(|recipe| desired.contains_key(&recipe.name) && scope.has_recipe(&recipe.name))
        .map(|recipe| recipe.name.clone())
        .collect();
    if had.is_empty() {
        return Err(Stop::new(
            RunOutcome::NotReady,
            format!("{target} has nothing to go back to on these hosts"),
        )
        .hint(format!("shipit history {}", environment.name)));
    }
    scope.recipes = had;
    scope.hosts = hosts;
    Ok(desired)
}

/// The records that a release leaves: what is wanted on each of its hosts, be it nothing, and of what is
/// outside its scope what the host had before.
pub fn records(
    environment: &Environment,
    template: &Record,
    scope: &Scope,
    desired: &DesiredState,
    history: &History,
    hashes: &Hashes,
) -> Vec<Record> {
    // The lock's host knows of every release, also of those that were limited to others: so whoever holds
    // the lock finds the next number, whatever hosts it reaches beside.
    let lock_host = &environment.lock_host().name;
    let hosts = environment
        .hosts
        .iter()
        .map(|host| &host.name)
        .filter(|host| scope.has_host(host) || *host == lock_host);
    let record_of = |host: &HostName| {
        let before = history.recent_successes(host, 1).next();
        let mut recipes = before
            .map(|record| record.recipes.clone())
            .unwrap_or_default();
        let replaced = |name: &Name| scope.has_host(host) && scope.has_recipe(name);
        recipes.retain(|name, _| name.parse().is_ok_and(|name| !replaced(&name)));
        for (recipe, on) in desired
            .iter()
            .filter(|(recipe, _)| scope.has_recipe(recipe))
        {
            let Some(wanted) = on.get(host) else { continue };
            let hash = hashes
                .get(&(recipe.clone(), host.clone()))
                .cloned()
                .unwrap_or_default();
            let Desired {
                spec,
                image,
                instances,
                secrets: _,
            } = wanted.clone();
            recipes.insert(
                recipe.to_string(),
                RecipeRecord {
                    spec,
                    image,
                    instances,
                    hash,
                },
            );
        }
        Record {
            host: host.clone(),
            recipes,
            ..template.clone()
        }
    };
    hosts.map(record_of).collect()
}

/// The hashes of the specs as the containers carry them, by recipe and host.
pub type Hashes = BTreeMap<(Name, HostName), String>;

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        docker::PinnedImage,
        model::{Overrides, Project, load},
        release::Action,
    };

    /// Two hosts, of which the first keeps the lock, and two recipes on each.
    fn environment() -> Environment {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
            std::fs::write(path, text).expect("the file");
        };
        write(
            "inventory/staging.toml",
            "recipes = [\"db\", \"web\"]\n[hosts]\na = { address = \"192.0.2.1\" }\nb = { address = \"192.0.2.2\" }\n",
        );
        for recipe in ["db", "web"] {
            let text = format!("hosts = \"all\"\ncontainer.image = \"{recipe}\"\n");
            write(&format!("recipes/{recipe}.toml"), &text);
        }
        let project = Project {
            root: folder.path().to_owned(),
        };
        load(&project, "staging", &Overrides::default())
            .unwrap_or_else(|problems| panic!("{problems}"))
            .environment
    }

    fn template(number: u64, outcome: Outcome) -> Record {
        Record {
            number: Number(number),
            environment: "staging".into(),
            host: "".into(),
            action: Action::Deploy,
            by: "alice@laptop".into(),
            started: Timestamp::UNIX_EPOCH,
            finished: None,
            revision: None,
            outcome,
            recipes: BTreeMap::new(),
        }
    }

    /// A release that succeeds and brings these recipes to these hosts, in a scope of hosts and recipes.
    fn release(history: &mut History, wanted: &[(&str, &str)], hosts: &[&str], recipes: &[&str]) {
        let environment = environment();
        let number = history.next_number();
        let mut desired = DesiredState::new();
        for (host, recipe) in wanted {
            let host = HostName::from(*host);
            let on = &environment.recipe(recipe).expect("a recipe").on[&host];
            let one = Desired {
                spec: on.container.clone().expect("a container"),
                image: PinnedImage {
                    reference: format!("{recipe}@{number}"),
                    digest: number.to_string(),
                },
                instances: 1,
                secrets: BTreeMap::new(),
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
        let made = records(
            &environment,
            &template,
            &scope,
            &desired,
            history,
            &Hashes::new(),
        );
        history.add(&made);
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
        let reverted = "r2 of `staging` is no release to go back to: it failed and was reverted";
        assert_eq!(target(&history, Some(2)), Err(reverted.to_owned()));
        assert_eq!(
            target(&history, Some(9)),
            Err("there is no release r9 of `staging`".to_owned())
        );
    }
}
