//! The files: `secrets/NAME.age` and `secrets/recipients`.

use std::{
    fs::{self, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    Failure,
    envelope::Envelope,
    recipients::{RECIPIENTS, Recipients},
};
use crate::{
    diagnostic::{Problem, Problems, SourceFile},
    files,
    model::Name,
};

/// The folder, from the project's.
const FOLDER: &str = "secrets";

/// What a sealed value's file ends in.
const ENDING: &str = ".age";

/// The most that a file may have: the longest value in base64, and a line for each of a thousand recipients.
const MOST: u64 = 1024 * 1024;

/// The file of a sealed value, from the project's folder.
pub fn file_of(name: &Name) -> String {
    format!("{FOLDER}/{name}{ENDING}")
}

/// The sealed values that there are, by name.
pub fn names(root: &Path) -> io::Result<Vec<Name>> {
    let entries = match fs::read_dir(root.join(FOLDER)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let file = entry?.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(ENDING));
        names.extend(name.and_then(|name| name.parse::<Name>().ok()));
    }
    names.sort();
    Ok(names)
}

/// A sealed value, still closed.
pub fn read(root: &Path, name: &Name) -> Result<Envelope, Failure> {
    let file = file_of(name);
    let path = root.join(&file);
    let failure = |fact: String, hint: String| Failure {
        cause: format!("`{file}` {fact}"),
        hint,
    };
    let bytes = files::read_bytes(&path, MOST).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => failure(
            "is not there".to_owned(),
            format!("seal a value: `shipit secret set {name}`"),
        ),
        _ => failure(
            format!("cannot be read: {error}"),
            "see who may read it".to_owned(),
        ),
    })?;
    Envelope::parse(&bytes).map_err(|fact| damaged(name, &fact))
}

/// A sealed value whose file is there and cannot be used.
pub(super) fn damaged(name: &Name, fact: &str) -> Failure {
    Failure {
        cause: format!("`{}` {fact}", file_of(name)),
        hint: format!(
            "take an earlier one from git, or seal the value again: `shipit secret set {name}`"
        ),
    }
}

/// Whom values are sealed for; `None` where no file says it.
pub fn read_recipients(root: &Path) -> Result<Option<Recipients>, Problems> {
    let bytes = match files::read_bytes(&root.join(RECIPIENTS), MOST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Problem::error(format!("cannot read `{RECIPIENTS}`: {error}")).into());
        }
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Recipients::parse(&SourceFile::new(RECIPIENTS, text)).map(Some)
}

/// Writes a sealed value, whole or not at all.
pub fn write(root: &Path, name: &Name, sealed: &str) -> io::Result<()> {
    write_whole(root, &file_of(name), sealed)
}

/// Writes the list of recipients, whole or not at all.
pub fn write_recipients(root: &Path, text: &str) -> io::Result<()> {
    write_whole(root, RECIPIENTS, text)
}

fn write_whole(root: &Path, file: &str, text: &str) -> io::Result<()> {
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder)?;
    let mut temporary = tempfile::Builder::new()
        .prefix(".shipit-")
        // What everyone may read, like any file of the repository; the umask takes from it.
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(&folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    let path: PathBuf = root.join(file);
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}
