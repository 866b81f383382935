//! Every string of what is shown of previews.

use super::release::in_release;
use crate::event::{PreviewRow, VersionRow};

pub(super) fn in_preview(row: &mut PreviewRow, apply: &mut impl FnMut(&mut String)) {
    let PreviewRow {
        preview,
        environment,
        versions,
        release,
        since: _,
        running: _,
        wanted: _,
        prune,
        severity: _,
    } = row;
    apply(preview);
    apply(environment);
    for VersionRow { recipe, version } in versions {
        apply(recipe);
        apply(version);
    }
    if let Some(release) = release {
        in_release(release, apply);
    }
    prune.iter_mut().for_each(apply);
}
