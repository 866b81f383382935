//! Where a recipe runs.

use super::super::{hosts::Members, read::RawRecipe};
use crate::{
    config::suggest::did_you_mean,
    diagnostic::{Problem, Problems},
};

/// The recipe's hosts as indexes, in the inventory's order.
pub(super) fn of(recipe: &RawRecipe, members: &Members, problems: &mut Problems) -> Vec<usize> {
    let Some(wanted) = &recipe.file.content.hosts else {
        let start = recipe.file.source.place(0..0);
        problems.push(
            Problem::error(format!("recipe `{}` has no hosts", recipe.name.value))
                .at(&start, "`hosts` is missing")
                .hint("add `hosts = \"GROUP\"`, a host, a list of those, or `\"all\"`"),
        );
        return Vec::new();
    };
    if wanted.0.is_empty() {
        problems.push(
            Problem::error(format!("recipe `{}` has no hosts", recipe.name.value))
                .at(&wanted.place, "an empty list"),
        );
    }
    let mut own = vec![false; members.hosts.len()];
    for text in &wanted.0 {
        let mut found = false;
        for (index, member) in members.hosts.iter().enumerate() {
            let host = &member.host;
            if text.value == "all"
                || *host.name == *text.value
                || host.groups.iter().any(|group| **group == *text.value)
            {
                own[index] = true;
                found = true;
            }
        }
        // Without hosts there is another mistake to mend first.
        if !found && !members.hosts.is_empty() {
            let names = members.hosts.iter().map(|member| &*member.host.name);
            let groups = members.groups.iter().map(|group| &**group);
            let near = did_you_mean(text, groups.clone().chain(names).chain(["all"]));
            problems.push(
                Problem::error(format!("unknown host or group `{}`", text.value))
                    .at(
                        &text.place,
                        "neither a host nor a group of this environment",
                    )
                    .hint(near.unwrap_or_else(|| {
                        format!("the groups are {}", crate::text::list(groups))
                    })),
            );
        }
    }
    (0..own.len()).filter(|index| own[*index]).collect()
}
