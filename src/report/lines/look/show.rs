//! One release.

use super::{columns::in_columns, history, options::LookOptions};
use crate::{
    event::{HostResult, RecipeDetails, ReleaseRow},
    report::text::{Paint, clean, counted, precise_seconds},
};

/// The release, then recipe by recipe what it had where.
pub(super) fn lines(
    release: &ReleaseRow,
    recipes: &[RecipeDetails],
    options: LookOptions,
) -> Vec<String> {
    let number = options
        .painter
        .paint(Paint::Strong, clean(&release.release));
    let mut lines = vec![format!("{number} {}", history::outcome(release, options))];
    lines.extend(indented("  ", in_columns(&facts(release))));
    for recipe in recipes {
        lines.push(String::new());
        lines.extend(of_recipe(recipe, options));
    }
    lines
}

/// What there is to say of it as a whole, each with its heading.
fn facts(release: &ReleaseRow) -> Vec<Vec<String>> {
    let began = release.began.strftime("%Y-%m-%d %H:%M:%S UTC");
    let optional = |text: &Option<String>| text.as_deref().map(clean);
    let facts = [
        ("what", Some(history::what(release))),
        ("message", optional(&release.message)),
        ("failed", optional(&release.failure)),
        ("by", Some(clean(&release.by))),
        ("began", Some(began.to_string())),
        ("took", release.took.map(precise_seconds)),
        ("revision", optional(&release.revision)),
    ];
    let facts = facts.into_iter();
    facts
        .filter_map(|(heading, fact)| Some(vec![heading.to_owned(), fact?]))
        .collect()
}

fn of_recipe(details: &RecipeDetails, options: LookOptions) -> Vec<String> {
    let RecipeDetails {
        recipe,
        hosts,
        image,
        instances,
        settings,
    } = details;
    let name = options.painter.paint(Paint::Strong, clean(recipe));
    let instances = match instances {
        1 => String::new(),
        more => format!(", {} on each host", counted((*more).into(), "instance")),
    };
    let mut lines = vec![format!("{name}  {}{instances}", clean(image))];
    let row = |HostResult { host, state }: &HostResult| {
        let state = state.as_deref().map_or("not changed".to_owned(), clean);
        vec![clean(host), state]
    };
    let hosts: Vec<_> = hosts.iter().map(row).collect();
    lines.extend(indented("  ", in_columns(&hosts)));
    let settings = settings.iter();
    let settings: Vec<_> = settings
        .map(|setting| vec![clean(&setting.field), clean(&setting.value)])
        .collect();
    lines.extend(indented("    ", in_columns(&settings)));
    lines
}

fn indented(indent: &str, lines: Vec<String>) -> impl Iterator<Item = String> {
    lines.into_iter().map(move |line| format!("{indent}{line}"))
}
