//! Builders of docker commands, named by docker's verbs. Each returns a value that tests compare as text.

use std::{collections::BTreeMap, time::Duration};

use secrecy::SecretString;

use super::{Identity, PinnedImage, Reference, label};
use crate::{command::RemoteCommand, model::ContainerSpec};

fn docker(words: &[&str]) -> RemoteCommand {
    RemoteCommand::new("docker").args(words.iter().copied())
}

/// Seconds for docker's `--time`, rounded up: docker takes whole ones, and 0 would mean to kill at once.
fn whole_seconds(duration: Duration) -> String {
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
    let ContainerSpec {
        image: _,  // as written; `image` is what it was resolved to
        source: _, // how it came to the host
        platform,
        command,
        entrypoint,
        env,
        secrets: _, // where their values came from
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
    let mut run = docker(&["run", "--detach", "--name", name]);
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
    for (name, value) in labels.iter().chain(&identity.labels()) {
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

/// `docker logs --tail` of both streams, in the order in which docker kept them.
pub fn container_logs(name: &str, lines: u32) -> RemoteCommand {
    RemoteCommand::script(
        r#"exec docker logs --tail "$2" "$1" 2>&1"#,
        [name.to_owned(), lines.to_string()],
    )
}

/// `docker logs --follow`, until the channel is closed.
pub fn container_logs_follow(name: &str, lines: u32) -> RemoteCommand {
    RemoteCommand::script(
        r#"exec docker logs --follow --tail "$2" "$1" 2>&1"#,
        [name.to_owned(), lines.to_string()],
    )
}

/// `docker inspect` of every container of an environment, as one JSON array; `[]` when there is none.
pub fn list_containers(environment: &str) -> RemoteCommand {
    RemoteCommand::script(
        r#"ids=$(docker ps --all --quiet --no-trunc --filter "label=$1") || exit
           if [ -z "$ids" ]; then echo '[]'; else docker inspect --type container $ids; fi"#,
        [format!("{}={environment}", label::ENVIRONMENT)],
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

/// The names of all containers of a host, each with the environment it belongs to or nothing:
/// `NAME ENVIRONMENT`, one a line.
pub fn list_names() -> RemoteCommand {
    let format = format!("{{{{.Names}}}} {{{{.Label \"{}\"}}}}", label::ENVIRONMENT);
    docker(&["ps", "--all", "--format"]).arg(format)
}

/// `docker inspect` of containers by name, as one JSON array. A missing one makes the status non-zero;
/// the others are printed all the same.
pub fn inspect_containers(names: &[&str]) -> RemoteCommand {
    docker(&["inspect", "--type", "container"]).args(names.iter().copied())
}

/// `docker image inspect` of every reference that is there, one JSON array a line; missing ones print
/// nothing.
pub fn inspect_images(references: &[&str]) -> RemoteCommand {
    RemoteCommand::script(
        r#"for reference do
             image=$(docker image inspect "$reference" 2>/dev/null \
               --format '["{{.Id}}",{{json .RepoTags}},{{json .RepoDigests}}]') &&
               printf '%s %s\n' "$reference" "$image"
           done; exit 0"#,
        references.iter().copied(),
    )
}

/// The layers of every image of a host, one JSON array a line.
pub fn list_image_layers() -> RemoteCommand {
    RemoteCommand::script(
        r#"ids=$(docker image ls --quiet --no-trunc) || exit
           [ -z "$ids" ] || docker image inspect --format '{{json .RootFS.Layers}}' $ids"#,
        [""; 0],
    )
}

/// `docker volume inspect` of every volume of an environment, as one JSON array.
pub fn inspect_volumes(environment: &str) -> RemoteCommand {
    RemoteCommand::script(
        r#"names=$(docker volume ls --quiet --filter "label=$1") || exit
           if [ -z "$names" ]; then echo '[]'; else docker volume inspect $names; fi"#,
        [format!("{}={environment}", label::ENVIRONMENT)],
    )
}

/// `docker volume create` with labels. An existing volume of that name is left as it is.
pub fn volume_create(name: &str, labels: &BTreeMap<String, String>) -> RemoteCommand {
    let words = labels
        .iter()
        .flat_map(|(name, value)| ["--label".to_owned(), format!("{name}={value}")]);
    docker(&["volume", "create"]).args(words).arg(name)
}

/// `docker volume rm --force`: fine when it is not there.
pub fn volume_remove(names: &[&str]) -> RemoteCommand {
    docker(&["volume", "rm", "--force"]).args(names.iter().copied())
}

/// `docker pull`.
pub fn pull(reference: &str) -> RemoteCommand {
    docker(&["pull", "--quiet", reference])
}

/// `docker manifest inspect --verbose`: what a registry has under a reference, without pulling it.
pub fn manifest(reference: &str) -> RemoteCommand {
    docker(&["manifest", "inspect", "--verbose", reference])
}

/// Runs a docker command logged in to a registry, and logged out again when it ends: the login is kept in a
/// folder of its own, in memory where the host has `/dev/shm`, and goes with the command.
pub fn logged_in(
    command: &RemoteCommand,
    server: &str,
    username: &str,
    password: SecretString,
) -> RemoteCommand {
    const SCRIPT: &str = r#"
        DOCKER_CONFIG=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit
        export DOCKER_CONFIG
        trap 'rm -rf "$DOCKER_CONFIG"' EXIT
        trap 'exit 1' HUP INT TERM
        docker login --username "$2" --password-stdin "$1" >/dev/null || exit
        shift 2
        "$@" </dev/null"#;
    let words = [server, username]
        .map(str::to_owned)
        .into_iter()
        .chain(command.words().iter().cloned());
    RemoteCommand::script(SCRIPT, words).with_stdin(password)
}

/// Loads an image archive (gzip or plain) from standard input and gives it the tag that a deploy pins.
/// What is loaded keeps the name it was saved under.
pub fn image_load() -> RemoteCommand {
    docker(&["load", "--quiet"])
}

/// `docker tag`.
pub fn image_tag(from: &str, to: &str) -> RemoteCommand {
    docker(&["tag", from, to])
}

/// `docker rmi`: takes a reference away, and what stands in for it on a host that had the image from another
/// one. Docker refuses while a container uses the image, and goes on with the next when one is not there.
pub fn image_remove(reference: &str) -> RemoteCommand {
    docker(&["rmi", reference]).args(Reference::parse(reference).stand_in())
}

/// `docker save` of an image by its id, compressed. A pipe has the status of its last command, so that
/// docker's own failure goes by another way.
pub fn image_save(id: &str) -> RemoteCommand {
    RemoteCommand::script(
        r#"exec 3>&1
           failed=$({ { docker save "$1" || echo "$?" >&4; } | gzip -1 >&3; } 4>&1) || exit
           [ -z "$failed" ]"#,
        [id],
    )
}

/// The platform of a host's docker, as images name theirs: `linux/amd64`.
pub fn platform() -> RemoteCommand {
    docker(&["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"])
}

/// `docker info` as JSON: the preflight's question whether docker answers, and to this account.
pub fn info() -> RemoteCommand {
    docker(&["info", "--format", "{{json .}}"])
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };

    use secrecy::ExposeSecret;

    use super::*;
    use crate::docker::SpecHash;

    fn spec(json: &serde_json::Value) -> ContainerSpec {
        let mut whole =
            serde_json::json!({"image": "example/web:1", "stop_timeout": {"secs": 30, "nanos": 0}});
        whole
            .as_object_mut()
            .expect("an object")
            .extend(json.as_object().expect("an object").clone());
        serde_json::from_value(whole).expect("a spec")
    }

    fn identity() -> Identity {
        Identity {
            environment: "staging".into(),
            recipe: "web".into(),
            release: 42,
            instance: 1,
            spec: SpecHash::from_labels("abc", None),
        }
    }

    fn image() -> PinnedImage {
        PinnedImage {
            reference: "example/web@sha256:01".into(),
            digest: "sha256:01".into(),
        }
    }

    #[test]
    fn run_tells_docker_everything_once_and_the_image_before_the_command() {
        let spec = spec(&serde_json::json!({
            "command": ["serve", "--greeting", "it's $HOME"], "env": {"A": "1 2"}, "publish": ["80:80"],
            "publish_all": true, "volumes": ["/mnt:/data"], "network": "host", "restart": "always",
            "labels": {"team": "x"}, "options": ["--memory", "1g"],
        }));
        let command = run(&spec, "web-r42", &image(), &identity(), &BTreeMap::new());
        let expected = r"docker run --detach --name web-r42 --restart always --network host --stop-timeout 30
            --publish-all --publish 80:80 --volume /mnt:/data --env 'A=1 2' --label 'team=x'
            --label 'shipit.environment=staging' --label 'shipit.instance=1' --label 'shipit.recipe=web'
            --label 'shipit.release=42' --label 'shipit.spec=abc' --memory 1g example/web@sha256:01
            serve --greeting 'it'\''s $HOME'";
        let one_line = expected
            .lines()
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(command.to_wire(), one_line);
    }

    #[test]
    fn secrets_go_by_standard_input_and_only_their_names_are_words() {
        let secrets =
            BTreeMap::from([("TOKEN".to_owned(), SecretString::from("s3cret".to_owned()))]);
        let command = run(
            &spec(&serde_json::json!({})),
            "web-r42",
            &image(),
            &identity(),
            &secrets,
        );
        assert!(command.to_wire().contains("--env TOKEN"));
        assert!(!command.to_wire().contains("s3cret"));
        assert_eq!(
            command.stdin().map(|text| text.expose_secret().to_owned()),
            Some("export 'TOKEN=s3cret'\n".into())
        );
    }

    #[test]
    fn a_password_goes_by_standard_input_and_the_command_is_run_as_it_is() {
        let pull = pull("registry.example/web:1");
        let command = logged_in(
            &pull,
            "registry.example",
            "bob",
            SecretString::from("s3cret".to_owned()),
        );
        let words = &command.words()[3..];
        assert_eq!(
            words,
            [
                "shipit",
                "registry.example",
                "bob",
                "docker",
                "pull",
                "--quiet",
                "registry.example/web:1"
            ]
        );
        assert!(!command.to_wire().contains("s3cret"));
        assert_eq!(
            command
                .stdin()
                .map(|text| text.expose_secret().to_owned())
                .as_deref(),
            Some("s3cret")
        );
    }

    #[test]
    fn names_are_listed_with_their_environment() {
        assert_eq!(
            list_names().to_wire(),
            r#"docker ps --all --format '{{.Names}} {{.Label "shipit.environment"}}'"#
        );
    }

    #[test]
    fn an_image_goes_with_the_tag_that_stands_in_for_it() {
        let removed = |reference| image_remove(reference).to_wire();
        assert_eq!(
            removed("web@sha256:0123456789abcdef"),
            "docker rmi web@sha256:0123456789abcdef web:shipit-0123456789ab"
        );
        assert_eq!(
            removed("web:shipit-0123456789ab"),
            "docker rmi web:shipit-0123456789ab"
        );
    }

    /// What comes of [`image_save`] where docker is this script: the status, and what is in the archive.
    fn saved(docker: &str) -> (bool, String) {
        let command = image_save("sha256:ab");
        let [sh, c, script, name, id] = command.words() else {
            panic!("{command}")
        };
        let script = format!("docker() {{ {docker}; }}\n{script}");
        let output = Command::new(sh)
            .args([c, &script, name, id])
            .output()
            .expect("a shell");
        let mut unzip = Command::new("gzip")
            .arg("-dc")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("gzip");
        let written = unzip
            .stdin
            .take()
            .map(|mut stdin| stdin.write_all(&output.stdout));
        written.expect("a pipe").expect("written");
        let unzipped = unzip.wait_with_output().expect("unzipped").stdout;
        (
            output.status.success(),
            String::from_utf8_lossy(&unzipped).into_owned(),
        )
    }

    #[test]
    fn an_image_that_cannot_be_saved_to_its_end_is_a_failure() {
        assert_eq!(saved(r#"echo "$@""#), (true, "save sha256:ab\n".to_owned()));
        assert_eq!(saved("echo half; false"), (false, "half\n".to_owned()));
    }

    #[test]
    fn a_stop_timeout_is_rounded_up_to_whole_seconds() {
        let seconds = |milliseconds| whole_seconds(Duration::from_millis(milliseconds));
        assert_eq!(
            [seconds(2500), seconds(30_000), seconds(1)],
            ["3", "30", "1"]
        );
    }
}
