//! A command is one file and one row: this file is one, and the row is in [`table_with_greet`].

use std::path::Path;

use clap::{Args, FromArgMatches};
use clap_complete::Shell;

use crate::{
    commands::{
        command::{Needs, OfflineCommand},
        completion::{complete, script},
        global::Global,
        program::{dispatch, parser},
        reference::reference,
        row::{Group, Row},
        table::TABLE,
    },
    diagnostic::{Problem, Problems},
    event::Outcome,
};

/// Greet someone
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  shipit greet Ada")]
struct Greet {
    /// Whom
    #[arg(value_name = "NAME")]
    name: String,
}

impl OfflineCommand for Greet {
    const NAME: &'static str = "greet";
    const NEEDS: Needs = Needs::NO_HOST;

    fn run(self, _: &Global, program: &clap::Command) -> Result<Outcome, Problems> {
        assert!(program.find_subcommand("greet").is_some());
        match &*self.name {
            "nobody" => Err(Problem::error("nobody is there").into()),
            _ => Ok(Outcome::Done),
        }
    }
}

fn table_with_greet() -> Vec<Group> {
    let rows = &[const { Row::offline::<Greet>() }];
    let toys = Group {
        heading: "Toys",
        rows,
    };
    [TABLE, &[toys]].concat()
}

fn outcome_of(words: &[&str]) -> Outcome {
    let table = table_with_greet();
    let program = parser(&table);
    let matches = program
        .clone()
        .try_get_matches_from(words)
        .expect("typed right");
    let global = Global::from_arg_matches(&matches).expect("of the same program");
    dispatch(&table, &program, &global, &matches)
}

#[test]
fn the_help_lists_it_in_its_group() {
    let table = table_with_greet();
    let help = parser(&table).render_help().to_string();
    assert!(
        help.contains("\nToys:\n  greet          Greet someone\n\nOptions:\n"),
        "{help}"
    );
    let mut program = parser(&table);
    let greet = program.find_subcommand_mut("greet").expect("it is there");
    let help = greet.render_help().to_string();
    for part in [
        "Greet someone",
        "<NAME>  Whom",
        "Example:\n  shipit greet Ada",
    ] {
        assert!(help.contains(part), "{help}");
    }
}

#[test]
fn what_was_typed_runs_it() {
    assert_eq!(outcome_of(&["shipit", "greet", "Ada"]), Outcome::Done);
    assert_eq!(outcome_of(&["shipit", "greet", "nobody"]), Outcome::Usage);
}

#[test]
fn completions_and_the_reference_have_it() {
    let table = table_with_greet();
    let program = parser(&table);
    let completions = complete(&program, &["gr".into()], Path::new("."));
    assert_eq!(completions, "greet\tGreet someone\n");
    let completions = script(Shell::Elvish, &program);
    assert!(completions.contains("greet"), "{completions}");
    let reference = reference(&table);
    assert!(
        reference.contains("| Toys | `greet` | Greet someone |"),
        "{reference}"
    );
    assert!(
        reference.contains("| `greet` | none | no | nothing | no | 0 2 |"),
        "{reference}"
    );
}
