//! What the commands about sealed values share: the project's files, this account's keys, the person who is asked.

use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::{
    commands::{command::Needs, global::Global},
    diagnostic::{Problem, Problems},
    model::{Name, Project},
    secrets::{
        self,
        sealed::{self, Envelope, Failure, Keys, RECIPIENTS, Recipients},
    },
    terminal::{self, Terminal},
    transport::Connector,
};

/// What a command needs that writes sealed values.
pub const WRITES: Needs = Needs {
    changes: "files in `secrets/`",
    ..Needs::NO_HOST
};

/// One run of such a command.
pub struct Desk {
    /// The project.
    pub project: Project,
    /// The person who can be asked, if there is one.
    pub terminal: Terminal,
    connector: Connector,
    runtime: Runtime,
    is_quiet: bool,
}

impl Desk {
    /// In the project that `-C` or the current folder is in.
    pub fn new(global: &Global) -> Result<Self, Problems> {
        let project = global.project()?;
        let terminal = Terminal::on_stderr(global.can_ask());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Problem::error(format!("cannot start: {error}")))?;
        Ok(Self {
            project,
            connector: Connector::new(Arc::new(terminal.clone())),
            terminal,
            runtime,
            is_quiet: global.quiet,
        })
    }

    /// The sealed values that there are.
    pub fn names(&self) -> Result<Vec<Name>, Problems> {
        let names = sealed::names(&self.project.root);
        names.map_err(|error| sealed::cannot_read_folder(&error).into())
    }

    /// One of them, closed.
    pub fn envelope(&self, name: &Name) -> Result<Envelope, Problems> {
        sealed::read(&self.project.root, name).map_err(problems)
    }

    /// One of them, opened.
    pub fn value(&self, name: &Name) -> Result<String, Problems> {
        let keys = Keys::of_this_account(Some(&self.connector));
        let opened = keys.value(&self.project.root, name, true);
        self.runtime.block_on(opened).map_err(problems)
    }

    /// Whom values are sealed for, if a file says it.
    pub fn recipients(&self) -> Result<Option<Recipients>, Problems> {
        sealed::read_recipients(&self.project.root)
    }

    /// The same; nobody is an error.
    pub fn needed_recipients(&self) -> Result<Recipients, Problems> {
        self.recipients()?
            .ok_or_else(|| sealed::no_recipients().into())
    }

    /// The same; where there is no file, one is made with the key of this account.
    pub fn recipients_or_own(&self) -> Result<Recipients, Problems> {
        if let Some(recipients) = self.recipients()? {
            return Ok(recipients);
        }
        let keys = Keys::of_this_account(Some(&self.connector));
        let own = self.runtime.block_on(keys.own_recipient()).ok_or_else(|| {
            Problem::error(format!(
                "nobody to seal for: `{RECIPIENTS}` is not there, and you have no key that age takes"
            ))
            .hint(
                "make one with `ssh-keygen -t ed25519` or `age-keygen -o ~/.config/age/keys.txt`, or write a public \
                 key into the file",
            )
        })?;
        let name = own.comment.unwrap_or_else(terminal::who);
        let line = if own.line.starts_with("age1") {
            format!("# {name}\n{}", own.line)
        } else {
            format!("{} {name}", own.line)
        };
        let text = format!(
            "# Who can read the sealed secrets: a public key a line (ssh-ed25519, ssh-rsa or age1).\n\
             # After a change: shipit secret rotate\n\n{line}\n"
        );
        let root = &self.project.root;
        sealed::write_recipients(root, &text).map_err(|error| cannot_write(RECIPIENTS, &error))?;
        self.note(&format!(
            "made `{RECIPIENTS}` with your key of `{}`; add your colleagues' keys there",
            own.place
        ));
        self.needed_recipients()
    }

    /// Seals a value, writes it and says so.
    pub fn seal(&self, name: &Name, value: &str, recipients: &Recipients) -> Result<(), Problems> {
        let sealed = closed(name, value, recipients)?;
        self.write(name, &sealed)?;
        self.note(&format!("sealed `{name}` for {}", recipients.names()));
        Ok(())
    }

    /// Writes what is sealed.
    pub fn write(&self, name: &Name, sealed: &str) -> Result<(), Problems> {
        let written = sealed::write(&self.project.root, name, sealed);
        written.map_err(|error| cannot_write(&sealed::file_of(name), &error))
    }

    /// Runs what waits.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Says something beside what was asked for.
    pub fn note(&self, line: &str) {
        if !self.is_quiet {
            terminal::note(line);
        }
    }
}

/// A value, sealed.
pub fn closed(name: &Name, value: &str, recipients: &Recipients) -> Result<String, Problems> {
    let sealed = sealed::seal(value, recipients);
    sealed.map_err(|error| Problem::error(format!("cannot seal `{name}`: {error}")).into())
}

/// The value without its trailing newline, if a container can be given it.
pub fn usable(name: &Name, value: String) -> Result<String, Problems> {
    let value = secrets::without_newline(value);
    if value.is_empty() {
        return Err(
            Problem::error(format!("an empty value for `{name}`; nothing was sealed")).into(),
        );
    }
    secrets::check(name, &value).map_err(|(cause, hint)| {
        Problem::error(format!("the value of `{name}` cannot be used: {cause}")).hint(hint)
    })?;
    Ok(value)
}

fn problems(failure: Failure) -> Problems {
    Problem::error(failure.cause).hint(failure.hint).into()
}

fn cannot_write(file: &str, error: &std::io::Error) -> Problems {
    Problem::error(format!("cannot write `{file}`: {error}")).into()
}
