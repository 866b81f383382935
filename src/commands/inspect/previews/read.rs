//! Reads which previews an environment has: what its hosts have under its name, and no list of our own.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    commands::inspect::releases,
    docker::{self, Container, Volume, label},
    event::{PreviewRow, Severity, VersionRow},
    hosts::{Fleet, HostFailure, SOON, within},
    model::{Environment, HostName, Name, PreviewName, PreviewSettings, Recipe},
    release::{Found, History, Release, Terms, read_records, version},
    run::Context,
    text,
};

/// A preview that some host has something of.
pub struct FoundPreview {
    /// Its environment, for what only reads or removes.
    pub environment: Environment,
    /// How it is shown.
    pub row: PreviewRow,
}

/// What one host has of all previews.
struct OfHost {
    host: HostName,
    containers: Vec<Container>,
    volumes: Vec<Volume>,
}

/// The previews of an environment, the newest first, and the hosts that could not be read.
pub async fn read(
    fleet: &Fleet,
    context: &Context<'_>,
    terms: Terms<'_>,
    now: Timestamp,
) -> (Vec<FoundPreview>, Vec<HostFailure>) {
    let base = context.environment;
    let asked = fleet.each(|reached| {
        let containers = docker::list_containers_of_previews(&base.name);
        let containers = reached.read(containers, docker::parse_containers);
        let volumes = docker::inspect_volumes_of_previews(&base.name);
        let volumes = reached.read(volumes, docker::parse_volumes);
        within(SOON, async { tokio::try_join!(containers, volumes) })
    });
    let (mut hosts, mut failures) = (Vec::new(), Vec::new());
    for (reached, answer) in asked.await {
        let host = reached.name().clone();
        match answer {
            Ok((containers, volumes)) => hosts.push(OfHost {
                host,
                containers,
                volumes,
            }),
            Err(error) => failures.push((host, error)),
        }
    }
    let mut found: Vec<_> = names(&hosts, base, &context.environments())
        .iter()
        .map(|name| found(name, &hosts, base, terms))
        .collect();
    // What has no record any more is as good as the oldest.
    found.sort_by_key(|it| std::cmp::Reverse(it.row.since));
    if let Some(settings) = &base.previews {
        mark(&mut found, settings, now);
    }
    (found, failures)
}

/// The names that the hosts' labels have. One that does not fit its environment is nobody's preview, and no label makes
/// one of an environment that has an inventory.
fn names(hosts: &[OfHost], base: &Environment, others: &[Name]) -> BTreeSet<PreviewName> {
    let labels = hosts.iter().flat_map(|of_host| {
        let of_containers = of_host.containers.iter().map(|it| &it.labels);
        of_containers.chain(of_host.volumes.iter().map(|it| &it.labels))
    });
    let environments = labels.filter_map(|labels| labels.get(label::ENVIRONMENT));
    environments
        .filter(|environment| !others.iter().any(|other| **other == ***environment))
        .filter_map(|environment| PreviewName::split(environment))
        .filter(|(of, _)| *of == base.name)
        .map(|(_, name)| name)
        .collect()
}

fn found(
    name: &PreviewName,
    hosts: &[OfHost],
    base: &Environment,
    terms: Terms<'_>,
) -> FoundPreview {
    let environment = base.preview_to_remove(name);
    let is_own = |labels: &BTreeMap<String, String>| {
        let of = labels.get(label::ENVIRONMENT);
        of.is_some_and(|of| **of == *environment.name)
    };
    let volumes = hosts.iter().flat_map(|of_host| {
        let own = of_host.volumes.iter().filter(|it| is_own(&it.labels));
        own.map(|volume| Found {
            on: &of_host.host,
            volume,
        })
    });
    let reading = read_records(&environment, terms, volumes);
    let history = History::new(reading.records, 0);
    let running: Vec<_> = hosts
        .iter()
        .flat_map(|of_host| of_host.containers.iter().map(move |it| (&of_host.host, it)))
        // A one-off container is none of those that the preview is to have.
        .filter(|(_, container)| {
            is_own(&container.labels) && container.state.running && container.identity().is_some()
        })
        .collect();
    let versions: BTreeSet<_> = running
        .iter()
        .filter_map(|(host, container)| version_of(host, container, &history))
        .collect();
    let releases = history.releases();
    let since = last_change(&releases);
    let newest = releases.last().cloned();
    let ended_well = newest
        .as_ref()
        .is_none_or(|it| it.outcome.to_string() == "succeeded");
    let wanted = environment.recipes.iter().map(Recipe::instances).sum();
    let severity = match running.len() {
        0 => Severity::Bad,
        running if running >= wanted && ended_well => Severity::Good,
        _ => Severity::Notable,
    };
    let row = PreviewRow {
        preview: name.to_string(),
        environment: environment.name.to_string(),
        versions: versions.into_iter().collect(),
        release: newest.map(|release| releases::row(&history, &release)),
        since,
        running: running.len(),
        wanted,
        prune: None,
        severity,
    };
    FoundPreview { environment, row }
}

/// When it was released last. What each host says is looked at, whatever the release's number: one host alone, which may
/// lie, makes no preview old that is to be pruned on all.
pub fn last_change(releases: &[Release]) -> Option<Timestamp> {
    let ends = releases.iter();
    let ends = ends.map(|release| release.finished.unwrap_or(release.started));
    ends.max()
}

/// What a container runs, by the record of what was deployed; docker knows what that was pinned to.
fn version_of(host: &HostName, container: &Container, history: &History) -> Option<VersionRow> {
    let identity = container.identity()?;
    let recorded = history.recorded(host, &identity.recipe, identity.spec.as_str());
    let image = recorded.map_or(&container.image, |recorded| &recorded.spec.image);
    Some(VersionRow {
        version: version(image),
        recipe: identity.recipe,
    })
}

