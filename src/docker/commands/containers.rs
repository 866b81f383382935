//! `docker run`, `docker stop` and all else about containers.

use std::{collections::BTreeMap, time::Duration};

use secrecy::SecretString;

use super::docker::docker;
use crate::{
    command::RemoteCommand,
    docker::{Identity, PinnedImage, label},
    model::ContainerSpec,
};

/// Seconds for docker's `--time`, rounded up: docker takes whole ones, and 0 would mean to kill at once.
pub(super) fn whole_seconds(duration: Duration) -> String {
    duration.as_millis().div_ceil(1000).to_string()
}

/// `docker run --detach`: makes and starts a container that carries its [`Identity`].
///
/// `image` is what the deploy pinned, so that every host runs the same bytes. Secrets go to docker's own
/// environment by standard input and are passed on by name (`--env NAME`), so they are in no argument.
pub fn run(
    spec: &ContainerSpec,
    name: &str,
    image: &PinnedImage,
    identity: &Identity,
    secrets: &BTreeMap<String, SecretString>,
) -> RemoteCommand {
    let run = docker(&["run", "--detach", "--name", name]);
    with_settings(run, spec, image, &identity.labels(), secrets)
}

/// `docker create`: the same, and it is not started.
pub fn create(
    spec: &ContainerSpec,
    name: &str,
    image: &PinnedImage,
    identity: &Identity,
    secrets: &BTreeMap<String, SecretString>,
) -> RemoteCommand {
    let create = docker(&["create", "--name", name]);
    with_settings(create, spec, image, &identity.labels(), secrets)
}

