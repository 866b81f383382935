//! The files that are written: none that is there.

use std::{fs, io, path::Path};

use crate::{
    commands::project::schema,
    diagnostic::{Problem, Problems},
    model::Name,
    scaffold::{self, NewFile},
    text,
};

/// What git is told to leave out.
const IGNORED: &str = ".shipit/";

/// Writes the project's files, and those that go with every project. Looks first; where one of the project's own is
/// there already, nothing is written. Returns the paths.
pub fn write(root: &Path, mut files: Vec<NewFile>) -> Result<Vec<String>, Problems> {
    let there: Vec<_> = files
        .iter()
        .filter(|file| fs::symlink_metadata(root.join(&file.path)).is_ok())
        .map(|file| &file.path)
        .collect();
    if !there.is_empty() {
        let verb = if there.len() == 1 { "is" } else { "are" };
        let there = text::list(&there);
        let fact = format!("{there} {verb} there already; nothing was written");
        let hint = "another folder: `-C DIR`; another environment here: `--environment NAME` and recipes with other names";
        return Err(Problem::error(fact).hint(hint).into());
    }
    // Those of an older shipit are the user's to renew.
    let schemas = schema::files("schema");
    let missing = |file: &NewFile| fs::symlink_metadata(root.join(&file.path)).is_err();
    files.extend(schemas.into_iter().filter(missing));
    let written = scaffold::write(root, &files).and_then(|()| ignore(root));
    let ignored = written.map_err(|error| {
        Problem::error(format!("cannot write to `{}`: {error}", root.display()))
    })?;
    let mut paths: Vec<_> = files.into_iter().map(|file| file.path).collect();
    if ignored {
        paths.push(".gitignore".to_owned());
    }
    Ok(paths)
}

/// Has git leave out the logs. `false` where it does already.
fn ignore(root: &Path) -> io::Result<bool> {
    let path = root.join(".gitignore");
    let before = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let ignores = |line: &str| line.trim().trim_matches('/') == IGNORED.trim_matches('/');
    if before.lines().any(ignores) {
        return Ok(false);
    }
    let ends = before.is_empty() || before.ends_with('\n');
    let line = if ends { "" } else { "\n" };
    let mut file = fs::File::options().create(true).append(true).open(path)?;
    io::Write::write_all(&mut file, format!("{line}{IGNORED}\n").as_bytes())?;
    Ok(true)
}

/// What was written, and what to type next.
pub fn report(written: &[String], environment: &Name) -> String {
    let written: Vec<_> = written.iter().map(|path| format!("wrote {path}")).collect();
    let written = written.join("\n");
    format!(
        "{written}\n\nNext:\n  \
            shipit setup {environment}     # Docker on the hosts, where it is missing\n  \
            shipit plan {environment}      # what a deploy would do\n  \
            shipit deploy {environment}\n"
    )
}
