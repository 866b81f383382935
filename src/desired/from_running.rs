//! What runs now, or ran last: to run again, or to be stopped.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use secrecy::SecretString;

use super::from_records::sources;
use crate::{
    docker::Container,
    event::{EventKind, Events, Outcome as RunOutcome},
    facts::{Facts, HostFacts},
    hosts::{Run, Stop},
    model::{Environment, HostName, Recipe},
    plan::{Desired, DesiredState, Scope},
    release::{Action, History, Number, RecipeRecord, Record, Stopped},
    secrets::Secrets,
    text,
};

/// What is to be done once more with what hosts have, whatever today's files say.
pub struct Again<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// Where, and with which recipes.
    pub scope: &'a Scope,
    /// What runs.
    pub facts: &'a Facts,
    /// What it is made from.
    pub history: &'a History,
    /// Whether it is restarted, stopped or started.
    pub action: Action,
    /// Who wants that.
    pub by: &'a str,
    /// The values of secrets. Without, as in a dry run, none is read: what was recorded is then told by the
    /// record's own hash.
    pub secrets: Option<&'a Secrets<'a>>,
}

impl Again<'_> {
    /// What the hosts of the scope have of its recipes: the spec of what runs there, or where nothing runs that of
    /// the last release that succeeded.
    pub async fn desired(&self, events: &Events) -> Run<DesiredState> {
        let (environment, scope) = (self.environment, self.scope);
        let mut desired = DesiredState::new();
        let recipes = environment.recipes.iter();
        for recipe in recipes.filter(|recipe| scope.has_recipe(&recipe.name)) {
            let hosts = environment.hosts.iter().map(|host| &host.name);
            for host in hosts.filter(|host| scope.has_host(host)) {
                let Some(facts) = self.facts.hosts.get(host) else {
                    continue;
                };
                let found = self.recorded(recipe, (host, facts))?;
                let Some(found) = found else { continue };
                let wanted = self.wanted(recipe, (host, facts), found, events).await?;
                let of_recipe = desired.entry(recipe.name.clone()).or_default();
                of_recipe.insert(host.clone(), wanted);
            }
        }
        if desired.is_empty() {
            let names = text::list(&scope.recipes);
            let message = format!("nothing of {names} was ever deployed to these hosts");
            let hint = format!("shipit deploy {}", environment.name);
            return Err(Stop::new(RunOutcome::NotReady, message).hint(hint));
        }
        Ok(desired)
    }

    /// What a host is to have of a recipe, of which this is recorded.
    async fn wanted(
        &self,
        recipe: &Recipe,
        (host, facts): (&HostName, &HostFacts),
        (number, recorded): (Number, &RecipeRecord),
        events: &Events,
    ) -> Run<Desired> {
        let stopped = self.stopped(recipe, host, recorded);
        if let Some(stopped) = stopped.as_ref().filter(|_| self.action == Action::Restart) {
            events.send(EventKind::Warning {
                host: Some(host.to_string()),
                message: format!("`{}` was {stopped}, and stays so", recipe.name),
                hint: Some(format!(
                    "shipit start {} {}",
                    self.environment.name, recipe.name
                )),
            });
        }
        // No value is needed for a container that is there with those it was made with.
        let needs_none = stopped.is_some()
            || self.action == Action::Start && has_every_instance(recipe, facts, recorded);
        let (secrets, unread) = self
            .values(recipe, host, (number, recorded), needs_none)
            .await?;
        Ok(Desired {
            spec: recorded.spec.clone(),
            image: recorded.image.clone(),
            instances: recorded.instances,
            secrets,
            unread,
            stopped,
        })
    }

    /// The mark that the recipe is to have.
    fn stopped(
        &self,
        recipe: &Recipe,
        host: &HostName,
        recorded: &RecipeRecord,
    ) -> Option<Stopped> {
        let runs = !self.facts.serving(host, &recipe.name).is_empty();
        let before = recorded.stopped.clone().filter(|_| !runs);
        match self.action {
            Action::Stop => Some(before.unwrap_or_else(|| Stopped {
                by: self.by.to_owned(),
                at: Timestamp::now(),
            })),
            Action::Restart => before,
            Action::Start | Action::Deploy | Action::RollbackTo(_) => None,
        }
    }

    async fn values(
        &self,
        recipe: &Recipe,
        host: &HostName,
        (number, recorded): (Number, &RecipeRecord),
        needs_none: bool,
    ) -> Run<(BTreeMap<String, SecretString>, Option<String>)> {
        let unread = Some(recorded.hash.clone());
        if needs_none {
            return Ok((BTreeMap::new(), unread));
        }
        let from = sources(recipe, host, recorded, number)?;
        Ok(match self.secrets {
            Some(secrets) => (secrets.of(&from).await?, None),
            None if from.is_empty() => (BTreeMap::new(), None),
            None => (BTreeMap::new(), unread),
        })
    }

    /// The record of what runs of a recipe on a host; without a container, of what ran last. `None` where the host
    /// never had any.
    fn recorded(
        &self,
        recipe: &Recipe,
        (host, facts): (&HostName, &HostFacts),
    ) -> Run<Option<(Number, &RecipeRecord)>> {
        let last = self.history.recent_successes(host, 1).next();
        let last = last.and_then(|record| of_recipe(record, recipe));
        let containers = facts.of_recipe(&recipe.name).into_iter();
        let running: Vec<&Container> = containers.filter(|it| it.state.running).collect();
        if running.is_empty() {
            // What the host is no longer to run is not started once more.
            return Ok(last.filter(|_| recipe.by_host.contains_key(host)));
        }
        let made_from = |container: &&Container| {
            let hash = container.identity()?.spec.as_str().to_owned();
            let record = self.history.newest_on(host, |record| {
                of_recipe(record, recipe).is_some_and(|(_, recorded)| recorded.hash == hash)
            });
            of_recipe(record?, recipe)
        };
        // Of equal containers with secrets each may have a hash of its own, and one of them is in the record.
        let known: Vec<_> = running.iter().filter_map(made_from).collect();
        if self.action == Action::Stop {
            // Whatever runs is stopped.
            return Ok(known.first().copied().or(last));
        }
        let environment = &self.environment.name;
        let name = &recipe.name;
        let names = text::list(running.iter().map(|container| &container.name));
        let Some(first) = known.first().copied() else {
            let message = format!(
                "no record says what {names} on `{host}` is made from; nothing was changed"
            );
            return Err(Stop::new(RunOutcome::NotReady, message).hint(format!(
                "`shipit deploy {environment} {name} --force` replaces it by what the files say"
            )));
        };
        let is_other = |(_, other): &(Number, &RecipeRecord)| {
            other.spec != first.1.spec || other.image.digest != first.1.image.digest
        };
        if known.iter().any(is_other) {
            let message =
                format!("{names} on `{host}` are of different releases; nothing was changed");
            let hint = format!("shipit deploy {environment} {name}");
            return Err(Stop::new(RunOutcome::NotReady, message).hint(hint));
        }
        Ok(Some(first))
    }
}

/// What a record has of a recipe, with the number of its release.
fn of_recipe<'r>(record: &'r Record, recipe: &Recipe) -> Option<(Number, &'r RecipeRecord)> {
    Some((record.number, record.recipes.get(&*recipe.name)?))
}

/// Whether a host has a container for every instance of what is recorded, running or kept.
fn has_every_instance(recipe: &Recipe, facts: &HostFacts, recorded: &RecipeRecord) -> bool {
    let containers = facts.of_recipe(&recipe.name).into_iter();
    let identities = containers.filter_map(Container::identity);
    let of_record = identities.filter(|identity| identity.spec.as_str() == recorded.hash);
    let there: BTreeSet<u16> = of_record.map(|identity| identity.instance).collect();
    (1..=recorded.instances).all(|instance| there.contains(&instance))
}
