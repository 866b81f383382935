//! Colours: the one place where they are decided and made.

use std::borrow::Cow;

use console::{Color, Style};

/// Whether output has colours; `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Colour {
    /// On a terminal that has colours, unless `NO_COLOR` or `CLICOLOR=0` is set; elsewhere only with
    /// `CLICOLOR_FORCE`.
    #[default]
    Auto,
    /// Whatever the stream and the environment are.
    Always,
    /// Never.
    Never,
}

impl Colour {
    /// How standard output is painted.
    pub(crate) fn of_stdout(self) -> Painter {
        self.decide(console::colors_enabled)
    }

    /// How standard error is painted.
    pub(crate) fn of_stderr(self) -> Painter {
        self.decide(console::colors_enabled_stderr)
    }

    /// Whether standard error is painted, for what is printed before there are events.
    pub fn paints_stderr(self) -> bool {
        self.of_stderr().paints
    }

    fn decide(self, automatic: fn() -> bool) -> Painter {
        Painter {
            paints: match self {
                Self::Auto => automatic(),
                Self::Always => true,
                Self::Never => false,
            },
        }
    }
}

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Good,
    Notable,
    Bad,
    /// Beside the point.
    Faint,
    /// What the eye should find.
    Strong,
    /// What is under way.
    Progress,
    /// What is of the host at this place: so many hosts have different colours.
    Host(usize),
}

/// The colours of hosts. Red is what fails.
const OF_HOSTS: [Color; 5] = [
    Color::Cyan,
    Color::Yellow,
    Color::Green,
    Color::Magenta,
    Color::Blue,
];

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Painter {
    paints: bool,
}

impl Painter {
    pub(crate) fn paint<'a>(self, paint: Paint, text: impl Into<Cow<'a, str>>) -> String {
        let text = text.into();
        if !self.paints || text.is_empty() {
            return text.into_owned();
        }
        let style = match paint {
            Paint::Good => Style::new().green(),
            Paint::Notable => Style::new().yellow(),
            Paint::Bad => Style::new().red().bold(),
            Paint::Faint => Style::new().dim(),
            Paint::Strong => Style::new().bold(),
            Paint::Progress => Style::new().cyan(),
            Paint::Host(place) => {
                let style = Style::new().fg(OF_HOSTS[place % OF_HOSTS.len()]);
                // The next ones are the same colours, bold.
                let is_second = place / OF_HOSTS.len() % 2 == 1;
                if is_second { style.bold() } else { style }
            }
        };
        style.force_styling(true).apply_to(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_overrules_the_environment() {
        let painted = |colour: Colour| colour.of_stderr().paint(Paint::Good, "x");
        assert_eq!(painted(Colour::Always), "\x1b[32mx\x1b[0m");
        assert_eq!(painted(Colour::Never), "x");
    }
}
