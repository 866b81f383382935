//! Every recipe of an environment, once all are resolved.

use super::{
    super::{hosts::Members, read::RawRecipe},
    canary::{check_canary_weight, check_error_rate},
    consul::{warn_named_hosts, warn_unchecked_service, warn_without_consul},
    fit::check_fit,
    kind::check_kind,
    listed::check_listed,
    ready::check_reachable,
    register::check_register,
    rollout::{check_blue_green, check_times},
};
use crate::{diagnostic::Problems, model::Recipe};

/// Checks every recipe that could be resolved. `names_consul` tells that the inventory has `[consul]`.
pub(in super::super) fn recipes(
    raw: &[RawRecipe],
    resolved: &[Recipe],
    members: &Members,
    names_consul: bool,
    problems: &mut Problems,
) {
    let has_consul = names_consul || resolved.iter().any(Recipe::is_consul);
    for recipe in resolved {
        let Some(written) = raw.iter().find(|raw| raw.name.value == recipe.name) else {
            continue;
        };
        let content = &written.file.content;
        check_kind(written, problems);
        check_reachable(content, recipe, problems);
        check_times(content, recipe, problems);
        check_blue_green(content, recipe, problems);
        check_fit(content, recipe, problems);
        check_listed(content, recipe, problems);
        check_canary_weight(content, recipe, resolved, problems);
        check_error_rate(content, recipe, resolved, problems);
        check_register(content, recipe, problems);
        warn_unchecked_service(content, recipe, problems);
        if !has_consul {
            warn_without_consul(content, recipe, problems);
        }
        warn_named_hosts(content, recipe, members, problems);
    }
}
