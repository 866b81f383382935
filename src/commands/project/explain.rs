//! `shipit explain`.

use clap::Args;
use serde_json::json;

use crate::{
    commands::{
        arguments::Kind,
        command::{Needs, OfflineCommand},
        global::{Global, OutputForm},
    },
    config::explain::{Explanation, all_tables, explain},
    diagnostic::{Problem, Problems},
    event::Outcome,
    terminal, text,
};

/// Explain a key or a table of the files
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  shipit explain rollout.canary
  shipit explain container        # a table lists its keys
  shipit explain                  # all tables")]
pub struct Explain {
    /// The key, with or without the tables above it [default: all tables]
    #[arg(value_name = "KEY", add = Kind::Key)]
    pub key: Option<String>,
}

impl OfflineCommand for Explain {
    const NAME: &'static str = "explain";
    const NEEDS: Needs = Needs::NO_HOST;

    fn run(self, global: &Global, _: &clap::Command) -> Result<Outcome, Problems> {
        let found = match &self.key {
            Some(key) => explain(key).map_err(|near| unknown(key, near))?,
            None => all_tables(),
        };
        if global.output == OutputForm::Json {
            let found: Vec<_> = found.iter().map(as_json).collect();
            terminal::print(&format!("{:#}\n", serde_json::Value::from(found)));
            return Ok(Outcome::NothingToDo);
        }
        let width = terminal::stdout_width().unwrap_or(text::UNLIMITED);
        let texts: Vec<_> = if self.key.is_some() {
            found.iter().map(|it| text_of(it, width)).collect()
        } else {
            vec![list(&found, width)]
        };
        terminal::print(&texts.join("\n"));
        Ok(Outcome::NothingToDo)
    }
}

fn unknown(key: &str, near: Option<String>) -> Problem {
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            "`shipit explain` lists the tables, `shipit explain TABLE` the keys of one".to_owned()
        }
    };
    Problem::error(format!("the files have no key `{key}`")).hint(hint)
}

/// A table of every table: where it stands, and what it is about.
fn list(tables: &[Explanation], width: usize) -> String {
    let rows = tables.iter().map(|it| (&*it.path, &*it.meaning));
    with_names(rows, "", width)
}

/// Names, and beside each a text.
fn with_names<'a>(
    rows: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    indent: &str,
    width: usize,
) -> String {
    let names = rows.clone().map(|(name, _)| name.len());
    let column = names.max().unwrap_or_default() + 2;
    text::in_two_columns(rows, column, indent, width)
}

fn text_of(explanation: &Explanation, width: usize) -> String {
    let Explanation {
        path,
        file,
        meaning,
        value,
        default,
        needed,
        replaces,
        keys,
    } = explanation;
    let mut text = format!("{path}, in {file}\n");
    text += &text::filled(meaning, "  ", "  ", width);
    let facts = [
        ("value", value.as_deref()),
        (
            "needed",
            needed.map(|needed| if needed == "needed" { "yes" } else { needed }),
        ),
        ("default", default.as_deref()),
        ("a change", replaces.then_some("replaces the container")),
    ];
    let facts: Vec<_> = facts
        .iter()
        .filter_map(|(name, fact)| Some((*name, (*fact)?)))
        .collect();
    if !facts.is_empty() {
        text += "\n";
        text += &with_names(facts.into_iter(), "  ", width);
    }
    if !keys.is_empty() {
        text += "\n";
        let keys = keys.iter().map(|(path, meaning)| (&**path, &**meaning));
        text += &with_names(keys, "  ", width);
    }
    text
}

fn as_json(explanation: &Explanation) -> serde_json::Value {
    let Explanation {
        path,
        file,
        meaning,
        value,
        default,
        needed,
        replaces,
        keys,
    } = explanation;
    let keys: Vec<_> = keys.iter().map(|(path, _)| path).collect();
    json!({
        "key": path,
        "file": file,
        "meaning": meaning,
        "value": value,
        "default": default,
        "needed": needed,
        "replaces_container": replaces,
        "keys": keys,
    })
}
