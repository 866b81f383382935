//! The log of a run: every event of it, in a file below the project's folder.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use crate::model::Name;

/// Where logs are kept, below the project's folder.
const FOLDER: &str = ".shipit";

/// The file that one run is logged in. It is named after the time at first: the release has no number yet.
#[derive(Clone)]
pub struct LogFile {
    file: Arc<Mutex<File>>,
    path: PathBuf,
}

impl LogFile {
    /// Opens `.shipit/log/ENVIRONMENT/TIME-COMMAND.log`. The folder keeps itself out of git.
    pub fn create(root: &Path, environment: &Name, command: &str) -> io::Result<Self> {
        let own = root.join(FOLDER);
        let folder = own.join("log").join(&**environment);
        std::fs::create_dir_all(&folder)?;
        let ignore = own.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(ignore, "*\n")?;
        }
        let time = Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S");
        let path = folder.join(format!("{time}-{command}.log"));
        let file = File::options().create(true).append(true).open(&path)?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
            path,
        })
    }

    /// Names the file after its release, `r42.log`, once that is known.
    pub fn name_after(&self, release: &str) {
        // A log that cannot be renamed keeps the time as its name: it is there all the same.
        let _ = std::fs::rename(
            &self.path,
            self.path.with_file_name(format!("{release}.log")),
        );
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .flush()
    }
}
