//! What the command line says about output.

use super::{lines::Level, text::Colour};

/// What the command line says about output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choice {
    /// In which form.
    pub output: Output,
    /// How much.
    pub verbosity: Verbosity,
    /// With colours or without.
    pub colour: Colour,
    /// Whether all of it goes to standard error, as standard output has something else.
    pub spares_stdout: bool,
}

impl Choice {
    /// The same for what is drawn again and again in one place, which lines between would tear apart.
    #[must_use]
    pub fn without_progress(self) -> Self {
        let output = match self.output {
            Output::Auto | Output::Bars => Output::Plain,
            other => other,
        };
        Self {
            output,
            verbosity: Verbosity::Quiet,
            ..self
        }
    }
}

/// The form of output; `--output`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Output {
    /// Bars where standard error is a terminal that can draw them, else plain lines.
    #[default]
    Auto,
    /// Lines.
    Plain,
    /// One event a line.
    Json,
    /// Bars; still plain lines where no terminal can draw them.
    Bars,
}

/// How much is shown; `-q` and `-v`. It does not change JSON and the log file, which have everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Warnings, errors and the result.
    Quiet,
    /// Also what is finished.
    #[default]
    Normal,
    /// Also what begins, what is waited for, and the output of what failed.
    Verbose,
}

impl From<Verbosity> for Level {
    fn from(verbosity: Verbosity) -> Self {
        match verbosity {
            Verbosity::Quiet => Self::Quiet,
            Verbosity::Normal => Self::Normal,
            Verbosity::Verbose => Self::Verbose,
        }
    }
}
