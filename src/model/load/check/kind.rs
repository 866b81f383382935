//! Whether a recipe is one of a container or one of commands.

use super::super::read::RawRecipe;
use crate::diagnostic::{Problem, Problems};

/// A recipe has a container or commands, and only what goes with it.
pub(super) fn check_kind(recipe: &RawRecipe, problems: &mut Problems) {
    let raw = &recipe.file.content;
    match (&raw.container, &raw.commands) {
        // A balancer that runs on its hosts.
        (None, None) if raw.balancer.is_some() => {}
        (None, None) => problems.push(
            Problem::error(format!(
                "recipe `{}` has neither `[container]` nor `[[commands]]`",
                recipe.name.value
            ))
            .at(&recipe.file.source.place(0..0), "nothing to run"),
        ),
        (Some(_), Some(commands)) => problems.push(
            Problem::error("`[[commands]]` beside `[container]`")
                .at(&commands.place, "of a recipe without a container")
                .hint("`[[before]]` runs before the container starts, `[[after]]` after"),
        ),
        (Some(_), None) => {}
        (None, Some(_)) => {
            let misplaced = [
                ("[[before]]", raw.before.as_ref().map(|found| &found.place)),
                ("[[after]]", raw.after.as_ref().map(|found| &found.place)),
                ("[ready]", raw.ready.as_ref().map(|found| &found.place)),
                ("[rollout]", raw.rollout.as_ref().map(|found| &found.place)),
                (
                    "[register]",
                    raw.register.as_ref().map(|found| &found.place),
                ),
                ("[drain]", raw.drain.as_ref().map(|found| &found.place)),
                ("[probe]", raw.probe.as_ref().map(|found| &found.place)),
            ];
            for (name, place) in misplaced {
                if let Some(place) = place {
                    problems.push(
                        Problem::error(format!("`{name}` without `[container]`"))
                            .at(place, "is about a container")
                            .hint("a recipe without a container has `[[commands]]` alone"),
                    );
                }
            }
        }
    }
}
