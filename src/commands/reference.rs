//! The tables in `docs/commands.md` that are made from the table of commands.

use super::{
    command::{EVERY_EXIT_CODE, Lock, Needs},
    row::{Group, Row},
};
use crate::text;

/// What each command does, and what each needs and leaves behind, in Markdown.
pub fn reference(table: &[Group]) -> String {
    let mut lines = vec![
        "| | command | what it does |".to_owned(),
        "| --- | --- | --- |".to_owned(),
    ];
    for group in table {
        for (index, row) in shown(group).enumerate() {
            let heading = if index == 0 { group.heading } else { "" };
            lines.push(format!("| {heading} | `{}` | {} |", row.name, row.about()));
        }
    }
    lines.push(String::new());
    lines.push("| | contacts | takes the lock | changes | log file | codes |".to_owned());
    lines.push("| --- | --- | --- | --- | --- | --- |".to_owned());
    for group in table {
        let rows: Vec<_> = shown(group).collect();
        for same in rows.chunk_by(|one, other| one.needs == other.needs) {
            let names = text::list(same.iter().map(|row| row.name));
            lines.push(needs(&names, &same[0].needs));
        }
    }
    lines.join("\n") + "\n"
}

fn shown(group: &Group) -> impl Iterator<Item = &Row> {
    group.rows.iter().filter(|row| !row.hidden)
}

fn needs(names: &str, needs: &Needs) -> String {
    let Needs {
        contacts,
        lock,
        changes,
        log,
        exit_codes,
    } = needs;
    let lock = match lock {
        Lock::Never => "no".to_owned(),
        Lock::Always => "yes".to_owned(),
        Lock::With(option) => format!("with `{option}`"),
    };
    let log = if *log { "yes" } else { "no" };
    let codes = if *exit_codes == EVERY_EXIT_CODE {
        "all".to_owned()
    } else {
        let codes: Vec<_> = exit_codes.iter().map(u8::to_string).collect();
        codes.join(" ")
    };
    format!("| {names} | {contacts} | {lock} | {changes} | {log} | {codes} |")
}
