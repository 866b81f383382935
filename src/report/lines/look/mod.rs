//! What commands show that only look, at the width that there is.

mod columns;
mod diff;
mod history;
mod options;
mod previews;
mod show;
mod status;

use jiff::Timestamp;

pub(super) use options::LookOptions;

use crate::event::EventKind;

/// The lines of such an event; none of any other.
pub(super) fn lines(kind: &EventKind, at: Timestamp, options: LookOptions) -> Vec<String> {
    match kind {
        EventKind::Status { status, form } => status::lines(status, *form, at, options),
        EventKind::History { releases } => history::lines(releases, options),
        EventKind::Previews { previews } => previews::lines(previews, at, options),
        EventKind::ReleaseDetails { release, recipes } => show::lines(release, recipes, options),
        EventKind::Comparison { from, to, recipes } => {
            diff::lines(from, to.as_deref(), recipes, options)
        }
        _ => Vec::new(),
    }
}
