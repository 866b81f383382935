//! Projects for tests.

use std::{fs, path::Path};

use tempfile::TempDir;

use super::{Environment, Loaded, Overrides, Project, load};

/// The folder of a project, which goes with this value.
pub(crate) struct TestProject(TempDir);

impl TestProject {
    /// A project without files.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(path, text).expect("the file");
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// `staging` with its warnings.
    #[track_caller]
    pub fn load(&self) -> Loaded {
        let project = Project {
            root: self.path().to_owned(),
        };
        load(&project, "staging", &Overrides::default())
            .unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// The environment `staging`.
    #[track_caller]
    pub fn environment(&self) -> Environment {
        self.load().environment
    }
}
