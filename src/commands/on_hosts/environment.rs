//! Which environment a command is about: the one that was named, or the default one.

use crate::{
    commands::command::{HostCommand, Words},
    config::suggest::nearest,
    diagnostic::{Problem, Problems},
    model::{self, Name, Project},
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
) -> Result<Name, Problems> {
    let known = Names {
        environments: project.environments(),
        recipes: project.recipes(),
    };
    let Some(named) = command.environment().cloned() else {
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
        // Whoever loads it says that there is none.
        return Ok(named);
    };
    if !is_recipe {
        return match near_recipe(&named, &known) {
            Some(near) => Err(unknown(&named, near).into()),
            None => Ok(named),
        };
    }
    if let Some(later) = recipes.iter().find(|word| known.is_only_environment(word)) {
        return Err(turned_around::<C>(&named, later, recipes).into());
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

/// What there is.
struct Names {
    environments: Vec<Name>,
    recipes: Vec<Name>,
}

impl Names {
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
        let problem = Problem::error(format!(
            "`{only}` is an environment, and no recipe is named"
        ));
        let command = C::NAME;
        return Err(problem
            .hint(format!("shipit {command} {only} RECIPE"))
            .into());
    }
    model::default_environment(project)
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

fn turned_around<C: HostCommand>(named: &Name, environment: &Name, recipes: &[Name]) -> Problem {
    let others = recipes.iter().filter(|word| *word != environment);
    let words: Vec<_> = [C::NAME, &**environment, &**named]
        .into_iter()
        .chain(others.map(|word| &**word))
        .collect();
    let problem = Problem::error(format!(
        "`{named}` is a recipe and `{environment}` an environment, which comes first"
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
