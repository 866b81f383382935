//! `shipit diff`.

use std::collections::BTreeMap;

use clap::Args;

use super::{releases, show::place};
use crate::{
    commands::{
        arguments::{DefaultEnvironment, Kind, value},
        command::{HostCommand, Needs},
        on_hosts::invocation::Invocation,
    },
    docker::{Container, Identity},
    event::{Comparison, Difference, EventKind, Outcome, RecipeComparison},
    hosts::{Run, Stop},
    model::{Environment, HostName, Name},
    observe::Observed,
    plan::{self, Scope},
    release::{Number, RecipeRecord},
    run::Context,
};

/// Show what is different between two releases, or between a release and what runs now
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
What the files would change is `shipit plan`.

Examples:
  shipit diff staging r41 r42
  shipit diff staging r41         # r41 and what runs now
  shipit diff r41 r42 --output json"
)]
pub struct Diff {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// One release, or two: `r41` or `41`
    #[arg(value_name = "rN", num_args = 1..=2, required = true, value_parser = value::release, add = Kind::Release)]
    pub releases: Vec<u64>,
}

impl Diff {
    /// The first word, where it is a release: the environment was left out.
    fn first(&self) -> Option<u64> {
        let word = self.environment.name()?;
        value::release(word).ok()
    }

    /// The release before, and the one after if there is one.
    fn ends(&self) -> Run<(u64, Option<u64>)> {
        let all: Vec<_> = self
            .first()
            .into_iter()
            .chain(self.releases.iter().copied())
            .collect();
        match all[..] {
            [from] => Ok((from, None)),
            [from, to] => Ok((from, Some(to))),
            _ => Err(Stop::new(
                Outcome::Usage,
                "two releases can be compared, not three",
            )),
        }
    }
}

impl HostCommand for Diff {
    const NAME: &'static str = "diff";
    const NEEDS: Needs = Needs::HOSTS_THAT_ANSWER;

    fn environment(&self) -> Option<&Name> {
        self.environment.name().filter(|_| self.first().is_none())
    }

    fn scope(&self, _: &Invocation<'_>) -> Run<Scope> {
        self.ends().map(|_| Scope::default())
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let (from, to) = self.ends()?;
        let shown = show_differences(context, &scope, from, to);
        context.interruptible("nothing was changed", shown).await?;
        Ok(Outcome::NothingToDo)
    }
}

async fn show_differences(
    context: &Context<'_>,
    scope: &Scope,
    from: u64,
    to: Option<u64>,
) -> Run<()> {
    let (fleet, observed) = releases::read(context, scope).await?;
    let environment = context.environment;
    let unread = observed.unread(&context.hosts_of(scope));
    let find = |number| releases::find(environment, &observed, &unread, number);
    let from = find(from)?.number;
    let to = to.map(find).transpose()?.map(|release| release.number);
    context.events.send(EventKind::Comparison {
        from: from.to_string(),
        to: to.map(|number| number.to_string()),
        recipes: compare(environment, &observed, from, to),
    });
    fleet.close().await;
    Ok(())
}

/// What a host has of a recipe.
#[derive(Clone)]
enum Had {
    /// What a record says, and how many equal containers.
    Recorded(Box<RecipeRecord>, usize),
    /// It runs, and no record that is left says from what it was made.
    Unknown,
}

/// Recipe by recipe what is different, hosts with the same together.
fn compare(
    environment: &Environment,
    observed: &Observed,
    from: Number,
    to: Option<Number>,
) -> Vec<RecipeComparison> {
    let mut found = Vec::<RecipeComparison>::new();
    for host in environment.hosts.iter().map(|host| &host.name) {
        if !observed.facts.hosts.contains_key(host) {
            continue;
        }
        let before = at(observed, host, from);
        let after = match to {
            Some(number) => at(observed, host, number),
            None => now(observed, host),
        };
        let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
        names.sort_by_key(|name| place(environment, name));
        names.dedup();
        for name in names {
            let (change, differences) = difference(before.get(name), after.get(name));
            let alike = found.iter_mut().find(|it| {
                it.recipe == *name && it.change == change && it.differences == differences
            });
            match alike {
                Some(alike) => alike.hosts.push(host.to_string()),
                None => found.push(RecipeComparison {
                    recipe: name.clone(),
                    hosts: vec![host.to_string()],
                    change,
                    differences,
                }),
            }
        }
    }
    found.sort_by_key(|it| place(environment, &it.recipe));
    found
}

/// What a host had at a release: what that put there, or the newest one before it that did.
fn at(observed: &Observed, host: &HostName, number: Number) -> BTreeMap<String, Had> {
    let history = &observed.history;
    let record = history.record(host, number);
    let record = record.or_else(|| history.at(host, number));
    let recipes = record.into_iter().flat_map(|record| &record.recipes);
    recipes
        .map(|(name, recorded)| {
            let instances = recorded.instances.into();
            let had = Had::Recorded(Box::new(recorded.clone()), instances);
            (name.clone(), had)
        })
        .collect()
}

/// What runs on a host now, as the records say from what it was made.
fn now(observed: &Observed, host: &HostName) -> BTreeMap<String, Had> {
    let mut had = BTreeMap::<String, Vec<_>>::new();
    let facts = observed.facts.hosts.get(host);
    let containers = facts.into_iter().flat_map(|facts| &facts.containers);
    let running = containers.filter(|container| container.state.running);
    for identity in running.filter_map(Container::identity) {
        had.entry(identity.recipe.clone())
            .or_default()
            .push(identity);
    }
    let recorded = |(recipe, running): (String, Vec<Identity>)| {
        let newest = running.iter().max_by_key(|identity| identity.release)?;
        let hash = newest.spec.as_str();
        let of_record = observed.history.recorded(host, &recipe, hash);
        let had = of_record.map_or(Had::Unknown, |of_record| {
            Had::Recorded(Box::new(of_record.clone()), running.len())
        });
        Some((recipe, had))
    };
    had.into_iter().filter_map(recorded).collect()
}

