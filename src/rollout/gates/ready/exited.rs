//! A container that exited is not going to become ready.

use crate::{docker::Container, rollout::slot::SlotContainer};

/// Why a container is not going to become ready: it exited, or docker has started it again since it was seen
/// `before`.
pub(super) fn how_it_exited(container: &Container, before: &SlotContainer) -> Option<String> {
    let state = &container.state;
    let restarted = before
        .inspected
        .as_ref()
        .is_some_and(|seen| seen.state.started_at != state.started_at);
    if state.is_up() && !restarted {
        return None;
    }
    let why = match state {
        _ if !state.error.is_empty() => state.error.clone(),
        _ if state.oom_killed => "was killed: out of memory".to_owned(),
        _ if restarted && state.is_up() => "exited and was restarted by docker".to_owned(),
        _ => format!("exited with {}", state.exit_code),
    };
    Some(format!("the container `{}` {why}", container.name))
}
