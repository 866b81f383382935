//! `shipit show`.

use clap::Args;

use super::releases;
use crate::{
    commands::{
        arguments::{DefaultEnvironment, Kind, value},
        command::{HostCommand, Needs},
        on_hosts::invocation::Invocation,
    },
    event::{EventKind, HostResult, Outcome, RecipeDetails, Setting},
    hosts::Run,
    model::{Environment, HostName, Name},
    plan::{self, Scope},
    release::{History, Number, RecipeRecord, Record},
    run::Context,
};

/// Show a release: who made it, how it ended, and what each host got
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
Examples:
  shipit show staging r42
  shipit show r42 --output json"
)]
pub struct Show {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// The release, `r42` or `42`
    #[arg(value_name = "rN", value_parser = value::release, add = Kind::Release)]
    pub release: u64,
}

impl HostCommand for Show {
    const NAME: &'static str = "show";
    const NEEDS: Needs = Needs::HOSTS_THAT_ANSWER;

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let shown = show(context, &scope, self.release);
        context.interruptible("nothing was changed", shown).await?;
        Ok(Outcome::NothingToDo)
    }
}

async fn show(context: &Context<'_>, scope: &Scope, number: u64) -> Run<()> {
    let (fleet, observed) = releases::read(context, scope).await?;
    let environment = context.environment;
    let unread = observed.unread(&context.hosts_of(scope));
    let release = releases::find(environment, &observed, &unread, number)?;
    let history = &observed.history;
    context.events.send(EventKind::ReleaseDetails {
        release: Box::new(releases::row(history, &release)),
        recipes: recipes(environment, history, release.number),
    });
    fleet.close().await;
    Ok(())
}

/// What a release had of each recipe, hosts with the same together.
fn recipes(environment: &Environment, history: &History, number: Number) -> Vec<RecipeDetails> {
    let mut found = Vec::<(&RecipeRecord, RecipeDetails)>::new();
    let records = environment.hosts.iter().filter_map(|host| {
        let record = history.record(&host.name, number)?;
        Some((&host.name, record))
    });
    for (host, record) in records {
        for (recipe, recorded) in &record.recipes {
            let result = HostResult {
                host: host.to_string(),
                state: state(history, host, record, recipe),
            };
            let alike = found
                .iter_mut()
                .find(|(other, details)| details.recipe == *recipe && is_alike(other, recorded));
            match alike {
                Some((_, details)) => details.hosts.push(result),
                None => found.push((recorded, details(recipe, recorded, result))),
            }
        }
    }
    let mut recipes: Vec<_> = found.into_iter().map(|(_, details)| details).collect();
    recipes.sort_by_key(|it| place(environment, &it.recipe));
    recipes
}

/// Where a recipe stands in the order of the files; those that the files no longer have come last.
pub(super) fn place(environment: &Environment, recipe: &str) -> usize {
    let mut recipes = environment.recipes.iter();
    let place = recipes.position(|it| &*it.name == recipe);
    place.unwrap_or(usize::MAX)
}

/// Whether two hosts have the same. The hash has a key of its own where there are secrets.
fn is_alike(one: &RecipeRecord, other: &RecipeRecord) -> bool {
    one.spec == other.spec && one.image == other.image && one.instances == other.instances
}

/// What a host had of a recipe when the release ended; `None` where the release did not change it.
fn state(history: &History, host: &HostName, record: &Record, recipe: &str) -> Option<String> {
    if let Some(state) = record.notes.states.get(recipe) {
        return Some(state.clone());
    }
    // It tells of all that the release was to change.
    if !record.notes.states.is_empty() {
        return None;
    }
    let hash = |record: &Record| record.recipes.get(recipe).map(|it| it.hash.clone());
    let before = history.before(host, record.number).and_then(hash);
    (before != hash(record)).then(|| "not known".to_owned())
}

fn details(recipe: &str, recorded: &RecipeRecord, result: HostResult) -> RecipeDetails {
    let fields = plan::fields((&recorded.spec, &recorded.image)).into_iter();
    RecipeDetails {
        recipe: recipe.to_owned(),
        hosts: vec![result],
        image: recorded.spec.image.clone(),
        instances: recorded.instances,
        settings: fields
            .map(|(field, value)| Setting { field, value })
            .collect(),
    }
}
