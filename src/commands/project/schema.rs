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
    hooks,
    scaffold::NewFile,
    terminal,
};

/// Print the JSON Schemas of the files, for editors, and of what hooks read
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  shipit schema --dir schema     # writes inventory.json, recipe.json and hook.json")]
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
            let both: serde_json::Map<_, _> = schemas().into_iter().chain([hook()]).collect();
            terminal::print(&format!("{:#}\n", serde_json::Value::Object(both)));
            return Ok(Outcome::NothingToDo);
        };
        folder::fill(&dir, || {
            let hook = file(".", hook());
            let mut files = files(".").into_iter().chain([hook]);
            files.try_for_each(|file| fs::write(dir.join(file.path), file.text))
        })?;
        Ok(Outcome::Done)
    }
}

/// The schemas for editors, as files of a folder.
pub fn files(folder: &str) -> Vec<NewFile> {
    let files = schemas().into_iter();
    files.map(|schema| file(folder, schema)).collect()
}

fn file(folder: &str, (name, schema): (String, serde_json::Value)) -> NewFile {
    NewFile {
        path: format!("{folder}/{name}.json"),
        text: format!("{schema:#}\n"),
    }
}

/// Those of what users write.
fn schemas() -> [(String, serde_json::Value); 2] {
    [
        ("inventory".to_owned(), config::inventory_schema()),
        ("recipe".to_owned(), config::recipe_schema()),
    ]
}

/// That of what hooks read.
fn hook() -> (String, serde_json::Value) {
    ("hook".to_owned(), hooks::input_schema())
}
