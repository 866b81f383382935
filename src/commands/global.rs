//! The global options: what every command takes, and what that means for what is shown.

use std::path::{Path, PathBuf};

use clap::{ArgAction, Args, ValueEnum, ValueHint};

use crate::{
    diagnostic::{Problems, Style},
    model::Project,
    report::{Choice, Colour, Output, Verbosity},
    terminal,
};

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The project's folder or one below it [default: the current one]
    #[arg(short = 'C', long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    /// Show more; twice: trace the SSH sessions as well
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Show only warnings, errors and the result
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Form of the output: auto, bars, plain (lines) or json (one event per line)
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub output: OutputForm,
    /// Use colours: auto (unless `NO_COLOR` is set), always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub color: ColorWhen,
    /// Print help
    // clap's own `--help` gives each option three lines where `-h` gives it one.
    #[arg(short, long, global = true, action = ArgAction::HelpShort)]
    help: Option<bool>,
}

// The values have no doc comments: they would become help text.

/// `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputForm {
    Auto,
    Plain,
    Json,
    Bars,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    Auto,
    Always,
    Never,
}

impl Global {
    /// The project that `-C` or the current folder is in.
    pub fn project(&self) -> Result<Project, Problems> {
        let from = self.directory.as_deref().unwrap_or(Path::new("."));
        Ok(Project::find(from)?)
    }

    /// What the reporters are to show, and how.
    pub fn choice(&self) -> Choice {
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Verbose,
        };
        let output = match self.output {
            // Traces are lines on standard error and would tear bars apart.
            OutputForm::Auto | OutputForm::Bars if self.verbose > 1 => Output::Plain,
            OutputForm::Auto => Output::Auto,
            OutputForm::Plain => Output::Plain,
            OutputForm::Json => Output::Json,
            OutputForm::Bars => Output::Bars,
        };
        Choice {
            output,
            verbosity,
            colour: self.colour(),
            spares_stdout: false,
        }
    }

    /// Whether a person can be asked. With `--output json` a question would be an event among others, in a
    /// file that nobody looks at.
    pub fn can_ask(&self) -> bool {
        self.output != OutputForm::Json && terminal::is_interactive()
    }

    /// Prints problems of the files to standard error.
    pub fn show_problems(&self, problems: &Problems) {
        let style = match (
            terminal::stderr_is_terminal(),
            self.colour().paints_stderr(),
        ) {
            (_, true) => Style::Colours,
            (true, false) => Style::Boxes,
            (false, false) => Style::Plain,
        };
        terminal::show_problems(problems, style);
    }

    fn colour(&self) -> Colour {
        match self.color {
            ColorWhen::Auto => Colour::Auto,
            ColorWhen::Always => Colour::Always,
            ColorWhen::Never => Colour::Never,
        }
    }
}
