//! Which environment a command is about: the one that was named, or the default one.

use super::scope::hosts_called;
use crate::{
    commands::command::{HostCommand, Words},
    config::suggest::nearest,
    diagnostic::{Problem, Problems},
    model::{self, Name, Overrides, PreviewName, Project},
    text,
};

/// The environment of a command. A recipe that stands in its place is moved to the recipes; the environment is the
/// default one then.
///
/// # Errors
///
/// When there is no telling which environment is meant. What was typed may be something else: then the error says so.
pub fn environment_of<C: HostCommand>(
    project: &Project,
    command: &mut C,
    preview: Option<&PreviewName>,
) -> Result<Name, Problems> {
    let environment = named_environment(project, command, preview.is_some())?;
    match preview {
        Some(preview) => Ok(with_preview(project, &environment, preview)?),
        None => Ok(environment),
    }
}

/// The environment without `--as`. `has_preview` tells that it is to be a preview's base.
fn named_environment<C: HostCommand>(
    project: &Project,
    command: &mut C,
    has_preview: bool,
) -> Result<Name, Problems> {
    let known = Names {
        environments: project.environments(),
        recipes: project.recipes(),
    };
    let Some(named) = command.environment().cloned() else {
        if C::TAKES_WHOLE_PREVIEWS
            && let Some(preview) = whole_preview(project, command, &known, has_preview)?
        {
            return Ok(preview);
        }
        return without_environment(project, command, &known);
    };
    if known.environments.contains(&named) {
        return Ok(named);
    }
    let is_recipe = known.recipes.contains(&named);
    let Some(Words {
        environment,
        recipes,
    }) = command.words()
    else {
        if is_recipe {
            return Err(not_an_environment::<C>(&named, &known).into());
        }
        if let Some(environment) = known.environment(command.host())
            && has_host(project, environment, &named) == Some(true)
        {
            return Err(turned_around::<C>("host", &named, environment, &[]).into());
        }
        return or_preview::<C>(project, named, &known, has_preview);
    };
    if !is_recipe {
        return match near_recipe(&named, &known) {
            Some(near) => Err(unknown(&named, near).into()),
            None => or_preview::<C>(project, named, &known, has_preview),
        };
    }
    if let Some(later) = recipes.iter().find(|word| known.is_only_environment(word)) {
        return Err(turned_around::<C>("recipe", &named, later, recipes).into());
    }
    let line: Vec<_> = [&named]
        .into_iter()
        .chain(recipes.iter())
        .cloned()
        .collect();
    let default = model::default_environment(project).map_err(|problems| {
        if known.environments.is_empty() {
            return problems;
        }
        which_environment::<C>(&named, &known, &line).into()
    })?;
    *environment = None;
    *recipes = line;
    Ok(default)
}

/// The preview that the only word is, or the base of one, where a recipe could stand as well. No recipe is left then.
fn whole_preview<C: HostCommand>(
    project: &Project,
    command: &mut C,
    known: &Names,
    has_preview: bool,
) -> Result<Option<Name>, Problems> {
    let Some(Words { recipes, .. }) = command.words() else {
        return Ok(None);
    };
    let [only] = &recipes[..] else {
        return Ok(None);
    };
    if known.recipes.contains(only) {
        return Ok(None);
    }
    let base = PreviewName::split(only).map(|(base, _)| base);
    let is_whole_name = base.is_some_and(|base| known.environments.contains(&base));
    let meant = if known.environments.contains(only) {
        has_preview.then(|| only.clone())
    } else if is_whole_name {
        Some(only.clone())
    } else {
        let meant = or_preview::<C>(project, only.clone(), known, has_preview)?;
        Some(meant).filter(|meant| meant != only)
    };
    if meant.is_some() {
        recipes.clear();
    }
    Ok(meant)
}

/// A preview that was named without its base, where only one can be meant. Whoever loads any other name says that there
/// is no such environment.
fn or_preview<C: HostCommand>(
    project: &Project,
    named: Name,
    known: &Names,
    has_preview: bool,
) -> Result<Name, Problems> {
    let Ok(preview) = named.parse::<PreviewName>() else {
        return Ok(named);
    };
    let all = known.environments.iter().chain(&known.recipes);
    let is_slip = nearest(&named, all.map(|name| &**name)).is_some();
    if has_preview || is_slip || !C::HAS_PREVIEWS {
        return Ok(named);
    }
    let bases = model::environments_with_previews(project);
    let line = |base: &Name| format!("shipit {} {base} --as {preview}", C::NAME);
    match &bases[..] {
        [] => Ok(named),
        [only] if !C::MAKES_PREVIEWS => Ok(with_preview(project, only, &preview)?),
        [only] => Err(Problem::error(format!("no environment `{named}`"))
            .hint(format!("a preview of that name: {}", line(only)))
            .into()),
        _ => {
            let problem = Problem::error(format!(
                "no environment `{named}`; a preview of which one? {} have some",
                text::list(&bases)
            ));
            let lines: Vec<_> = bases.iter().map(line).collect();
            Err(problem.hint(lines.join("\n")).into())
        }
    }
}

