//! The program that a table of commands makes: the command line, its help, and which command runs.

use std::{
    ffi::{OsStr, OsString},
    process::ExitCode,
};

use clap::{ArgMatches, Args, FromArgMatches};

use super::{
    global::Global,
    row::{Group, Row},
};
use crate::{event::Outcome, terminal, text};

const ABOUT: &str =
    "Deploys containers to Docker hosts over SSH: no agent, no lost request, a rollback that works";

/// What stands below the commands in the help of the program.
const OPTIONS_AND_EXAMPLES: &str = "\
Options:
{options}{after-help}
";

const EXAMPLES: &str = "\
Examples:
  shipit deploy staging   # changed recipes only; a second time does nothing
  shipit plan staging     # what it would do, field by field
  shipit rollback         # the previous release of the default environment

`shipit COMMAND --help` says more.";

/// How many columns help has where it is shown on no terminal.
const IN_A_PIPE: usize = 120;

/// The command line. What is wrong on it exits with 2, as clap does by itself.
pub fn parser(table: &[Group]) -> clap::Command {
    parser_for(table, IN_A_PIPE)
}

/// The command line, whose help has so many columns.
pub fn parser_for(table: &[Group], columns: usize) -> clap::Command {
    let program = clap::Command::new("shipit")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .disable_help_flag(true);
    // The global options come first: their type's doc comment would take the place of the program's, and
    // clap counts commands and options together when it puts options in order.
    Global::augment_args(program)
        .about(ABOUT)
        .after_help(EXAMPLES)
        .help_template(help(table, columns))
        .term_width(columns)
        .subcommands(commands(table))
}

/// Runs the program with this process's arguments.
pub fn run(table: &[Group]) -> ExitCode {
    let columns = terminal::stdout_width().unwrap_or(IN_A_PIPE);
    let program = parser_for(table, columns);
    let arguments: Vec<_> = std::env::args_os().collect();
    let matches = program
        .clone()
        .try_get_matches_from(&arguments)
        .unwrap_or_else(|error| {
            // What it quotes may be the name of a branch: what acts on a terminal is to be seen.
            let seen = arguments.iter().map(|it| visible(it));
            let again = program.clone().try_get_matches_from(seen);
            again.err().unwrap_or(error).exit()
        });
    let global = Global::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    terminal::trace(global.verbose);
    ExitCode::from(dispatch(table, &program, &global, &matches).exit_code())
}

fn visible(argument: &OsStr) -> OsString {
    argument.to_str().map_or_else(
        || argument.to_owned(),
        |argument| text::visible(argument).into_owned().into(),
    )
}

/// Runs the command that was typed; problems of the files are shown.
pub fn dispatch(
    table: &[Group],
    program: &clap::Command,
    global: &Global,
    matches: &ArgMatches,
) -> Outcome {
    let typed = matches.subcommand().and_then(|(name, matches)| {
        let (name, matches) = match matches.subcommand() {
            Some((second, matches)) => (format!("{name} {second}"), matches),
            None => (name.to_owned(), matches),
        };
        let row = rows(table).find(|row| row.name == name)?;
        Some((row, matches))
    });
    // clap lets no other word through, as it read the same table.
    let Some((row, matches)) = typed else {
        return Outcome::Usage;
    };
    row.run(global, program, matches)
        .unwrap_or_else(|problems| {
            global.show_problems(&problems);
            Outcome::Usage
        })
}

/// The commands, and those of two words below a command of their first.
fn commands(table: &[Group]) -> Vec<clap::Command> {
    let mut commands = Vec::<clap::Command>::new();
    for row in rows(table) {
        let Some(parent) = row.parent() else {
            commands.push(row.parser());
            continue;
        };
        let known = commands.iter().position(|it| it.get_name() == parent);
        let above = if let Some(at) = known {
            commands.remove(at)
        } else {
            let below = rows(table).filter(|row| row.parent() == Some(parent));
            clap::Command::new(parent)
                .about(text::list(below.map(|row| format!("shipit {}", row.name))))
                .subcommand_required(true)
                .arg_required_else_help(true)
                .disable_help_subcommand(true)
        };
        commands.push(above.subcommand(row.parser()));
    }
    commands
}

fn rows(table: &[Group]) -> impl Iterator<Item = &Row> {
    table.iter().flat_map(|group| group.rows)
}

/// The help of the program: clap has no groups of commands.
fn help(table: &[Group], columns: usize) -> String {
    let mut text = "{about}\n\n{usage-heading} {usage}\n\n".to_owned();
    let shown = |group: &Group| -> Vec<(&'static str, String)> {
        let rows = group.rows.iter().filter(|row| !row.hidden);
        rows.map(|row| (row.name, row.about())).collect()
    };
    let longest = table.iter().flat_map(shown).map(|(name, _)| name.len());
    let column = longest.max().unwrap_or_default() + 2;
    for group in table {
        text.extend([group.heading, ":\n"]);
        let rows = shown(group);
        let rows = rows.iter().map(|(name, about)| (*name, &**about));
        text += &text::in_two_columns(rows, column, "  ", columns);
        text += "\n";
    }
    text + OPTIONS_AND_EXAMPLES
}
