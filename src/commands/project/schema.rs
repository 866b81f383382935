//! `shipit schema`.

use std::{fs, path::PathBuf};

use clap::{Args, ValueHint};

use super::folder;
use crate::{
    commands::{
        command::{Needs, OfflineCommand},
        global::Global,
    },
    config,
    diagnostic::Problems,
    event::Outcome,
    terminal,
};

/// Print the JSON Schemas of the files, for editors
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  shipit schema --dir schema     # writes schema/inventory.json and schema/recipe.json")]
pub struct Schema {
    /// Write them as files into this folder instead
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

impl OfflineCommand for Schema {
    const NAME: &'static str = "schema";
    const NEEDS: Needs = Needs {
        changes: "files under `--dir`",
        ..Needs::NO_HOST
    };

    fn run(self, _: &Global, _: &clap::Command) -> Result<Outcome, Problems> {
        let schemas = [
            ("inventory", config::inventory_schema()),
            ("recipe", config::recipe_schema()),
        ];
        let Some(dir) = self.dir else {
            let both: serde_json::Map<_, _> = schemas
                .into_iter()
                .map(|(name, schema)| (name.to_owned(), schema))
                .collect();
            terminal::print(&format!("{:#}\n", serde_json::Value::Object(both)));
            return Ok(Outcome::NothingToDo);
        };
        folder::fill(&dir, || {
            schemas.iter().try_for_each(|(name, schema)| {
                let file = dir.join(name).with_extension("json");
                fs::write(file, format!("{schema:#}\n"))
            })
        })?;
        Ok(Outcome::Done)
    }
}
