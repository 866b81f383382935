//! What a command's file declares. The arguments are a struct of clap's whose doc comment and `after_help`
//! are the command's help; one of the two traits says the rest: what the command needs, and its body.

use std::time::Duration;

use clap::Args;

use super::{global::Global, on_hosts::invocation::Invocation};
use crate::{
    diagnostic::Problems,
    event::Outcome,
    hosts::Run,
    model::{Name, Overrides},
    plan::Scope,
};

/// What a command needs and what it leaves behind; a row of the table in `docs/commands.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Which hosts it contacts.
    pub contacts: &'static str,
    /// When it takes the environment's lock.
    pub lock: Lock,
    /// What it changes on hosts or on this machine.
    pub changes: &'static str,
    /// Whether the run is kept in a log file: every command that changes what hosts run has one.
    pub log: bool,
    /// The codes that it may exit with.
    pub exit_codes: &'static [u8],
}

impl Needs {
    /// What a command needs that only looks, with as many hosts as there are.
    pub const HOSTS_THAT_ANSWER: Self = Self {
        contacts: "as many hosts as answer",
        lock: Lock::Never,
        changes: "nothing",
        log: false,
        exit_codes: &[0, 1, 2, 3, 130],
    };

    /// What a command needs that only prints.
    pub const NO_HOST: Self = Self {
        contacts: "none",
        lock: Lock::Never,
        changes: "nothing",
        log: false,
        exit_codes: &[0, 2],
    };
}

/// The codes of a command that may end in every way there is.
pub const EVERY_EXIT_CODE: &[u8] = &[0, 1, 2, 3, 4, 5, 130];

/// When a command takes the environment's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Never.
    Never,
    /// Whenever it runs.
    Always,
    /// With this option.
    With(&'static str),
}

/// A command that contacts no host.
pub trait OfflineCommand: Args {
    /// The word that is typed.
    const NAME: &'static str;
    /// What it needs.
    const NEEDS: Needs;
    /// Whether help and completions leave it out.
    const HIDDEN: bool = false;

    /// The body. `program` is the whole command line, for what is made from it. An error is shown as
    /// problems of the files are, and ends the run with [`Outcome::Usage`].
    fn run(self, global: &Global, program: &clap::Command) -> Result<Outcome, Problems>;
}

/// What was typed for an environment and for recipes of it.
pub struct Words<'a> {
    /// The first word, or none.
    pub environment: &'a mut Option<Name>,
    /// The words after it.
    pub recipes: &'a mut Vec<Name>,
}

/// A command that contacts hosts of one environment.
pub trait HostCommand: Args {
    /// The word that is typed, for events and log files as well.
    const NAME: &'static str;
    /// What it needs.
    const NEEDS: Needs;

    /// Whether it takes `--as NAME`, which makes its environment a preview.
    const HAS_PREVIEWS: bool = true;
    /// Whether it makes what is not there, so that a slip must not pass for the name of a preview.
    const MAKES_PREVIEWS: bool = false;

    /// Whether a preview without recipes means all that it has, where recipes must be named else: it has few.
    const TAKES_WHOLE_PREVIEWS: bool = false;

    /// The environment that was named; without one it is the default.
    fn environment(&self) -> Option<&Name>;

    /// The environment and the recipes as they were typed, where a recipe may stand in the environment's place:
    /// `shipit deploy web`.
    fn words(&mut self) -> Option<Words<'_>> {
        None
    }

    /// The host that was typed, where one must be. An environment may have been meant by it.
    fn host(&self) -> Option<&str> {
        None
    }

    /// What the command line sets above the files.
    fn overrides(&self) -> Overrides {
        Overrides::default()
    }

    /// What the release is for that it makes, in the user's words.
    fn message(&self) -> Option<&str> {
        None
    }

    /// Whether it only says what it would do. Then events call it `plan`, and it keeps no log.
    fn is_dry_run(&self) -> bool {
        false
    }

    /// Whether this run is kept in a log file.
    fn keeps_log(&self) -> bool {
        Self::NEEDS.log && !self.is_dry_run()
    }

    /// How long it waits for the environment's lock while another run has it.
    fn lock_wait(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether it has no purpose once nobody reads its output any more. A deploy goes on; what follows
    /// logs ends.
    fn ends_with_reader(&self) -> bool {
        false
    }

    /// Whether it shows its result again and again in the same place, or hands the terminal to a remote command. Then
    /// nothing else is shown meanwhile.
    fn redraws(&self) -> bool {
        false
    }

    /// Whether standard output is that of a remote command, in which nothing else may stand. Then everything else goes
    /// to standard error, events of `--output json` as well.
    fn hands_output_over(&self) -> bool {
        false
    }

    /// The part of the environment that it is about, or why it cannot begin. No event was sent and no host
    /// was contacted before.
    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        let _ = invocation;
        Ok(Scope::default())
    }

    /// The body.
    fn run(self, invocation: &Invocation<'_>, scope: Scope) -> impl Future<Output = Run<Outcome>>;
}
