//! Whether what is to be written is a project: it is loaded, as `shipit validate` would load it.

use std::path::Path;

use super::project::{Draft, write};
use crate::{
    diagnostic::{Problem, Problems},
    model::{Overrides, Project, load},
};

/// Loads the files from a folder of their own. `beside` is the project's folder: what is there is there for them, too.
///
/// # Errors
///
/// What `shipit validate` would say of them.
pub fn check(draft: &Draft, beside: &Path) -> Result<(), Problems> {
    let folder = tempfile::tempdir().map_err(|error| nowhere(&error))?;
    write(folder.path(), &draft.files()).map_err(|error| nowhere(&error))?;
    copy_recipes(beside, folder.path());
    let project = Project {
        root: folder.path().to_owned(),
    };
    let mut found = Problems::new();
    for (name, _) in &draft.inventories {
        if let Err(problems) = load(&project, name, &Overrides::default()) {
            found.extend(problems);
        }
    }
    if found.has_errors() {
        return Err(found);
    }
    Ok(())
}

/// Brings the recipes that are there already, which the new inventory may name. One that cannot be brought is missed.
fn copy_recipes(from: &Path, to: &Path) {
    let entries = std::fs::read_dir(from.join("recipes"));
    for entry in entries.into_iter().flatten().flatten() {
        let copy = to.join("recipes").join(entry.file_name());
        if entry.path().is_file() && !copy.exists() {
            let _ = std::fs::copy(entry.path(), copy);
        }
    }
}

fn nowhere(error: &std::io::Error) -> Problem {
    Problem::error(format!("cannot try the files out: {error}"))
        .hint("`TMPDIR` names a folder that can be written")
}
