//! `shipit completions`.

use clap::Args;
use clap_complete::Shell;

use crate::{
    commands::{
        command::{Needs, OfflineCommand},
        global::Global,
    },
    diagnostic::Problems,
    event::Outcome,
    terminal,
};

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  shipit completions bash > ~/.local/share/bash-completion/completions/shipit")]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

impl OfflineCommand for Completions {
    const NAME: &'static str = "completions";
    const NEEDS: Needs = Needs::NO_HOST;

    fn run(self, _: &Global, program: &clap::Command) -> Result<Outcome, Problems> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut program.clone(), "shipit", &mut text);
        terminal::print(&String::from_utf8_lossy(&text));
        Ok(Outcome::NothingToDo)
    }
}
