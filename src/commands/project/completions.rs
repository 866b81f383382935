//! `shipit completions`.

use clap::Args;
use clap_complete::Shell;

use crate::{
    commands::{
        command::{Needs, OfflineCommand},
        completion,
        global::Global,
    },
    diagnostic::Problems,
    event::Outcome,
    terminal,
};

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
In bash, zsh and fish they know the project: its environments, recipes, hosts, groups, vars and releases.

Examples:
  shipit completions bash > ~/.local/share/bash-completion/completions/shipit
  shipit completions zsh > ~/.zfunc/_shipit        # a folder of $fpath
  shipit completions fish > ~/.config/fish/completions/shipit.fish")]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

impl OfflineCommand for Completions {
    const NAME: &'static str = "completions";
    const NEEDS: Needs = Needs::NO_HOST;

    fn run(self, _: &Global, program: &clap::Command) -> Result<Outcome, Problems> {
        terminal::print(&completion::script(self.shell, program));
        Ok(Outcome::NothingToDo)
    }
}
