//! `shipit secret list`.

use clap::Args;

use super::desk::Desk;
use crate::{
    commands::{
        command::{Needs, OfflineCommand},
        global::Global,
    },
    diagnostic::Problems,
    event::Outcome,
    model::{self, Overrides},
    secrets::sealed::{self, Envelope, Holder, Recipients, Users, file_of},
    terminal, text,
};

/// List the sealed values, whom they are for, and what uses them
#[derive(Debug, Args)]
#[command(after_help = "\
It opens nothing, and so shows no value. age shows which SSH keys a file is for, but of age keys only how many.

Example:
  shipit secret list")]
pub struct List {}

impl OfflineCommand for List {
    const NAME: &'static str = "secret list";
    const NEEDS: Needs = Needs::NO_HOST;

    fn run(self, global: &Global, _: &clap::Command) -> Result<Outcome, Problems> {
        let desk = Desk::new(global)?;
        let recipients = desk.recipients()?;
        let mut users = users(&desk);
        let width = terminal::stdout_width().unwrap_or(text::UNLIMITED);
        // Names go on below themselves.
        let fact = |heading: &str, text: &str| {
            text::filled(text, &format!("  {heading:12}"), &" ".repeat(14), width)
        };
        let mut lines = Vec::new();
        let mut mistakes = Problems::new();
        for name in desk.names()? {
            let used = users.remove(&name);
            match desk.envelope(&name) {
                Ok(envelope) => {
                    let (holders, missing) = holders(&envelope, recipients.as_ref());
                    lines.push(format!("{name}\n"));
                    lines.push(fact("sealed for", &comma(&holders)));
                    if !missing.is_empty() {
                        let missing = comma(&missing);
                        let missing = format!("{missing} (`shipit secret rotate`)");
                        lines.push(fact("not for", &missing));
                    }
                    let used = used.map_or("nothing".to_owned(), |used| comma(&used));
                    lines.push(fact("used by", &used));
                }
                Err(problems) => mistakes.extend(problems),
            }
        }
        for (name, used) in users {
            let file = file_of(&name);
            let hint = format!("seal it: `shipit secret set {name}` makes `{file}`");
            lines.push(format!("{name}\n"));
            lines.push(fact("not there", &hint));
            lines.push(fact("used by", &comma(&used)));
        }
        terminal::print(&lines.concat());
        if lines.is_empty() && !mistakes.has_errors() {
            desk.note("no value is sealed yet: `shipit secret set NAME`");
        }
        if mistakes.has_errors() {
            return Err(mistakes);
        }
        Ok(Outcome::NothingToDo)
    }
}

/// Whom a value is sealed for, and which of today's recipients it is not for.
fn holders(envelope: &Envelope, recipients: Option<&Recipients>) -> (Vec<String>, Vec<String>) {
    let recipients: Vec<_> = recipients.into_iter().flat_map(Recipients::iter).collect();
    let age_keys = recipients.iter().filter(|it| it.tag.is_none()).count();
    let name = |holder: &Holder| match holder {
        Holder::Ssh(tag) => {
            let known = recipients.iter().find(|it| it.tag.as_ref() == Some(tag));
            known.map_or_else(
                || format!("an SSH key that is no recipient any more ({tag})"),
                |it| it.name.clone(),
            )
        }
        Holder::Age => String::new(),
        Holder::Other(kind) => format!("a key of the kind {kind}"),
    };
    let mut names: Vec<_> = envelope.holders().iter().map(name).collect();
    names.retain(|name| !name.is_empty());
    let of_age = envelope.count_of_age_keys();
    if of_age > 0 {
        // As many as there are today are taken for those of today; age does not say more.
        let known = recipients.iter().filter(|it| it.tag.is_none());
        if of_age == age_keys {
            names.extend(known.map(|it| it.name.clone()));
        } else {
            let today = text::count(age_keys, "age key");
            names.push(format!(
                "{} (of today's recipients {today})",
                text::count(of_age, "age key")
            ));
        }
    }
    let missing = recipients
        .iter()
        .filter(|it| !envelope.is_for(it, age_keys));
    (names, missing.map(|it| it.name.clone()).collect())
}

/// What uses which sealed value, in every environment that can be read.
fn users(desk: &Desk) -> Users {
    let mut users = Users::new();
    for name in desk.project.environments() {
        let overrides = Overrides {
            for_several: true,
            ..Overrides::default()
        };
        match model::load(&desk.project, &name, &overrides) {
            Ok(loaded) => sealed::add_users(&loaded.environment, &mut users),
            Err(_) => desk.note(&format!(
                "what uses secrets in `{name}` is not known: `shipit validate {name}` says why"
            )),
        }
    }
    users
}

fn comma<'a>(items: impl IntoIterator<Item = &'a String>) -> String {
    let items: Vec<_> = items.into_iter().map(String::as_str).collect();
    items.join(", ")
}
