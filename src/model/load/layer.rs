//! The inventories of an environment laid over each other.

use crate::{
    config::{
        Section,
        inventory::{GroupSection, Inventory},
        values::Entries,
    },
    diagnostic::Located,
};

/// All inventories as one. An earlier one decides.
pub(super) fn over_each_other(layers: Vec<Inventory>) -> Inventory {
    layers.into_iter().reduce(lay_over).unwrap_or_default()
}

/// `top` with all that it does not say taken from `base`: tables key by key, `recipes`, `[hosts]` and
/// `[[hooks]]` as a whole. Whether there are previews, each inventory says for itself.
fn lay_over(top: Inventory, base: Inventory) -> Inventory {
    Inventory {
        extends: top.extends,
        default: top.default,
        recipes: top.recipes.or(base.recipes),
        hosts: top.hosts.or(base.hosts),
        groups: entries(top.groups, base.groups, |top: GroupSection, base| {
            GroupSection {
                vars: entries(top.vars, base.vars, |top, _| top),
            }
        }),
        ssh: section(top.ssh, base.ssh),
        vars: entries(top.vars, base.vars, |top, _| top),
        consul: section(top.consul, base.consul),
        ports: section(top.ports, base.ports),
        images: section(top.images, base.images),
        releases: section(top.releases, base.releases),
        state: section(top.state, base.state),
        hooks: top.hooks.or(base.hooks),
        previews: top.previews,
        registries: entries(top.registries, base.registries, Section::over),
    }
}

fn section<T: Section>(top: Option<Located<T>>, base: Option<Located<T>>) -> Option<Located<T>> {
    match (top, base) {
        (Some(top), Some(base)) => Some(Located {
            value: top.value.over(base.value),
            place: top.place,
        }),
        (top, base) => top.or(base),
    }
}

fn entries<T>(
    top: Option<Located<Entries<T>>>,
    base: Option<Located<Entries<T>>>,
    merge: impl Fn(T, T) -> T,
) -> Option<Located<Entries<T>>> {
    let (top, mut base) = match (top, base) {
        (Some(top), Some(base)) => (top, base),
        (top, base) => return top.or(base),
    };
    for (key, value) in top.value.0 {
        let known = base
            .value
            .0
            .iter()
            .position(|(known, _)| known.value == key.value);
        let Some(index) = known else {
            base.value.0.push((key, value));
            continue;
        };
        let (_, old) = base.value.0.remove(index);
        let merged = Located {
            value: merge(value.value, old.value),
            place: value.place,
        };
        base.value.0.insert(index, (key, merged));
    }
    Some(base)
}