/// Adds to `docker run` or `docker create` what a container is made from.
pub(super) fn with_settings(
    mut run: RemoteCommand,
    spec: &ContainerSpec,
    image: &PinnedImage,
    own_labels: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, SecretString>,
) -> RemoteCommand {
    let ContainerSpec {
        image: _,  // as written; `image` is what it was resolved to
        source: _, // how it came to the host
        platform,
        command,
        entrypoint,
        env,
        secrets: _, // their names; the values are in `secrets`
        publish,
        publish_all,
        volumes,
        network,
        restart,
        user,
        hostname,
        workdir,
        labels,
        options,
        setup: _, // what happens around the container
        stop_timeout,
    } = spec;
    let option = |run: RemoteCommand, flag: &str, value: &Option<String>| match value {
        Some(value) => run.args([flag, value]),
        None => run,
    };
    run = option(run, "--platform", platform);
    run = option(run, "--restart", restart);
    run = option(run, "--network", network);
    run = option(run, "--user", user);
    run = option(run, "--hostname", hostname);
    run = option(run, "--workdir", workdir);
    run = option(run, "--entrypoint", entrypoint);
    run = run.args(["--stop-timeout", &whole_seconds(*stop_timeout)]);
    if *publish_all {
        run = run.arg("--publish-all");
    }
    for publish in publish {
        run = run.args(["--publish".to_owned(), publish.to_string()]);
    }
    for volume in volumes {
        run = run.args(["--volume", volume]);
    }
    for (name, value) in env {
        run = run.args(["--env".to_owned(), format!("{name}={value}")]);
    }
    for name in secrets.keys() {
        run = run.args(["--env", name]);
    }
    for (name, value) in labels.iter().chain(own_labels) {
        run = run.args(["--label".to_owned(), format!("{name}={value}")]);
    }
    run = run.args(options).arg(&image.reference).args(command);
    if secrets.is_empty() {
        run
    } else {
        run.with_secret_env(secrets.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

/// `docker start`.
pub fn start(name: &str) -> RemoteCommand {
    docker(&["start", name])
}

/// `docker stop`: SIGTERM, then SIGKILL after the container's own stop timeout, which [`run`] has set.
pub fn stop(name: &str) -> RemoteCommand {
    docker(&["stop", name])
}

/// `docker rm --force --volumes`: the container and its anonymous volumes.
pub fn remove(name: &str) -> RemoteCommand {
    docker(&["rm", "--force", "--volumes", name])
}

/// `docker rename`.
pub fn rename(from: &str, to: &str) -> RemoteCommand {
    docker(&["rename", from, to])
}

/// `docker update --restart`: a kept container must not come up by itself when the host reboots.
pub fn set_restart(name: &str, policy: &str) -> RemoteCommand {
    docker(&["update", "--restart", policy, name])
}

/// Whether a container of this name exists: exit status 0 when it does.
pub fn exists(name: &str) -> RemoteCommand {
    docker(&["container", "inspect", "--format", "{{.Id}}", name])
}

/// `docker inspect` of every container of an environment, as one JSON array; `[]` when there is none.
pub fn list_containers(environment: &str) -> RemoteCommand {
    list_labelled(label::ENVIRONMENT, environment)
}

/// The same of all previews of an environment.
pub fn list_containers_of_previews(base: &str) -> RemoteCommand {
    list_labelled(label::PREVIEW_OF, base)
}

fn list_labelled(label: &str, value: &str) -> RemoteCommand {
    RemoteCommand::script(
        r#"ids=$(docker ps --all --quiet --no-trunc --filter "label=$1") || exit
           if [ -z "$ids" ]; then echo '[]'; else docker inspect --type container $ids; fi"#,
        [format!("{label}={value}")],
    )
}

/// `docker inspect` of every running container of the host, whoever made it, as one JSON array.
pub fn list_running() -> RemoteCommand {
    RemoteCommand::script(
        r#"ids=$(docker ps --quiet --no-trunc) || exit
           if [ -z "$ids" ]; then echo '[]'; else docker inspect --type container $ids; fi"#,
        [""; 0],
    )
}

/// The names of all containers of a host, each with the environment it belongs to or nothing, and the ports that it
/// publishes while it runs: `NAME ENVIRONMENT PORTS`, one a line.
pub fn list_names() -> RemoteCommand {
    let format = format!(
        "{{{{.Names}}}} {{{{.Label \"{}\"}}}} {{{{.Ports}}}}",
        label::ENVIRONMENT
    );
    docker(&["ps", "--all", "--format"]).arg(format)
}

/// The ports of the host that containers have been given, running or not, whoever made them: one a line.
pub fn list_ports() -> RemoteCommand {
    RemoteCommand::script(
        r#"ids=$(docker ps --all --quiet --no-trunc) || exit
           [ -z "$ids" ] || docker inspect --type container --format \
             '{{range .HostConfig.PortBindings}}{{range .}}{{println .HostPort}}{{end}}{{end}}' $ids"#,
        [""; 0],
    )
}

/// How many events docker keeps (`eventsLimit` in its daemon/events), of containers and of all else.
const KEPT_EVENTS: usize = 256;

/// All of `docker events` since so long ago, as `"ACTION" ID`, one a line. Docker keeps none from before its own start.
pub fn events_since(ago: Duration) -> RemoteCommand {
    let since = format!("{}s", whole_seconds(ago));
    docker(&["events", "--since", &since, "--until", "0s"])
        // An action may have several lines, as that of `docker exec` has the command.
        .args(["--format", "{{json .Action}} {{.Actor.ID}}"])
}

/// Whether a container was sent a signal, as `docker stop` does first, by what [`events_since`] printed; also where
/// docker may have dropped the event that says so: then all that it keeps is later than the time that was asked for.
pub fn was_signalled(events: &str, id: &str) -> bool {
    let kill = format!("\"kill\" {id}");
    events.lines().count() >= KEPT_EVENTS || events.lines().any(|event| event == kill)
}

/// `docker inspect` of containers by name, as one JSON array. A missing one makes the status non-zero;
/// the others are printed all the same.
pub fn inspect_containers(names: &[&str]) -> RemoteCommand {
    docker(&["inspect", "--type", "container"]).args(names.iter().copied())
}
