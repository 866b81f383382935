//! `shipit secret rotate`.

use clap::Args;

use super::desk::{Desk, WRITES, closed};
use crate::{
    commands::{
        command::{Needs, OfflineCommand},
        global::Global,
    },
    diagnostic::Problems,
    event::Outcome,
    text,
};

/// Seal all values again, for today's recipients
#[derive(Debug, Args)]
#[command(after_help = "\
After a key came into secrets/recipients or left it. All values are opened before the first is written. Whoever left
still knows the values, and git keeps the old files: change each value itself, and `shipit secret set` it.

Example:
  shipit secret rotate")]
pub struct Rotate {}

impl OfflineCommand for Rotate {
    const NAME: &'static str = "secret rotate";
    const NEEDS: Needs = WRITES;

    fn run(self, global: &Global, _: &clap::Command) -> Result<Outcome, Problems> {
        let desk = Desk::new(global)?;
        let recipients = desk.needed_recipients()?;
        let names = desk.names()?;
        if names.is_empty() {
            desk.note("no value is sealed yet");
            return Ok(Outcome::NothingToDo);
        }
        let (mut all, mut mistakes) = (Vec::new(), Problems::new());
        for name in &names {
            match desk.value(name) {
                Ok(value) => all.push((name, closed(name, &value, &recipients)?)),
                Err(problems) => mistakes.extend(problems),
            }
        }
        if mistakes.has_errors() {
            return Err(mistakes);
        }
        for (name, sealed) in &all {
            desk.write(name, sealed)?;
        }
        desk.note(&format!(
            "sealed {} again, for {}\nWhoever has left knows the values and has the old files. Change each value itself, \
             then `shipit secret set` it.",
            text::count(all.len(), "value"),
            recipients.names()
        ));
        Ok(Outcome::Done)
    }
}
