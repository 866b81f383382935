//! What is different between two releases, or between a release and now.

use super::{
    columns::{in_lines, in_pairs},
    options::LookOptions,
};
use crate::{
    event::{Comparison, Difference, RecipeComparison},
    report::text::{Paint, clean},
};

/// Both ends, then recipe by recipe what differs; what does not is one line.
pub(super) fn lines(
    from: &str,
    to: Option<&str>,
    recipes: &[RecipeComparison],
    options: LookOptions,
) -> Vec<String> {
    let end = to.map_or("what runs now".to_owned(), clean);
    let heading = format!("{} → {end}", clean(from));
    let mut lines = vec![options.painter.paint(Paint::Strong, heading)];
    let is_same = |it: &&RecipeComparison| it.change == Comparison::Same;
    for recipe in recipes.iter().filter(|it| !is_same(it)) {
        lines.extend(in_lines(&title(recipe, options), options.width));
        let differences: Vec<_> = recipe.differences.iter().map(pair).collect();
        lines.extend(in_pairs(&differences, "  ", options.width));
    }
    let same: Vec<_> = recipes.iter().filter(is_same).map(place).collect();
    if !same.is_empty() {
        let line = format!("no difference: {}", same.join("; "));
        let line = options.painter.paint(Paint::Faint, line);
        lines.extend(in_lines(&line, options.width));
    }
    if recipes.is_empty() {
        lines.push("neither has a container".to_owned());
    }
    lines
}

/// `web on host-1, host-2`.
fn place(recipe: &RecipeComparison) -> String {
    let hosts: Vec<_> = recipe.hosts.iter().map(|host| clean(host)).collect();
    format!("{} on {}", clean(&recipe.recipe), hosts.join(", "))
}

fn title(recipe: &RecipeComparison, options: LookOptions) -> String {
    let (words, paint) = match recipe.change {
        Comparison::Added => (": added", Paint::Good),
        Comparison::Removed => (": removed", Paint::Bad),
        Comparison::Unknown => (
            ": what runs is of no release whose record is left",
            Paint::Notable,
        ),
        Comparison::Changed | Comparison::Same => ("", Paint::Notable),
    };
    format!("{}{}", place(recipe), options.painter.paint(paint, words))
}

fn pair(Difference { field, old, new }: &Difference) -> (String, String) {
    let value = |value: &Option<String>| value.as_deref().map_or("–".to_owned(), clean);
    (clean(field), format!("{} → {}", value(old), value(new)))
}