/// Says which previews go: those that are older than `keep`, and the oldest beyond `limit`.
fn mark(found: &mut [FoundPreview], settings: &PreviewSettings, now: Timestamp) {
    let mut stay = 0;
    for FoundPreview { row, .. } in found {
        let age = row.since.map(|since| now.duration_since(since));
        let age = age.and_then(|age| Duration::try_from(age).ok());
        row.prune = if age.is_some_and(|age| age > settings.keep) {
            Some(format!("older than {}", text::duration(settings.keep)))
        } else if stay >= settings.limit {
            Some(format!("beyond the limit of {}", settings.limit))
        } else {
            stay += 1;
            None
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Overrides, Project, load},
        release::{Action, Number, Outcome},
    };

    fn base() -> Environment {
        let project = Project {
            root: env!("CARGO_MANIFEST_DIR").into(),
        };
        load(&project, "staging", &Overrides::default())
            .unwrap_or_else(|problems| panic!("{problems}"))
            .environment
    }

    fn previews(ages: &[u64]) -> Vec<FoundPreview> {
        let base = base();
        let now = Timestamp::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let one = |age: &u64| {
            let name: PreviewName = format!("pr-{age}").parse().expect("a name");
            let environment = base.preview_to_remove(&name);
            let row = PreviewRow {
                preview: name.to_string(),
                environment: environment.name.to_string(),
                versions: Vec::new(),
                release: None,
                since: Some(now - Duration::from_secs(*age)),
                running: 1,
                wanted: 1,
                prune: None,
                severity: Severity::Good,
            };
            FoundPreview { environment, row }
        };
        ages.iter().map(one).collect()
    }

    #[test]
    fn an_environment_is_no_preview_whatever_a_host_calls_it() {
        let base = base();
        let labelled = |environment: &str| {
            let json = format!(
                r#"[{{"Id":"c","Name":"/c","Image":"","State":{{"Status":"running","Running":true}},"Config":{{"Labels":
                {{"{}":"staging","{}":"{environment}"}}}},"HostConfig":{{}}}}]"#,
                label::PREVIEW_OF,
                label::ENVIRONMENT
            );
            docker::parse_containers(&json).expect("docker's JSON")
        };
        let environments = ["staging.pr-1", "staging.eu", "production.pr-2", "staging"];
        let hosts = [OfHost {
            host: "host-1".into(),
            containers: environments.iter().flat_map(|it| labelled(it)).collect(),
            volumes: Vec::new(),
        }];
        let others: Vec<Name> = ["staging", "staging.eu"]
            .map(|name| name.parse().expect("a name"))
            .into();
        let names = names(&hosts, &base, &others);
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["pr-1"]);
    }

    #[test]
    fn a_record_with_an_old_date_makes_no_preview_old() {
        let at = |seconds| Timestamp::UNIX_EPOCH + Duration::from_secs(seconds);
        let release = |number, seconds| Release {
            number: Number(number),
            action: Action::Deploy,
            by: "alice@laptop".into(),
            started: at(seconds),
            finished: Some(at(seconds + 1)),
            revision: None,
            outcome: Outcome::Succeeded,
            message: None,
            failure: None,
            hosts: Vec::new(),
        };
        assert_eq!(last_change(&[]), None);
        let releases = [release(1, 1000), release(2, 2000), release(999, 5)];
        assert_eq!(last_change(&releases), Some(at(2001)));
    }

    #[test]
    fn what_only_runs_a_command_of_a_preview_is_found_and_is_none_of_its_containers() {
        let container = |name: &str, more: &str| {
            format!(
                r#"{{"Id":"{name}","Name":"/{name}","Image":"sha256:aa","HostConfig":{{}},
                "State":{{"Status":"running","Running":true}},"Config":{{"Labels":{{
                "shipit.environment":"staging.pr-42","shipit.preview-of":"staging",
                "shipit.recipe":"web","shipit.release":"1",{more}}}}}}}"#
            )
        };
        let own = container("web-r1", r#""shipit.instance":"1","shipit.spec":"aa""#);
        let one_off = container("web-r1-run-0a", r#""shipit.one-off":"console""#);
        let shown = |containers: &[&String]| {
            let containers: Vec<_> = containers.iter().map(|it| it.as_str()).collect();
            let json = format!("[{}]", containers.join(","));
            let base = base();
            let hosts = [OfHost {
                host: base.hosts[0].name.clone(),
                containers: docker::parse_containers(&json).expect("containers"),
                volumes: Vec::new(),
            }];
            let names = names(&hosts, &base, &[]).into_iter();
            let rows = names.map(|name| found(&name, &hosts, &base, Terms::default()).row);
            rows.map(|row| (row.preview, row.running))
                .collect::<Vec<_>>()
        };
        let pr_42 = |running| vec![("pr-42".to_owned(), running)];
        assert_eq!(shown(&[&own, &one_off]), pr_42(1));
        assert_eq!(
            shown(&[&one_off]),
            pr_42(0),
            "`shipit down pr-42` removes it"
        );
    }

    #[test]
    fn the_old_go_and_the_oldest_beyond_the_limit() {
        let settings = PreviewSettings {
            recipes: Vec::new(),
            keep: Duration::from_secs(100),
            limit: 2,
        };
        let now = Timestamp::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let mut found = previews(&[1, 50, 99, 101]);
        mark(&mut found, &settings, now);
        let why: Vec<_> = found.iter().map(|it| it.row.prune.as_deref()).collect();
        let expected = [
            None,
            None,
            Some("beyond the limit of 2"),
            Some("older than 1m40s"),
        ];
        assert_eq!(why, expected);
    }
}
