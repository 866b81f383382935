//! What an earlier release had.

use std::collections::BTreeMap;

use crate::{
    event::{EventKind, Events, Outcome as RunOutcome},
    hosts::{Run, Stop},
    model::{Environment, HostName, Name, Recipe, SecretSource},
    plan::{Desired, DesiredState, Scope},
    release::{History, Number, Outcome, RecipeRecord},
    secrets::Secrets,
    text,
};

/// The release that a rollback goes to: `to`, or the previous one. Only a release that succeeded will do.
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
                "{number} of `{}` cannot be rolled back to: it {}",
                environment.name,
                describe(release.outcome)
            ),
        )
        .hint(show)),
        Some(_) => Ok(number),
    }
}

/// How a release ended, as the end of a sentence.
pub fn describe(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unfinished => "never ended",
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::Reverted => "failed and was reverted",
        Outcome::Interrupted => "was interrupted",
    }
}

/// Where the files of today say that the values of a record's secrets come from. The record, which anybody wrote
/// who may use docker on a host, has no say in what is read on this machine.
pub(super) fn sources(
    recipe: &Recipe,
    host: &HostName,
    recorded: &RecipeRecord,
    target: Number,
) -> Run<BTreeMap<String, SecretSource>> {
    let of_files = recipe.by_host.get(host).map(|on| &on.secrets);
    let mut sources = BTreeMap::new();
    let mut unknown = Vec::new();
    for name in recorded.spec.secrets.iter() {
        match of_files.and_then(|of_files| of_files.get(name)) {
            Some(source) => {
                sources.insert(name.clone(), source.clone());
            }
            None => unknown.push(name),
        }
    }
    if unknown.is_empty() {
        return Ok(sources);
    }
    let (what, it) = if unknown.len() == 1 {
        ("secret", "it")
    } else {
        ("secrets", "them")
    };
    Err(Stop::new(
        RunOutcome::Usage,
        format!(
            "the files have no {what} {} of `{}` for `{host}`, and {target} had {it}; nothing was changed",
            text::list(unknown),
            recipe.name
        ),
    )
    .cause("a record keeps the names of secrets; where their values come from is said by the files alone")
    .hint(format!(
        "say in `[container.secrets]` of recipes/{}.toml where {it} come{} from",
        recipe.name,
        if it == "it" { "s" } else { "" }
    )))
}

/// What a release had, and the scope that it covers.
///
/// Recipes that the files no longer have, and hosts without a record of the release or an earlier one, are left
/// out of both and so left alone. Each is a warning.
///
/// Without `secrets`, as in a dry run, none is read: what was recorded is then told by the record's own hash.
pub async fn from_records(
    environment: &Environment,
    events: &Events,
    scope: &Scope,
    history: &History,
    target: Number,
    secrets: Option<&Secrets<'_>>,
) -> Run<(DesiredState, Scope)> {
    let warn = |host: Option<&HostName>, message: String| {
        events.send(EventKind::Warning {
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
                format!("it has no record of {target} or an earlier release; left as it is"),
            );
            continue;
        };
        hosts.push(host.name.clone());
        for (name, recorded) in &record.recipes {
            let Some(recipe) = environment.recipe(name) else {
                warn(
                    Some(&host.name),
                    format!(
                        "{target} had a recipe `{name}`, which is no longer in the files; left out"
                    ),
                );
                continue;
            };
            let values_from = sources(recipe, &host.name, recorded, target)?;
            let (values, unread) = match secrets {
                Some(secrets) => (secrets.of(&values_from).await?, None),
                None if values_from.is_empty() => (BTreeMap::new(), None),
                None => (BTreeMap::new(), Some(recorded.hash.clone())),
            };
            let wanted = Desired {
                spec: recorded.spec.clone(),
                image: recorded.image.clone(),
                instances: recorded.instances,
                secrets: values,
                unread,
                stopped: None,
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
            format!("{target} has nothing to roll back to on these hosts"),
        )
        .hint(format!("shipit history {}", environment.name)));
    }
    let scope = Scope {
        recipes: had,
        hosts,
    };
    Ok((desired, scope))
}
