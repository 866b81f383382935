//! `shipit validate`.

use clap::Args;
use serde_json::json;

use crate::{
    commands::{
        arguments::{Kind, Preview, Variables},
        command::{Needs, OfflineCommand},
        global::{Global, OutputForm},
    },
    diagnostic::Problems,
    event::Outcome,
    model::{self, Environment, Name, Overrides, PreviewName, Project},
    secrets::sealed::{self, Users},
    terminal, text,
};

/// Check the files; contacts no host
#[derive(Debug, Args)]
#[command(after_help = "\
All mistakes of all files are shown at once.

Examples:
  shipit validate
  shipit validate staging --set version=1.3")]
pub struct Validate {
    /// Only this environment and its recipes [default: all]
    #[arg(value_name = "ENV", add = Kind::Environment)]
    pub environment: Option<Name>,
    #[command(flatten)]
    pub preview: Preview,
    #[command(flatten)]
    pub variables: Variables,
}

impl OfflineCommand for Validate {
    const NAME: &'static str = "validate";
    const NEEDS: Needs = Needs::NO_HOST;

    fn run(self, global: &Global, _: &clap::Command) -> Result<Outcome, Problems> {
        let project = global.project()?;
        let named = match (self.environment, self.preview.preview) {
            (Some(base), Some(preview)) => Some(preview.environment_of(&base)),
            (None, Some(preview)) => {
                let base = model::default_environment(&project)?;
                Some(preview.environment_of(&base))
            }
            (named, None) => named,
        };
        let checks_all = named.is_none();
        let named = named.map(|name| vec![name]);
        let environments = named.unwrap_or_else(|| project.environments());
        if environments.is_empty() {
            model::default_environment(&project)?;
        }
        let overrides = Overrides {
            for_several: environments.len() > 1,
            ..self.variables.overrides()
        };
        let mut found = Problems::new();
        let (mut valid, mut users) = (Vec::new(), Users::new());
        for name in &environments {
            match model::load(&project, name, &overrides) {
                Ok(loaded) => {
                    found.extend(loaded.warnings);
                    found.extend(of_any_preview(&project, &loaded.environment, &overrides));
                    sealed::add_users(&loaded.environment, &mut users);
                    valid.push(loaded.environment);
                }
                Err(mistakes) => found.extend(mistakes),
            }
        }
        if checks_all {
            found.extend(model::check_the_rest(&project));
        }
        found.extend(sealed::check(&project.root, &users, checks_all));
        if found.has_errors() {
            return Err(found);
        }
        global.show_problems(&found);
        if global.output == OutputForm::Json {
            let valid: Vec<_> = valid.iter().map(as_json).collect();
            terminal::print(&format!("{:#}\n", serde_json::Value::from(valid)));
        } else if !global.quiet {
            let lines: Vec<_> = valid.iter().map(line).collect();
            terminal::print(&lines.concat());
        }
        Ok(Outcome::NothingToDo)
    }
}

/// What is wrong with every preview of an environment, and not with the environment itself.
fn of_any_preview(project: &Project, environment: &Environment, overrides: &Overrides) -> Problems {
    let name = "preview".parse::<PreviewName>().ok();
    let is_base = environment.previews.is_some() && environment.preview.is_none();
    let Some(name) = name.filter(|_| is_base) else {
        return Problems::new();
    };
    let preview = name.environment_of(&environment.name);
    // Its warnings are the environment's.
    let loaded = model::load(project, &preview, overrides);
    loaded.err().unwrap_or_default()
}

fn as_json(environment: &Environment) -> serde_json::Value {
    json!({
        "environment": environment.name,
        "hosts": environment.hosts.len(),
        "recipes": environment.recipes.len(),
    })
}

fn line(environment: &Environment) -> String {
    format!(
        "{}: {}, {}\n",
        environment.name,
        text::count(environment.hosts.len(), "host"),
        text::count(environment.recipes.len(), "recipe")
    )
}
