//! The program that a table of commands makes: the command line, its help, and which command runs.

use std::process::ExitCode;

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
{options}

Examples:
  shipit deploy staging          # changed recipes only; a second time does nothing
  shipit plan staging            # what it would do, field by field
  shipit rollback                # the previous release of the default environment

`shipit COMMAND --help` says more.
";

/// The command line. What is wrong on it exits with 2, as clap does by itself.
pub fn parser(table: &[Group]) -> clap::Command {
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
        .help_template(help(table))
        .subcommands(commands(table))
}

/// Runs the program with this process's arguments.
pub fn run(table: &[Group]) -> ExitCode {
    let program = parser(table);
    let matches = program.clone().get_matches();
    let global = Global::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    terminal::trace(global.verbose);
    ExitCode::from(dispatch(table, &program, &global, &matches).exit_code())
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
        let above = match known {
            Some(at) => commands.remove(at),
            None => {
                let below = rows(table).filter(|row| row.parent() == Some(parent));
                clap::Command::new(parent)
                    .about(text::list(below.map(|row| format!("shipit {}", row.name))))
                    .subcommand_required(true)
                    .arg_required_else_help(true)
                    .disable_help_subcommand(true)
            }
        };
        commands.push(above.subcommand(row.parser()));
    }
    commands
}

fn rows(table: &[Group]) -> impl Iterator<Item = &Row> {
    table.iter().flat_map(|group| group.rows)
}

/// The help of the program: clap has no groups of commands.
fn help(table: &[Group]) -> String {
    let shown = |group: &Group| -> Vec<Row> {
        let rows = group.rows.iter().copied();
        rows.filter(|row| !row.hidden).collect()
    };
    let longest = table.iter().flat_map(shown).map(|row| row.name.len()).max();
    let width = longest.unwrap_or_default() + 2;
    let mut lines = vec!["{about}\n\n{usage-heading} {usage}\n".to_owned()];
    for group in table {
        lines.push(format!("{}:", group.heading));
        let rows = shown(group).into_iter();
        lines.extend(rows.map(|row| format!("  {:width$}{}", row.name, row.about())));
        lines.push(String::new());
    }
    lines.join("\n") + "\n" + OPTIONS_AND_EXAMPLES
}
