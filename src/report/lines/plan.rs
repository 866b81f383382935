//! The plan as a tree: per recipe, per container, field by field `old → new`.

use std::fmt::Write;

use crate::{
    event::{Difference, PlanAction, PlanRow, Setting},
    report::text::{Paint, Painter, clean, clean_lines, columns, count, counted, pad, wrapped},
};

/// How many hosts are named on one line before the rest is a number.
const NAMED_HOSTS: usize = 6;

/// How a plan is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlanOptions {
    pub(super) painter: Painter,
    /// Whether every host is named, and every unchanged container too.
    pub(super) complete: bool,
    /// The columns of the terminal, where it is one.
    pub(super) width: Option<usize>,
}

/// Whether the plan changes anything.
pub(super) fn changes_anything(rows: &[PlanRow]) -> bool {
    rows.iter().any(|row| row.action != PlanAction::Keep)
}

/// The plan's lines, with a summary as the last.
pub(super) fn lines(rows: &[PlanRow], options: PlanOptions) -> Vec<String> {
    let mut lines = Vec::new();
    for recipe in in_order(rows, |row| &row.recipe) {
        let (unchanged, changed): (Vec<_>, Vec<_>) = recipe
            .iter()
            .copied()
            .partition(|row| row.action == PlanAction::Keep && row.note.is_none());
        let Some(name) = recipe.first().map(|row| clean(&row.recipe)) else {
            continue;
        };
        if changed.is_empty() {
            let hosts = hosts_of(&unchanged, options);
            let line = format!("{name}: unchanged on {hosts}");
            lines.extend(faint(line, 4, options));
            continue;
        }
        lines.push(options.painter.paint(Paint::Strong, name));
        for alike in in_order(changed, what_happens) {
            push_entry(&alike, options, &mut lines);
        }
        if !unchanged.is_empty() {
            let line = format!("  unchanged on {}", hosts_of(&unchanged, options));
            lines.extend(faint(line, 4, options));
        }
    }
    lines.push(options.painter.paint(Paint::Strong, summary(rows)));
    lines
}

/// `2 to replace, 1 to create, 3 unchanged`.
fn summary(rows: &[PlanRow]) -> String {
    let words = [
        (PlanAction::Replace, "to replace"),
        (PlanAction::Create, "to create"),
        (PlanAction::Start, "to start"),
        (PlanAction::Confirm, "to confirm"),
        (PlanAction::Remove, "to remove"),
        (PlanAction::Stop, "to stop"),
        (PlanAction::Write, "to write"),
        (PlanAction::Run, "to run"),
        (PlanAction::Keep, "unchanged"),
    ];
    let counts = words.into_iter().filter_map(|(action, words)| {
        let number = rows.iter().filter(|row| row.action == action).count();
        (number > 0).then(|| {
            format!(
                "{} {words}",
                count(u64::try_from(number).unwrap_or(u64::MAX))
            )
        })
    });
    let counts: Vec<_> = counts.collect();
    if counts.is_empty() {
        return "no changes planned".to_owned();
    }
    counts.join(", ")
}

/// What must be equal for hosts to share an entry: all but the host. With 300 hosts a plan is
/// readable only so.
fn what_happens(row: &PlanRow) -> impl PartialEq + '_ {
    let PlanRow {
        host: _,
        recipe,
        action,
        container,
        reason,
        differences,
        starts,
        diff,
        note,
    } = row;
    let changes = (differences, starts, diff);
    (recipe, action, container, reason, changes, note)
}

/// The rows of one entry, which are alike but for their hosts.
fn push_entry(rows: &[&PlanRow], options: PlanOptions, lines: &mut Vec<String>) {
    let Some(row) = rows.first() else { return };
    let (word, paint) = match row.action {
        PlanAction::Replace => ("replace", Paint::Notable),
        PlanAction::Create => ("create", Paint::Good),
        PlanAction::Start => ("start", Paint::Good),
        PlanAction::Confirm => ("confirm", Paint::Notable),
        PlanAction::Remove => ("remove", Paint::Bad),
        PlanAction::Stop => ("stop", Paint::Notable),
        PlanAction::Write => ("write", Paint::Notable),
        PlanAction::Run => ("run", Paint::Progress),
        PlanAction::Keep => ("keep", Paint::Faint),
    };
    let mut rest = String::new();
    if let Some(container) = &row.container {
        let _ = write!(rest, " {}", clean(container));
    }
    let _ = write!(rest, " on {}", hosts_of(rows, options));
    if !row.reason.is_empty() {
        let _ = write!(rest, ": {}", clean(&row.reason));
    }
    let word = options.painter.paint(paint, word);
    lines.extend(wrapped(format!("  {word}{rest}"), 6, options.width));
    let fields = row.differences.iter().map(|difference| &difference.field);
    let width = fields.map(|field| columns(&clean(field))).max();
    for difference in &row.differences {
        let line = difference_line(difference, width.unwrap_or(0), options);
        lines.push(line);
    }
    let fields = row.starts.iter().map(|setting| &setting.field);
    let width = fields.map(|field| columns(&clean(field))).max();
    if !row.starts.is_empty() {
        lines.push("    starts".to_owned());
    }
    for Setting { field, value } in &row.starts {
        let field = pad(&clean(field), width.unwrap_or(0));
        lines.push(format!("      {field}  {}", clean(value)));
    }
    for line in &row.diff {
        let paint = match line.chars().next() {
            Some('+') => Paint::Good,
            Some('-') => Paint::Bad,
            _ => Paint::Faint,
        };
        lines.push(format!("    {}", options.painter.paint(paint, clean(line))));
    }
    if let Some(note) = &row.note {
        for (number, line) in clean_lines(note).enumerate() {
            let start = if number == 0 { "note:" } else { "     " };
            let start = options.painter.paint(Paint::Notable, start);
            let line = format!("    {start} {line}");
            lines.extend(wrapped(line, 10, options.width));
        }
    }
}

