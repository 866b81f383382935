//! A row of the table of commands, made from what a command's file declares.

use clap::{ArgMatches, Args};

use super::{
    arguments::Preview,
    command::{HostCommand, Needs, OfflineCommand},
    global::Global,
    on_hosts::run::run,
};
use crate::{diagnostic::Problems, event::Outcome};

/// Commands under one heading of the help.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The heading.
    pub heading: &'static str,
    /// The commands, in the order of the help.
    pub rows: &'static [Row],
}

/// One command.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The word that is typed, or two: `state key`.
    pub name: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// Whether help and completions leave it out.
    pub hidden: bool,
    arguments: fn(clap::Command) -> clap::Command,
    run: fn(&Global, &clap::Command, &ArgMatches) -> Result<Outcome, Problems>,
}

impl Row {
    /// A command that contacts no host.
    pub const fn offline<C: OfflineCommand>() -> Self {
        Self {
            name: C::NAME,
            needs: C::NEEDS,
            hidden: C::HIDDEN,
            arguments: C::augment_args,
            run: |global, program, matches| arguments::<C>(matches).run(global, program),
        }
    }

    /// A command that contacts hosts.
    pub const fn on_hosts<C: HostCommand>() -> Self {
        Self {
            name: C::NAME,
            needs: C::NEEDS,
            hidden: false,
            arguments: on_hosts::<C>,
            run: |global, _, matches| {
                let preview = C::HAS_PREVIEWS.then(|| arguments::<Preview>(matches).preview);
                run(global, arguments::<C>(matches), preview.flatten().as_ref())
            },
        }
    }

    /// The first of two words.
    pub fn parent(&self) -> Option<&'static str> {
        self.name.split_once(' ').map(|(parent, _)| parent)
    }

    /// Its part of the command line.
    pub fn parser(&self) -> clap::Command {
        let word = self.name.rsplit(' ').next().unwrap_or(self.name);
        let parser = (self.arguments)(clap::Command::new(word)).hide(self.hidden);
        let after = parser.get_after_help().map(ToString::to_string);
        match after {
            Some(after) => parser.after_help(unfolded(&after)),
            None => parser,
        }
    }

    /// What it does, as a list of commands says it.
    pub fn about(&self) -> String {
        let parser = self.parser();
        parser
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Runs it with the arguments that were parsed.
    pub fn run(
        &self,
        global: &Global,
        program: &clap::Command,
        matches: &ArgMatches,
    ) -> Result<Outcome, Problems> {
        (self.run)(global, program, matches)
    }
}

/// The arguments of a command on hosts.
fn on_hosts<C: HostCommand>(command: clap::Command) -> clap::Command {
    let command = C::augment_args(command);
    if C::HAS_PREVIEWS {
        // A flattened type must not take the place of the command's help.
        let (about, after) = (
            command.get_about().cloned(),
            command.get_after_help().cloned(),
        );
        let command = Preview::augment_args(command);
        let command = command.about(about.unwrap_or_default());
        return command.after_help(after.unwrap_or_default());
    }
    command
}

/// What clap parsed, as the command's type; both were made from the same declaration.
fn arguments<C: Args>(matches: &ArgMatches) -> C {
    C::from_arg_matches(matches).unwrap_or_else(|error| error.exit())
}

/// A text whose paragraphs are a line each, as clap breaks lines and never joins them. A line that begins with a blank
/// stays one of its own.
fn unfolded(text: &str) -> String {
    let is_own = |line: &str| line.is_empty() || line.starts_with(' ');
    let mut unfolded = String::new();
    let mut last = "";
    for line in text.lines() {
        if !unfolded.is_empty() {
            let separator = if is_own(line) || is_own(last) {
                '\n'
            } else {
                ' '
            };
            unfolded.push(separator);
        }
        unfolded += line;
        last = line;
    }
    unfolded
}
