//! The program: what each command of the command line does, as a table of contents.

pub mod cli;
mod log_file;
mod offline;
mod on_hosts;
mod operate;
mod value;

#[cfg(test)]
mod tests;

use std::{path::Path, process::ExitCode};

use clap::Parser;

use self::cli::{Cli, ColorWhen, Command, Global, OutputForm};
use crate::{
    diagnostic::{Look, Problem, Problems},
    event::Outcome,
    model::{Name, Overrides, Project},
    report::{Choice, Colour, Output, Verbosity},
    terminal,
};

/// Runs the program with this process's arguments.
pub fn run() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    terminal::trace(global.verbose);
    let result = match command {
        Command::Validate(arguments) => offline::validate(&global, arguments),
        Command::Schema(arguments) => offline::schema(arguments.dir.as_deref()),
        Command::Completions(arguments) => Ok(offline::completions(arguments.shell)),
        Command::Man(arguments) => offline::man(&arguments.into),
        online => on_hosts::run(&global, online),
    };
    match result {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(problems) => {
            terminal::show_problems(&problems, look(&global));
            ExitCode::from(Outcome::Usage.exit_code())
        }
    }
}

/// What a command comes to, or what is wrong with the files.
type Result<T> = std::result::Result<T, Problems>;

/// The project that `-C` or the current folder is in.
fn project(global: &Global) -> Result<Project> {
    let from = global.directory.as_deref().unwrap_or(Path::new("."));
    Ok(Project::find(from)?)
}

/// The environment that was named, or the default one.
fn environment_name(project: &Project, named: Option<Name>) -> Result<Name> {
    named.map_or_else(|| crate::model::default_environment(project), Ok)
}

fn overrides(set: &[(String, String)]) -> Overrides {
    Overrides { set: set.to_vec() }
}

fn choice(global: &Global) -> Choice {
    let verbosity = match (global.quiet, global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, _) => Verbosity::Verbose,
    };
    let output = match global.output {
        // Traces are lines on standard error and would tear bars apart.
        OutputForm::Auto | OutputForm::Bars if global.verbose > 1 => Output::Plain,
        OutputForm::Auto => Output::Auto,
        OutputForm::Plain => Output::Plain,
        OutputForm::Json => Output::Json,
        OutputForm::Bars => Output::Bars,
    };
    Choice {
        output,
        verbosity,
        colour: colour(global.color),
    }
}

fn colour(when: ColorWhen) -> Colour {
    match when {
        ColorWhen::Auto => Colour::Auto,
        ColorWhen::Always => Colour::Always,
        ColorWhen::Never => Colour::Never,
    }
}

fn look(global: &Global) -> Look {
    match (
        terminal::stderr_is_terminal(),
        colour(global.color).paints_stderr(),
    ) {
        (_, true) => Look::Colours,
        (true, false) => Look::Boxes,
        (false, false) => Look::Plain,
    }
}

/// A problem that has no place in a file.
fn problem(message: impl Into<String>) -> Problems {
    Problem::error(message).into()
}
