//! A project in a folder of its own.

use std::fs;

use shipit::{
    diagnostic::{Problems, Style},
    model::{Loaded, Overrides, Project, load},
};
use tempfile::TempDir;

/// A project that goes away with the test.
pub struct TestProject {
    folder: TempDir,
}

impl TestProject {
    /// A project of these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let project = Self {
            folder: TempDir::new().expect("a temporary folder"),
        };
        for (path, content) in files {
            project.write(path, content);
        }
        project
    }

    /// A project with one host `web-1` and one recipe `web` of this text.
    pub fn of_recipe(recipe: &str) -> Self {
        Self::new(&[
            (
                "inventory/test.toml",
                "recipes = [\"web\"]\n[hosts]\nweb-1 = { address = \"192.0.2.1\", groups = [\"web\"] }\n",
            ),
            ("recipes/web.toml", recipe),
        ])
    }

    /// A project with this inventory, `test`, and a recipe `web` without mistakes.
    pub fn of_inventory(inventory: &str) -> Self {
        Self::new(&[
            ("inventory/test.toml", inventory),
            (
                "recipes/web.toml",
                "hosts = \"all\"\ncontainer.image = \"web\"\n",
            ),
        ])
    }

    pub fn write(&self, path: &str, content: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("the folder");
        fs::write(path, content).expect("the file");
    }

    pub fn project(&self) -> Project {
        Project {
            root: self.folder.path().to_owned(),
        }
    }

    pub fn load(&self, environment: &str) -> Result<Loaded, Problems> {
        load(&self.project(), environment, &Overrides::default())
    }

    pub fn load_with(&self, set: &[(&str, &str)]) -> Result<Loaded, Problems> {
        let set = set
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let overrides = Overrides {
            set: set.collect(),
            for_several: false,
        };
        load(&self.project(), "test", &overrides)
    }

    /// What loading `test` shows.
    pub fn shown(&self) -> String {
        shown(self.load("test"))
    }
}

/// What a load shows: mistakes, or warnings.
pub fn shown(result: Result<Loaded, Problems>) -> String {
    match result {
        Ok(loaded) if loaded.warnings.is_empty() => "no mistakes\n".to_owned(),
        Ok(loaded) => format!(
            "loaded, with\n{}",
            loaded.warnings.render(Style::Plain, 100)
        ),
        Err(problems) => problems.render(Style::Plain, 100),
    }
}