fn difference(before: Option<&Had>, after: Option<&Had>) -> (Comparison, Vec<Difference>) {
    let (before, after) = match (before, after) {
        (Some(Had::Unknown), _) | (_, Some(Had::Unknown)) => {
            return (Comparison::Unknown, Vec::new());
        }
        (None, None) => return (Comparison::Same, Vec::new()),
        (None, Some(Had::Recorded(after, _))) => {
            return (Comparison::Added, whole(after, |new| (None, Some(new))));
        }
        (Some(Had::Recorded(before, _)), None) => {
            return (Comparison::Removed, whole(before, |old| (Some(old), None)));
        }
        (Some(Had::Recorded(before, of_before)), Some(Had::Recorded(after, of_after))) => {
            ((before, of_before), (after, of_after))
        }
    };
    let ((old, of_before), (new, of_after)) = (before, after);
    let found = plan::differences((&old.spec, &old.image), (&new.spec, &new.image));
    let mut differences: Vec<_> = found
        .into_iter()
        .map(|plan::Difference { field, old, new }| Difference { field, old, new })
        .collect();
    if of_before != of_after {
        differences.push(Difference {
            field: "instances".to_owned(),
            old: Some(of_before.to_string()),
            new: Some(of_after.to_string()),
        });
    }
    if differences.is_empty() {
        (Comparison::Same, differences)
    } else {
        (Comparison::Changed, differences)
    }
}

/// All fields of what is there on one side only.
fn whole(
    recorded: &RecipeRecord,
    side: impl Fn(String) -> (Option<String>, Option<String>),
) -> Vec<Difference> {
    let fields = plan::fields((&recorded.spec, &recorded.image)).into_iter();
    fields
        .map(|(field, value)| {
            let (old, new) = side(value);
            Difference { field, old, new }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        facts::{Facts, HostFacts},
        release::{History, Record, tests::environment},
    };

    /// A record of `web` on a host, with these recipes: an image and how many.
    fn record(number: u64, host: &str, image: Option<(&str, u16)>) -> Record {
        let recipe = |(image, instances): (&str, u16)| {
            serde_json::json!({ "web": {
                "spec": { "image": image, "stop_timeout": { "secs": 30, "nanos": 0 } },
                "image": { "reference": image, "digest": "sha256:aa" },
                "instances": instances, "hash": image,
            } })
        };
        let record = serde_json::json!({
            "number": number, "environment": "staging", "host": host, "action": "deploy",
            "by": "alice@laptop", "started": "1970-01-01T00:00:00Z", "outcome": "succeeded",
            "recipes": image.map_or_else(|| serde_json::json!({}), recipe),
        });
        serde_json::from_value(record).expect("a record")
    }

    /// A host on which a container runs that was made from this.
    fn running(hash: &str) -> HostFacts {
        let container = serde_json::json!([{
            "Id": "c", "Name": "/web", "Image": "sha256:aa",
            "State": { "Status": "running", "Running": true },
            "Config": { "Labels": {
                "shipit.environment": "staging", "shipit.recipe": "web", "shipit.release": "1",
                "shipit.instance": "1", "shipit.spec": hash,
            } },
            "HostConfig": {},
        }]);
        HostFacts {
            containers: crate::docker::parse_containers(&container.to_string()).expect("one"),
            ..HostFacts::default()
        }
    }

    fn told(found: &[RecipeComparison]) -> Vec<String> {
        let line = |it: &RecipeComparison| {
            let differences = it.differences.iter().map(|difference| {
                let value = |value: &Option<String>| value.clone().unwrap_or("-".into());
                let Difference { field, old, new } = difference;
                format!(" {field} {} → {}", value(old), value(new))
            });
            let differences: String = differences.collect();
            format!("{:?} {}{differences}", it.change, it.hosts.join(" "))
        };
        found.iter().map(line).collect()
    }

    #[test]
    fn hosts_with_the_same_are_together() {
        let mut history = History::default();
        for host in ["host-1", "host-2"] {
            history.add(&[record(1, host, Some(("web:1", 1)))]);
            history.add(&[record(2, host, Some(("web:2", 2)))]);
        }
        // The third release was limited to one host.
        history.add(&[record(3, "host-1", None)]);
        let hosts = [
            ("host-1".into(), running("web:1")),
            ("host-2".into(), running("gone")),
        ];
        let observed = Observed {
            facts: Facts {
                hosts: hosts.into(),
            },
            history,
        };
        let environment = environment(2);
        let compare = |from, to: Option<u64>| {
            told(&compare(
                &environment,
                &observed,
                Number(from),
                to.map(Number),
            ))
        };
        let image = "image web:1 (sha256:aa) → web:2 (sha256:aa)";
        assert_eq!(
            compare(1, Some(2)),
            [format!("Changed host-1 host-2 {image} instances 1 → 2")]
        );
        assert_eq!(
            compare(2, Some(3)),
            [
                "Removed host-1 image web:2 (sha256:aa) → - stop_timeout 30s → -",
                "Same host-2"
            ]
        );
        assert_eq!(compare(1, None), ["Same host-1", "Unknown host-2"]);
    }
}
