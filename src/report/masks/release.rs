//! Every string of a release's row.

use crate::event::ReleaseRow;

pub(super) fn in_release(row: &mut ReleaseRow, apply: &mut impl FnMut(&mut String)) {
    let ReleaseRow {
        release,
        outcome,
        action,
        changes,
        message,
        failure,
        by,
        began: _,
        took: _,
        revision,
        hosts,
    } = row;
    for text in [release, outcome, action, by] {
        apply(text);
    }
    let optional = message.iter_mut().chain(failure).chain(revision);
    let all = optional.chain(changes).chain(hosts);
    all.for_each(apply);
}
