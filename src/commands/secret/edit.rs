//! `shipit secret edit`.

use std::{
    env, fs,
    fs::{OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use clap::Args;
use tempfile::TempDir;
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
};

use super::desk::{Desk, WRITES, usable};
use crate::{
    commands::{
        arguments::Kind,
        command::{Needs, OfflineCommand},
        global::Global,
    },
    diagnostic::{Problem, Problems},
    event::Outcome,
    model::Name,
};

/// Edit a sealed value in $VISUAL or $EDITOR
#[derive(Debug, Args)]
#[command(after_help = "\
The value is in a file that only you can read, in memory where there is such a folder ($XDG_RUNTIME_DIR, /dev/shm), and
is removed at the end. What was not changed is not sealed again.

Example:
  shipit secret edit database-password")]
pub struct Edit {
    /// The name of the secret
    #[arg(value_name = "NAME", add = Kind::Secret)]
    pub name: Name,
}

impl OfflineCommand for Edit {
    const NAME: &'static str = "secret edit";
    const NEEDS: Needs = WRITES;

    fn run(self, global: &Global, _: &clap::Command) -> Result<Outcome, Problems> {
        let desk = Desk::new(global)?;
        let name = &self.name;
        let recipients = desk.needed_recipients()?;
        let before = desk.value(name)?;
        let edited = desk.block_on(edit(name, &before))?;
        let edited = usable(name, edited)?;
        // Editors end a file with a newline, which is no part of a value.
        if edited == before.trim_end_matches(['\r', '\n']) || edited == before {
            desk.note(&format!("`{name}` is unchanged"));
            return Ok(Outcome::NothingToDo);
        }
        desk.seal(name, &edited, &recipients)?;
        Ok(Outcome::Done)
    }
}

/// What somebody makes of a value in their editor.
async fn edit(name: &Name, value: &str) -> Result<String, Problem> {
    // Listened to before the file is there: a signal that ended this process would leave it.
    let listen = |kind| {
        signal(kind).map_err(|error| Problem::error(format!("cannot listen to signals: {error}")))
    };
    let mut interrupts = listen(SignalKind::interrupt())?;
    let mut quits = listen(SignalKind::quit())?;
    let mut terminations = listen(SignalKind::terminate())?;
    let mut hangups = listen(SignalKind::hangup())?;
    // A folder of its own, for what editors put beside a file.
    let folder = private_folder().map_err(|error| cannot_write(&error))?;
    let path = folder.path().join(&**name);
    write_private(&path, value).map_err(|error| cannot_write(&error))?;

    let editor = editor();
    let mut child = Command::new("sh")
        .args(["-c", &format!("{editor} \"$@\""), &editor])
        .arg(&path)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Problem::error(format!("cannot run the editor: {error}")))?;
    let status = loop {
        tokio::select! {
            ended = child.wait() => break ended,
            // These are for the editor, which has the terminal.
            _ = interrupts.recv() => {}
            _ = quits.recv() => {}
            _ = terminations.recv() => return Err(ended_by_signal(name)),
            _ = hangups.recv() => return Err(ended_by_signal(name)),
        }
    };
    let status =
        status.map_err(|error| Problem::error(format!("cannot run the editor: {error}")))?;
    if !status.success() {
        let fact = format!("`{editor}` failed ({status}); `{name}` is unchanged");
        return Err(Problem::error(fact).hint("`VISUAL` or `EDITOR` says which editor to run"));
    }
    fs::read_to_string(&path).map_err(|error| {
        let fact = format!("cannot read what the editor wrote: {error}; `{name}` is unchanged");
        Problem::error(fact)
    })
}

fn ended_by_signal(name: &Name) -> Problem {
    Problem::error(format!("ended by a signal; `{name}` is unchanged"))
}

fn cannot_write(error: &io::Error) -> Problem {
    Problem::error(format!("cannot write a file for the editor: {error}"))
}

fn editor() -> String {
    let variable = |name| env::var(name).ok().filter(|it| !it.trim().is_empty());
    let editor = variable("VISUAL").or_else(|| variable("EDITOR"));
    editor.unwrap_or_else(|| "vi".to_owned())
}

/// A folder that only this user can look into, in memory if there is one.
fn private_folder() -> io::Result<TempDir> {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let in_memory = runtime.into_iter().chain([PathBuf::from("/dev/shm")]);
    let mut builder = tempfile::Builder::new();
    let only_mine = Permissions::from_mode(0o700);
    let builder = builder.prefix("shipit-").permissions(only_mine);
    for folder in in_memory {
        if let (true, Ok(made)) = (folder.is_absolute(), builder.tempdir_in(&folder)) {
            return Ok(made);
        }
    }
    builder.tempdir()
}

fn write_private(path: &Path, value: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(value.as_bytes())
}
