//! The command line, one command a file: its arguments, its help, what it needs, and its body as a table of
//! contents. `table.rs` lists the commands. Adding one takes its file and a row there.
//!
//! A command's file is found by its group in the help: `release` (Deploy), `inspect` (Look), `operate`, `secret`
//! (Secrets), `state` and `project`. Beside them stands what commands share.

mod arguments;
mod command;
mod completion;
mod global;
mod inspect;
mod on_hosts;
mod operate;
mod program;
mod project;
mod reference;
mod release;
mod row;
mod secret;
mod state;
mod table;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

/// Runs the program with this process's arguments.
pub fn run() -> ExitCode {
    program::run(table::TABLE)
}

/// The command line, as clap knows it.
pub fn parser() -> clap::Command {
    program::parser(table::TABLE)
}

/// The part of `docs/commands.md` that is made from the table of commands.
pub fn reference() -> String {
    reference::reference(table::TABLE)
}
