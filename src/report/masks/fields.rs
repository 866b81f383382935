//! The strings of fields of containers.

use crate::event::{Difference, Setting};

pub(super) fn in_differences(differences: &mut [Difference], apply: &mut impl FnMut(&mut String)) {
    for Difference { field, old, new } in differences {
        apply(field);
        old.iter_mut().chain(new).for_each(&mut *apply);
    }
}

pub(super) fn in_settings(settings: &mut [Setting], apply: &mut impl FnMut(&mut String)) {
    for Setting { field, value } in settings {
        apply(field);
        apply(value);
    }
}
