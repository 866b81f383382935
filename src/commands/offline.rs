//! The commands that contact no host.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{
    Result,
    cli::{Cli, Global, Validate},
    look, overrides, problem, project,
};
use crate::{config, diagnostic::Problems, event::Outcome, model, terminal, text};

/// Checks one environment, or all and what belongs to none.
pub fn validate(global: &Global, arguments: Validate) -> Result<Outcome> {
    let Validate {
        environment: named,
        set,
    } = arguments;
    let project = project(global)?;
    let checks_all = named.is_none();
    let environments = named.map_or_else(|| project.environments(), |name| vec![name]);
    if environments.is_empty() {
        model::default_environment(&project)?;
    }
    let mut found = Problems::new();
    let mut lines = Vec::new();
    for name in &environments {
        match model::load(&project, name, &overrides(&set)) {
            Ok(loaded) => {
                found.extend(loaded.warnings);
                let (hosts, recipes) = (
                    loaded.environment.hosts.len(),
                    loaded.environment.recipes.len(),
                );
                lines.push(format!(
                    "{name}: {}, {}",
                    text::count(hosts, "host"),
                    text::count(recipes, "recipe")
                ));
            }
            Err(mistakes) => found.extend(mistakes),
        }
    }
    if checks_all {
        found.extend(model::check_the_rest(&project));
    }
    if found.has_errors() {
        return Err(found);
    }
    terminal::show_problems(&found, look(global));
    if !global.quiet {
        terminal::print(&(lines.join("\n") + "\n"));
    }
    Ok(Outcome::NothingToDo)
}

/// Writes the JSON Schemas into a folder, or prints both.
pub fn schema(folder: Option<&Path>) -> Result<Outcome> {
    let schemas = [
        ("inventory.json", config::inventory_schema()),
        ("recipe.json", config::recipe_schema()),
    ];
    let Some(folder) = folder else {
        let both: serde_json::Map<_, _> = schemas
            .into_iter()
            .map(|(name, schema)| (name.trim_end_matches(".json").to_owned(), schema))
            .collect();
        terminal::print(&format!("{:#}\n", serde_json::Value::Object(both)));
        return Ok(Outcome::NothingToDo);
    };
    let cannot = |error| problem(format!("cannot write to `{}`: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(cannot)?;
    for (name, schema) in schemas {
        std::fs::write(folder.join(name), format!("{schema:#}\n")).map_err(cannot)?;
    }
    Ok(Outcome::Done)
}

/// Prints the completions for a shell.
pub fn completions(shell: Shell) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "shipit", &mut text);
    terminal::print(&String::from_utf8_lossy(&text));
    Outcome::NothingToDo
}

/// Writes a manual page for each command into a folder.
pub fn man(folder: &Path) -> Result<Outcome> {
    let cannot = |error| problem(format!("cannot write to `{}`: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(cannot)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(cannot)?;
    Ok(Outcome::Done)
}
