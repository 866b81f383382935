//! `shipit secret list`.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::json;

use super::desk::Desk;
use crate::{
    commands::{
        command::{Needs, OfflineCommand},
        global::{Global, OutputForm},
    },
    diagnostic::Problems,
    event::Outcome,
    model::{self, Name, Overrides},
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
        let mut values = Vec::new();
        let mut mistakes = Problems::new();
        for name in desk.names()? {
            let used = users.remove(&name).unwrap_or_default();
            match desk.envelope(&name) {
                Ok(envelope) => {
                    let sealed = Some(holders(&envelope, recipients.as_ref()));
                    values.push(Listed { name, sealed, used });
                }
                Err(problems) => mistakes.extend(problems),
            }
        }
        values.extend(users.into_iter().map(|(name, used)| Listed {
            name,
            sealed: None,
            used,
        }));
        if global.output == OutputForm::Json {
            let values: Vec<_> = values.iter().map(Listed::as_json).collect();
            terminal::print(&format!("{:#}\n", serde_json::Value::from(values)));
        } else {
            let width = terminal::stdout_width().unwrap_or(text::UNLIMITED);
            let texts: Vec<_> = values.iter().map(|it| it.text(width)).collect();
            terminal::print(&texts.concat());
        }
        if values.is_empty() && !mistakes.has_errors() {
            desk.note("no value is sealed yet: `shipit secret set NAME`");
        }
        if mistakes.has_errors() {
            return Err(mistakes);
        }
        Ok(Outcome::NothingToDo)
    }
}

/// A value in the list.
struct Listed {
    name: Name,
    /// Whom it is sealed for, and for which of today's recipients it is not; `None` where it is not there.
    sealed: Option<(Vec<String>, Vec<String>)>,
    used: BTreeSet<String>,
}

impl Listed {
    fn as_json(&self) -> serde_json::Value {
        let sealed = self.sealed.as_ref();
        json!({
            "secret": self.name,
            "sealed_for": sealed.map(|(holders, _)| holders),
            "not_for": sealed.map(|(_, missing)| missing),
            "used_by": self.used,
        })
    }

    fn text(&self, width: usize) -> String {
        // Names go on below themselves.
        let fact = |heading: &str, text: &str| {
            text::filled(text, &format!("  {heading:12}"), &" ".repeat(14), width)
        };
        let name = &self.name;
        let mut lines = vec![format!("{name}\n")];
        if let Some((holders, missing)) = &self.sealed {
            lines.push(fact("sealed for", &comma(holders)));
            if !missing.is_empty() {
                let missing = comma(missing);
                let missing = format!("{missing} (`shipit secret rotate`)");
                lines.push(fact("not for", &missing));
            }
        } else {
            let file = file_of(name);
            let hint = format!("seal it: `shipit secret set {name}` makes `{file}`");
            lines.push(fact("not there", &hint));
        }
        let used = if self.used.is_empty() {
            "nothing".to_owned()
        } else {
            comma(&self.used)
        };
        lines.push(fact("used by", &used));
        lines.concat()
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
