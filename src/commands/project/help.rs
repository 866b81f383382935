//! `shipit help COMMAND`, for those who know it from other programs: what `--help` shows.

use std::borrow::Cow;

use clap::Args;

use crate::{
    commands::{
        command::{Needs, OfflineCommand},
        global::Global,
    },
    diagnostic::Problems,
    event::Outcome,
    text,
};

/// Show what `shipit COMMAND --help` shows
#[derive(Debug, Args)]
pub struct Help {
    /// The command [default: the list of all]
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

impl OfflineCommand for Help {
    const NAME: &'static str = "help";
    const NEEDS: Needs = Needs::NO_HOST;
    const HIDDEN: bool = true;

    fn run(self, _: &Global, program: &clap::Command) -> Result<Outcome, Problems> {
        // clap's own `help` shows the long form, which looks otherwise than `--help` here.
        let typed = self.command.iter().map(|word| text::visible(word));
        let before = std::iter::once("shipit".into());
        let line = before.chain(typed).chain(std::iter::once("--help".into()));
        let line = line.map(|word: Cow<'_, str>| word.into_owned());
        let Err(shown) = program.clone().try_get_matches_from(line) else {
            return Ok(Outcome::NothingToDo);
        };
        // A reader who has gone has seen enough.
        let _ = shown.print();
        Ok(match shown.exit_code() {
            0 => Outcome::NothingToDo,
            _ => Outcome::Usage,
        })
    }
}
