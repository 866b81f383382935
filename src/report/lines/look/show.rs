//! One release.

use super::{
    columns::{in_lines, in_pairs},
    history,
    options::LookOptions,
};
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
    lines.extend(in_pairs(&facts(release), "  ", options.width));
    for recipe in recipes {
        lines.push(String::new());
        lines.extend(of_recipe(recipe, options));
    }
    lines
}

/// What there is to say of it as a whole, each with its heading.
fn facts(release: &ReleaseRow) -> Vec<(String, String)> {
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
        .filter_map(|(heading, fact)| Some((heading.to_owned(), fact?)))
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
    let title = format!("{name}  {}{instances}", clean(image));
    let mut lines = in_lines(&title, options.width);
    let row = |HostResult { host, state }: &HostResult| {
        let state = state.as_deref().map_or("not changed".to_owned(), clean);
        (clean(host), state)
    };
    let hosts: Vec<_> = hosts.iter().map(row).collect();
    lines.extend(in_pairs(&hosts, "  ", options.width));
    let settings = settings.iter();
    let settings: Vec<_> = settings
        .map(|setting| (clean(&setting.field), clean(&setting.value)))
        .collect();
    lines.extend(in_pairs(&settings, "    ", options.width));
    lines
}
