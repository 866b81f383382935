//! `shipit state key`.

use clap::Args;

use crate::{
    commands::{
        command::{Needs, OfflineCommand},
        global::Global,
    },
    diagnostic::{Problem, Problems},
    event::Outcome,
    terminal,
};

/// How many bytes a key has.
const BYTES: usize = 32;

/// Make a key to sign release records with
#[derive(Debug, Args)]
#[command(after_help = "\
Prints a new random key and the lines that name it. Nothing keeps it: put it where the team's secrets are.

Example:
  shipit state key")]
pub struct Key {}

impl OfflineCommand for Key {
    const NAME: &'static str = "state key";
    const NEEDS: Needs = Needs::NO_HOST;

    fn run(self, _: &Global, _: &clap::Command) -> Result<Outcome, Problems> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(|error| {
            Problem::error(format!("this machine gives no random numbers: {error}"))
        })?;
        terminal::print(&format!(
            "\
# A new key, kept nowhere. Whoever has it can sign release records of the environment.
export SHIPIT_STATE_KEY={}

# In the inventory; `file` and `command` do as well.
[state]
key = {{ env = \"SHIPIT_STATE_KEY\" }}

# Once, for the records that there are:
# shipit state sign ENV
",
            hex::encode(bytes)
        ));
        Ok(Outcome::NothingToDo)
    }
}
