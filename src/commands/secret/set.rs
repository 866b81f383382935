//! `shipit secret set`.

use std::io::Read as _;

use clap::Args;
use secrecy::ExposeSecret as _;

use super::desk::{Desk, WRITES, usable};
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

/// The most that is read: more than any value may have.
const MOST: u64 = 1024 * 1024;

/// Seal a value for everyone in secrets/recipients
#[derive(Debug, Args)]
#[command(after_help = "\
The value comes from standard input, or is asked for on a terminal. It is written to secrets/NAME.age, which belongs into
the repository; a recipe takes it by `{ sealed = \"NAME\" }`. Without secrets/recipients it is made with your own key.

Examples:
  shipit secret set database-password
  shipit secret set tls-key         # in a pipe, or with `< key.pem`")]
pub struct Set {
    /// The name of the secret
    #[arg(value_name = "NAME", add = Kind::Secret)]
    pub name: Name,
}

impl OfflineCommand for Set {
    const NAME: &'static str = "secret set";
    const NEEDS: Needs = WRITES;

    fn run(self, global: &Global, _: &clap::Command) -> Result<Outcome, Problems> {
        let desk = Desk::new(global)?;
        let name = &self.name;
        // A mistake in the list is said before anybody types a value.
        desk.recipients()?;
        let value = usable(name, read_value(&desk, name)?)?;
        let recipients = desk.recipients_or_own()?;
        desk.seal(name, &value, &recipients)?;
        Ok(Outcome::Done)
    }
}

fn read_value(desk: &Desk, name: &Name) -> Result<String, Problems> {
    if !terminal::stdin_is_terminal() {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(MOST).read_to_end(&mut bytes);
        read.map_err(|error| Problem::error(format!("cannot read standard input: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Problem::error(format!("the value of `{name}` is not UTF-8"))
                .hint("encode it, for instance with base64, and let the app decode it")
        })?;
        return Ok(text);
    }
    let ask = |question: &str| {
        let answer = desk.terminal.hidden(question);
        answer.ok_or_else(|| {
            Problem::error(format!("cannot ask here for the value of `{name}`")).hint(format!(
                "give it by a pipe: `shipit secret set {name} < FILE`"
            ))
        })
    };
    let value = ask(&format!("Value of {name}: "))?;
    let again = ask("The same again: ")?;
    if value.expose_secret() != again.expose_secret() {
        return Err(Problem::error("the two values differ; nothing was sealed").into());
    }
    Ok(value.expose_secret().to_owned())
}
