//! The files of a new project, before they are written.

use std::{fs, io, path::Path};

use super::document::Document;
use crate::model::Name;

/// A file that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its path from the project's folder.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// A project that is not written yet.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The inventories, by the environment's name.
    pub inventories: Vec<(Name, Document)>,
    /// The recipes.
    pub recipes: Vec<(Name, Document)>,
    /// What is written as it is.
    pub others: Vec<NewFile>,
}

impl Draft {
    /// The files.
    pub fn files(&self) -> Vec<NewFile> {
        let file = |folder: &str, (name, document): &(Name, Document)| NewFile {
            path: format!("{folder}/{name}.toml"),
            text: document.text(),
        };
        let inventories = self.inventories.iter().map(|it| file("inventory", it));
        let recipes = self.recipes.iter().map(|it| file("recipes", it));
        let others = self.others.iter().cloned();
        inventories.chain(recipes).chain(others).collect()
    }
}

/// Writes files that are not there yet.
pub fn write(root: &Path, files: &[NewFile]) -> io::Result<()> {
    for file in files {
        let path = root.join(&file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut new = fs::File::create_new(path)?;
        io::Write::write_all(&mut new, file.text.as_bytes())?;
    }
    Ok(())
}