/// The name of a preview's environment.
fn with_preview(project: &Project, base: &Name, preview: &PreviewName) -> Result<Name, Problem> {
    let environment = preview.environment_of(base);
    if project.environments().contains(&environment) {
        return Err(Problem::error(format!(
            "`{environment}` is an environment of its own: there is `inventory/{environment}.toml`"
        ))
        .hint("give the preview or the inventory another name"));
    }
    Ok(environment)
}

/// What there is.
struct Names {
    environments: Vec<Name>,
    recipes: Vec<Name>,
}

impl Names {
    fn environment(&self, word: Option<&str>) -> Option<&Name> {
        self.environments.iter().find(|it| Some(&***it) == word)
    }

    fn is_only_environment(&self, word: &Name) -> bool {
        self.environments.contains(word) && !self.recipes.contains(word)
    }
}

/// The default environment, unless the first word is one: it is taken for a recipe where an option stands between it
/// and the recipes.
fn without_environment<C: HostCommand>(
    project: &Project,
    command: &mut C,
    known: &Names,
) -> Result<Name, Problems> {
    if let Some(Words {
        environment,
        recipes,
    }) = command.words()
        && let [first, others @ ..] = &recipes[..]
        && known.is_only_environment(first)
    {
        let only = first.clone();
        if !others.is_empty() {
            recipes.remove(0);
            *environment = Some(only.clone());
            return Ok(only);
        }
        return Err(nothing_named::<C>(&only, "recipe").into());
    }
    let default = model::default_environment(project);
    if let Some(only) = known.environment(command.host()) {
        // A host may be called as an environment is.
        let is_host = match &default {
            Ok(default) => has_host(project, default, only).unwrap_or(true),
            Err(_) => false,
        };
        if !is_host {
            return Err(nothing_named::<C>(only, "host").into());
        }
    }
    default
}

/// Whether an environment has a host or a group of a name; `None` where its files cannot be read, as whoever runs on it
/// will tell.
fn has_host(project: &Project, environment: &Name, word: &Name) -> Option<bool> {
    let loaded = model::load(project, environment, &Overrides::default()).ok()?;
    Some(hosts_called(&loaded.environment, word).next().is_some())
}

fn nothing_named<C: HostCommand>(environment: &Name, what: &str) -> Problem {
    let (command, place) = (C::NAME, what.to_uppercase());
    Problem::error(format!(
        "`{environment}` is an environment, and no {what} is named"
    ))
    .hint(format!("shipit {command} {environment} {place}"))
}

fn not_an_environment<C: HostCommand>(named: &Name, known: &Names) -> Problem {
    let problem = Problem::error(format!(
        "`{named}` is a recipe, and `shipit {}` takes an environment",
        C::NAME
    ));
    problem.hint(format!(
        "the environments are {}",
        text::list(&known.environments)
    ))
}

/// The recipe that a word was meant to be, if no environment is as near.
fn near_recipe<'n>(word: &Name, known: &'n Names) -> Option<&'n Name> {
    let all = known.environments.iter().chain(&known.recipes);
    let near = nearest(word, all.map(|name| &**name))?;
    known.recipes.iter().find(|recipe| &***recipe == near)
}

fn unknown(named: &Name, near: &Name) -> Problem {
    Problem::error(format!("no environment and no recipe `{named}`"))
        .hint(format!("did you mean the recipe `{near}`?"))
}

fn turned_around<C: HostCommand>(
    what: &str,
    named: &Name,
    environment: &Name,
    recipes: &[Name],
) -> Problem {
    let others = recipes.iter().filter(|word| *word != environment);
    let words: Vec<_> = [C::NAME, &**environment, &**named]
        .into_iter()
        .chain(others.map(|word| &**word))
        .collect();
    let problem = Problem::error(format!(
        "`{named}` is a {what} and `{environment}` an environment, which comes first"
    ));
    problem.hint(format!("shipit {}", words.join(" ")))
}

fn which_environment<C: HostCommand>(named: &Name, known: &Names, line: &[Name]) -> Problem {
    let recipes: Vec<_> = line.iter().map(|word| &**word).collect();
    let problem = Problem::error(format!(
        "`{named}` is a recipe; which environment? there are several, and no default one"
    ));
    let lines = known.environments.iter().map(|environment| {
        let (command, recipes) = (C::NAME, recipes.join(" "));
        format!("`shipit {command} {environment} {recipes}`")
    });
    problem.hint(lines.collect::<Vec<_>>().join("\n"))
}
