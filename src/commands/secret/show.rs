//! `shipit secret show`.

use clap::Args;

use super::desk::Desk;
use crate::{
    commands::{
        arguments::Kind,
        command::{Needs, OfflineCommand},
        global::Global,
    },
    diagnostic::{Problem, Problems},
    event::Outcome,
    model::Name,
    terminal,
};

/// Print a sealed value, to a pipe or after a question
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  shipit secret show database-password
  shipit secret show tls-key > key.pem")]
pub struct Show {
    /// The name of the secret
    #[arg(value_name = "NAME", add = Kind::Secret)]
    pub name: Name,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

impl OfflineCommand for Show {
    const NAME: &'static str = "secret show";
    const NEEDS: Needs = Needs::NO_HOST;

    fn run(self, global: &Global, _: &clap::Command) -> Result<Outcome, Problems> {
        let desk = Desk::new(global)?;
        let name = &self.name;
        let is_seen = terminal::stdout_is_terminal();
        if is_seen && !self.yes {
            if !desk.terminal.can_ask() {
                let fact = format!("cannot ask here whether to show `{name}` on this terminal");
                return Err(Problem::error(fact)
                    .hint("`--yes` shows it without asking")
                    .into());
            }
            // Nobody is asked about what is not there.
            desk.envelope(name)?;
            let question = format!("Show the value of {name} on this terminal?");
            if !desk.terminal.confirm(&question) {
                return Ok(Outcome::NothingToDo);
            }
        }
        let value = desk.value(name)?;
        terminal::print(&value);
        if is_seen && !value.ends_with('\n') {
            terminal::print("\n");
        }
        Ok(Outcome::Done)
    }
}
