//! Whether a container that shipit registers can be found under what is registered.

use super::listed::check_ports;
use crate::{
    config::recipe::Recipe as Raw,
    diagnostic::{Problem, Problems},
    model::{ConsulReady, Recipe},
};

/// It needs a port, which it keeps, and nobody may wait for it in Consul before it is there.
pub(super) fn check_register(raw: &Raw, recipe: &Recipe, problems: &mut Problems) {
    let Some(register) = &raw.register else {
        return;
    };
    let Some(container) = &raw.container else {
        problems.push(
            Problem::error("`[register]` without `[container]`")
                .at(&register.place, "is about a container"),
        );
        return;
    };
    let by_service =
        |on: &crate::model::HostRecipe| matches!(on.ready.consul, Some(ConsulReady::Service(_)));
    let consul = raw.ready.as_ref().and_then(|ready| ready.consul.as_ref());
    if let Some(consul) = consul.filter(|_| recipe.by_host.values().any(by_service)) {
        problems.push(
            Problem::error("`[ready] consul` would wait for what is registered only when the container is ready")
                .at(&consul.place, "waits for the service")
                .at(&register.place, "registers it")
                .hint("leave `[ready] consul` away; `[ready] http` says when it is ready"),
        );
    }
    let what = ("a service in Consul", "Consul");
    check_ports(&register.place, container, recipe, what, problems);
}
