//! A folder of the user's that files are written into.

use std::{fs, io, path::Path};

use crate::diagnostic::{Problem, Problems};

/// Makes the folder and has it filled. What cannot be written is a mistake of the command line.
pub fn fill(folder: &Path, write: impl FnOnce() -> io::Result<()>) -> Result<(), Problems> {
    let written = fs::create_dir_all(folder).and_then(|()| write());
    written.map_err(|error| {
        Problem::error(format!("cannot write to `{}`: {error}", folder.display())).into()
    })
}
