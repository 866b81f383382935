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
    scaffold::NewFile,
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
        let Some(dir) = self.dir else {
            let both: serde_json::Map<_, _> = schemas().into_iter().collect();
            terminal::print(&format!("{:#}\n", serde_json::Value::Object(both)));
            return Ok(Outcome::NothingToDo);
        };
        folder::fill(&dir, || {
            let mut files = files(".").into_iter();
            files.try_for_each(|file| fs::write(dir.join(file.path), file.text))
        })?;
        Ok(Outcome::Done)
    }
}

/// The schemas as files of a folder.
pub fn files(folder: &str) -> Vec<NewFile> {
    let file = |(name, schema): (String, serde_json::Value)| NewFile {
        path: format!("{folder}/{name}.json"),
        text: format!("{schema:#}\n"),
    };
    schemas().into_iter().map(file).collect()
}

fn schemas() -> [(String, serde_json::Value); 2] {
    [
        ("inventory".to_owned(), config::inventory_schema()),
        ("recipe".to_owned(), config::recipe_schema()),
    ]
}
