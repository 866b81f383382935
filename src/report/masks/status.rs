//! Every string of what `status` shows.

use super::{preview::in_preview, release::in_release};
use crate::event::{InstanceRow, LockRow, RouteRow, Status};

pub(super) fn in_status(status: &mut Status, apply: &mut impl FnMut(&mut String)) {
    let Status {
        release,
        lock,
        instances,
        previews,
        unread,
    } = status;
    if let Some(release) = release {
        in_release(release, apply);
    }
    if let Some(LockRow {
        by,
        since: _,
        message,
    }) = lock
    {
        apply(by);
        apply(message);
    }
    for instance in instances {
        in_instance(instance, apply);
    }
    for preview in previews {
        in_preview(preview, apply);
    }
    unread.iter_mut().for_each(apply);
}

fn in_instance(row: &mut InstanceRow, apply: &mut impl FnMut(&mut String)) {
    let InstanceRow {
        recipe,
        host,
        container,
        release,
        version,
        image,
        state,
        exit_code: _,
        since: _,
        stopped_by,
        docker_health,
        consul_health,
        routes,
        address,
        severity: _,
    } = row;
    for text in [recipe, host, state] {
        apply(text);
    }
    let optional = [
        container,
        release,
        version,
        image,
        stopped_by,
        docker_health,
        consul_health,
        address,
    ];
    optional.into_iter().flatten().for_each(&mut *apply);
    for RouteRow {
        balancer,
        host,
        routed: _,
        error,
    } in routes
    {
        apply(balancer);
        apply(host);
        error.iter_mut().for_each(&mut *apply);
    }
}
