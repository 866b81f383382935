//! The log of a run: every event of it, in a file below the project's folder.

use std::{
    cmp::Reverse,
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Read as _, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use crate::{model::Name, release::Number};

/// Where logs are kept, below the project's folder.
const FOLDER: &str = ".shipit";

/// The file that one run is logged in. It is named after the time at first: the release has no number yet.
#[derive(Clone)]
pub struct LogFile {
    file: Arc<Mutex<File>>,
    path: PathBuf,
}

impl LogFile {
    /// Opens `.shipit/log/ENVIRONMENT/TIME-COMMAND.log`. The folder keeps itself out of git, and other accounts of
    /// this machine out of itself, whatever the umask: commands' output may be nobody else's business.
    pub fn create(root: &Path, environment: &Name, command: &str) -> io::Result<Self> {
        let own = root.join(FOLDER);
        let logs = own.join("log");
        let folder = logs.join(&**environment);
        for folder in [&own, &logs, &folder] {
            make_private(folder)?;
        }
        let ignore = own.join(".gitignore");
        if !ignore.exists() {
            fs::write(ignore, "*\n")?;
        }
        let time = Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S");
        let path = folder.join(format!("{time}-{command}.log"));
        let mut new = File::options();
        let file = new.create(true).append(true).mode(0o600).open(&path)?;
        // One of the same second may be there.
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
            path,
        })
    }

    /// Names the file after its release, `r42.log`, once that is known.
    pub fn name_after(&self, release: &str) {
        // A log that cannot be renamed keeps the time as its name: it is there all the same.
        let _ = fs::rename(
            &self.path,
            self.path.with_file_name(format!("{release}.log")),
        );
    }
}

/// The releases of an environment that were made from this folder, by their logs, newest first, and when each began.
pub fn releases(root: &Path, environment: &Name) -> Vec<(Number, Option<Timestamp>)> {
    let folder = root.join(FOLDER).join("log").join(&**environment);
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let number = |file: &fs::DirEntry| {
        let name = file.file_name();
        let digits = name.to_str()?.strip_prefix('r')?.strip_suffix(".log")?;
        digits.parse().ok().map(Number)
    };
    let mut found: Vec<_> = files
        .filter_map(|file| Some((number(&file)?, file.path())))
        .collect();
    found.sort_by_key(|(number, _)| Reverse(*number));
    let found = found.into_iter();
    found
        .map(|(number, path)| (number, first_time(&path)))
        .collect()
}

/// The time that a log begins with.
fn first_time(path: &Path) -> Option<Timestamp> {
    let mut start = String::new();
    let file = File::open(path).ok()?;
    file.take(LONGEST_TIME).read_to_string(&mut start).ok()?;
    start.split_whitespace().next()?.parse().ok()
}

/// More bytes than a time has.
const LONGEST_TIME: u64 = 40;

/// Makes a folder that only this account may enter. One that is there and that others may enter is closed to them.
fn make_private(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        result => return result,
    }
    let of_others = fs::metadata(folder)?.permissions().mode() & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(|error| {
        let folder = folder.display();
        io::Error::other(format!(
            "other accounts may enter `{folder}`, and that cannot be changed: {error}"
        ))
    })
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
