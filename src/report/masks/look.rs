//! Every string of what those see who only look.

use super::{
    fields::{in_differences, in_settings},
    preview::in_preview,
    release::in_release,
    status::in_status,
};
use crate::event::{EventKind, HostResult, RecipeComparison, RecipeDetails};

/// Calls `apply` with every string of such an event.
pub(super) fn in_look(kind: &mut EventKind, apply: &mut impl FnMut(&mut String)) {
    match kind {
        EventKind::History { releases } => {
            for row in releases {
                in_release(row, apply);
            }
        }
        EventKind::Previews { previews } => {
            for row in previews {
                in_preview(row, apply);
            }
        }
        EventKind::Status { status, form: _ } => in_status(status, apply),
        EventKind::ReleaseDetails { release, recipes } => {
            in_release(release, apply);
            for recipe in recipes {
                in_details(recipe, apply);
            }
        }
        EventKind::Comparison { from, to, recipes } => {
            apply(from);
            to.iter_mut().for_each(&mut *apply);
            for recipe in recipes {
                in_comparison(recipe, apply);
            }
        }
        _ => {}
    }
}

fn in_details(details: &mut RecipeDetails, apply: &mut impl FnMut(&mut String)) {
    let RecipeDetails {
        recipe,
        hosts,
        image,
        instances: _,
        settings,
    } = details;
    apply(recipe);
    apply(image);
    for HostResult { host, state } in hosts {
        apply(host);
        state.iter_mut().for_each(&mut *apply);
    }
    in_settings(settings, apply);
}

fn in_comparison(comparison: &mut RecipeComparison, apply: &mut impl FnMut(&mut String)) {
    let RecipeComparison {
        recipe,
        hosts,
        change: _,
        differences,
    } = comparison;
    apply(recipe);
    hosts.iter_mut().for_each(&mut *apply);
    in_differences(differences, apply);
}