/// A line that is no news, broken where it is too wide.
fn faint(line: String, below: usize, options: PlanOptions) -> impl Iterator<Item = String> {
    let lines = wrapped(line, below, options.width).into_iter();
    lines.map(move |line| options.painter.paint(Paint::Faint, line))
}

fn difference_line(difference: &Difference, width: usize, options: PlanOptions) -> String {
    let Difference { field, old, new } = difference;
    let value = |value: &Option<String>, paint| match value {
        Some(value) => options.painter.paint(paint, clean(value)),
        None => options.painter.paint(Paint::Faint, "(none)"),
    };
    let field = pad(&clean(field), width);
    let old = value(old, Paint::Faint);
    let new = value(new, Paint::Good);
    format!("    {field}  {old} → {new}")
}

fn hosts_of(rows: &[&PlanRow], options: PlanOptions) -> String {
    let mut names: Vec<_> = rows.iter().map(|row| clean(&row.host)).collect();
    // Several instances of a container are on one host.
    names.dedup();
    if options.complete || names.len() <= NAMED_HOSTS {
        return names.join(", ");
    }
    let more = names.len() - (NAMED_HOSTS - 1);
    let first = names[..NAMED_HOSTS - 1].join(", ");
    format!("{first} and {}", counted(more, "more host"))
}

/// The rows in groups of equal keys, each group where its first row is.
fn in_order<'a, K: PartialEq>(
    rows: impl IntoIterator<Item = &'a PlanRow>,
    key: impl Fn(&'a PlanRow) -> K,
) -> Vec<Vec<&'a PlanRow>> {
    let mut groups: Vec<(K, Vec<&PlanRow>)> = Vec::new();
    for row in rows {
        let key = key(row);
        match groups.iter_mut().find(|(of, _)| *of == key) {
            Some((_, group)) => group.push(row),
            None => groups.push((key, vec![row])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_is_shown_as_its_lines_change() {
        let row = PlanRow {
            host: "host-3".into(),
            recipe: "lb".into(),
            action: PlanAction::Write,
            container: None,
            reason: "/etc/nginx/conf.d/upstreams.conf".into(),
            differences: Vec::new(),
            starts: Vec::new(),
            diff: vec![
                "-   server 10.0.0.1:20000;".into(),
                "+   server \u{1b}[2J;".into(),
            ],
            note: None,
        };
        let options = PlanOptions {
            painter: Painter::default(),
            complete: false,
            width: None,
        };
        assert_eq!(
            lines(&[row], options),
            [
                "lb",
                "  write on host-3: /etc/nginx/conf.d/upstreams.conf",
                "    -   server 10.0.0.1:20000;",
                "    +   server ;",
                "1 to write",
            ]
        );
    }

    #[test]
    fn what_a_rollback_starts_is_shown_field_by_field_and_as_one_line_each() {
        let setting = |field: &str, value: &str| Setting {
            field: field.to_owned(),
            value: value.to_owned(),
        };
        let row = PlanRow {
            host: "host-1".into(),
            recipe: "web".into(),
            action: PlanAction::Replace,
            container: Some("web-r3".into()),
            reason: String::new(),
            differences: Vec::new(),
            starts: vec![
                setting("image", "web@sha256:aa"),
                setting("command", "serve\nweb: unchanged"),
            ],
            diff: Vec::new(),
            note: None,
        };
        let options = PlanOptions {
            painter: Painter::default(),
            complete: false,
            width: None,
        };
        assert_eq!(
            lines(&[row], options),
            [
                "web",
                "  replace web-r3 on host-1",
                "    starts",
                "      image    web@sha256:aa",
                "      command  serve␊web: unchanged",
                "1 to replace",
            ]
        );
    }
}
