//! One-off containers: made for one command, and removed afterwards.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{containers::with_settings, docker::docker};
use crate::{
    command::RemoteCommand,
    docker::{Container, PinnedImage, label},
    model::ContainerSpec,
};

/// What a one-off container is made like: a recipe's container.
#[derive(Debug, Clone, Copy)]
pub struct OneOff<'a> {
    /// The environment's name.
    pub environment: &'a str,
    /// The environment that it is a preview of, if it is one.
    pub preview_of: Option<&'a str>,
    /// The recipe's name.
    pub recipe: &'a str,
    /// The number of the release whose container it is made like.
    pub release: u64,
    /// The recipe's container.
    pub spec: &'a ContainerSpec,
    /// Its exact image.
    pub image: &'a PinnedImage,
    /// The values of its secrets.
    pub secrets: &'a BTreeMap<String, SecretString>,
}

/// For whom a one-off container is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OneOffFor {
    /// A command of the recipe. It belongs to a run that holds the lock.
    Command,
    /// A person at a console.
    Console,
}

impl OneOffFor {
    fn word(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Console => "console",
        }
    }

    /// Whether a container is a one-off for this.
    pub fn is_of(self, container: &Container) -> bool {
        let label = container.labels.get(label::ONE_OFF);
        label.is_some_and(|word| word == self.word())
    }
}

impl OneOff<'_> {
    /// A name that no other container has: with `suffix`, by chance.
    pub fn name(&self, suffix: &str) -> String {
        format!("{}-r{}-run-{suffix}", self.recipe, self.release)
    }

    /// `docker run --rm`: runs a command to its end. `words` are all that runs, as with `docker exec`: the image's
    /// entrypoint may be one that takes no command.
    pub fn run(&self, name: &str, words: &[String]) -> RemoteCommand {
        let run = docker(&["run", "--rm", "--name", name]);
        self.with_settings(run, OneOffFor::Command, words)
    }

    /// `docker create --rm --interactive`: for a person or a pipe to talk to, once [`attach`] has started it.
    pub fn create(&self, name: &str, words: &[String], has_terminal: bool) -> RemoteCommand {
        let mut create = docker(&["create", "--rm", "--interactive", "--name", name]);
        if has_terminal {
            create = create.arg("--tty");
        }
        self.with_settings(create, OneOffFor::Console, words)
    }

    /// Adds the settings of the recipe's container, but for what there can or may be only once: names, addresses,
    /// ports and labels by which balancers find it.
    fn with_settings(
        &self,
        run: RemoteCommand,
        whom: OneOffFor,
        words: &[String],
    ) -> RemoteCommand {
        let (program, arguments) = match words {
            [] => (self.spec.entrypoint.clone(), &[][..]),
            [program, arguments @ ..] => (Some(program.clone()), arguments),
        };
        let spec = ContainerSpec {
            entrypoint: program,
            command: arguments.to_vec(),
            restart: None,
            publish: Vec::new(),
            publish_all: false,
            labels: BTreeMap::new(),
            options: without_its_own(&self.spec.options),
            ..self.spec.clone()
        };
        let labels = [
            (label::ENVIRONMENT, self.environment),
            (label::RECIPE, self.recipe),
            (label::RELEASE, &self.release.to_string()),
            (label::ONE_OFF, whom.word()),
            // Registrator's word: with `-internal` it registers ports that are not published, too.
            ("SERVICE_IGNORE", "true"),
        ];
        let of_preview = self.preview_of.map(|base| (label::PREVIEW_OF, base));
        let labels = labels.into_iter().chain(of_preview);
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        with_settings(run, &spec, self.image, &labels.collect(), self.secrets)
    }
}

/// `docker start --attach --interactive` of a container that was created for this.
pub fn attach(name: &str) -> RemoteCommand {
    docker(&["start", "--attach", "--interactive", name])
}

/// What the host says once it watches, in [`remove_after`].
pub const WATCHES: &str = "watching";

/// Waits until standard input ends, or nothing came from it for `silence` seconds, and removes a container. Docker does
/// not end a container when the connection of whoever is attached to it is lost, and without a terminal nothing else on
/// the host hears of that.
pub fn remove_after(name: &str, silence: u64) -> RemoteCommand {
    RemoteCommand::script(REMOVE_AFTER, [name, &silence.to_string(), WATCHES])
}

/// Signals that come with the end of the connection must not end it before its work is done.
const REMOVE_AFTER: &str = r#"
trap '' HUP PIPE
command -v timeout >/dev/null && command -v head >/dev/null || { echo 'no `timeout` and `head`' >&2; exit 1; }
echo "$3"
while [ -n "$(timeout "$2" head -c 1)" ]; do :; done
docker rm --force --volumes "$1" >/dev/null 2>&1"#;

/// `docker exec --interactive`: runs words in a container.
pub fn exec(container: &str, words: &[String], has_terminal: bool) -> RemoteCommand {
    let mut exec = docker(&["exec", "--interactive"]);
    if has_terminal {
        exec = exec.arg("--tty");
    }
    exec.arg(container).args(words)
}

/// Options without those that are a container's own: what others know it by, and whether it has a terminal.
fn without_its_own(options: &[String]) -> Vec<String> {
    const VALUED: [&str; 10] = [
        "--network-alias",
        "--ip",
        "--ip6",
        "--link-local-ip",
        "--mac-address",
        "--cidfile",
        "--expose",
        "--attach",
        "-a",
        "--detach-keys",
    ];
    const FLAGS: [&str; 6] = ["--interactive", "--tty", "-i", "-t", "-it", "-ti"];
    let mut kept = Vec::new();
    let mut words = options.iter();
    while let Some(word) = words.next() {
        let name = word.split_once('=').map_or(&**word, |(name, _)| name);
        if VALUED.contains(&name) {
            if name == word {
                words.next();
            }
        } else if !FLAGS.contains(&name) {
            kept.push(word.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        process::{Command, Stdio},
        time::{Duration, Instant},
    };

    use super::*;

    fn words(json: serde_json::Value) -> String {
        let spec: ContainerSpec = serde_json::from_value(json).expect("a spec");
        let secrets = BTreeMap::from([("TOKEN".to_owned(), SecretString::from("s3cret"))]);
        let image = PinnedImage {
            reference: "web@sha256:01".into(),
            digest: "sha256:01".into(),
            id: None,
        };
        let one_off = OneOff {
            environment: "staging.pr-42",
            preview_of: Some("staging"),
            recipe: "web",
            release: 42,
            spec: &spec,
            image: &image,
            secrets: &secrets,
        };
        let name = one_off.name("0a1b");
        let command = one_off.run(&name, &["./manage".to_owned(), "migrate".to_owned()]);
        assert!(command.stdin().is_some(), "the secret");
        let words = command.words()[4..].join(" ");
        assert!(!words.contains("s3cret"));
        words
    }

    #[test]
    fn a_console_has_a_terminal_where_there_is_one() {
        let words = ["sh".to_owned()];
        let shown = |has_terminal| exec("web-r42", &words, has_terminal).to_wire();
        assert_eq!(shown(true), "docker exec --interactive --tty web-r42 sh");
        assert_eq!(shown(false), "docker exec --interactive web-r42 sh");
        let attach = attach("web-r42-run-0a1b").to_wire();
        assert_eq!(
            attach,
            "docker start --attach --interactive web-r42-run-0a1b"
        );
    }

    /// What docker was told after this was done with the standard input of the script.
    fn told_after(input: impl FnOnce(std::process::ChildStdin)) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let docker = folder.path().join("docker");
        let told = folder.path().join("told");
        std::fs::write(
            &docker,
            format!("#!/bin/sh\necho \"$@\" >>'{}'\n", told.display()),
        )
        .expect("written");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&docker, executable).expect("set");
        let path = std::env::var("PATH").expect("it is set");
        let mut child = Command::new("sh")
            .args(["-c", REMOVE_AFTER, "shipit", "web-run", "2", WATCHES])
            .env("PATH", format!("{}:{path}", folder.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        let mut said = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        let line = BufReader::new(stdout).read_line(&mut said);
        line.expect("what it says");
        assert_eq!(said.trim_end(), WATCHES);
        assert!(!told.exists(), "removed before anything ended");
        input(child.stdin.take().expect("a pipe"));
        child.wait().expect("its end");
        std::fs::read_to_string(told).expect("docker was told")
    }

    #[test]
    fn a_container_is_removed_when_nobody_holds_its_watch_any_more() {
        let removed = "rm --force --volumes web-run\n";
        let began = Instant::now();
        assert_eq!(told_after(drop), removed);
        assert!(began.elapsed() < Duration::from_secs(2), "without waiting");
        // Heartbeats for longer than the silence, and then none, with a standard input that does not end.
        let mut kept = None;
        let began = Instant::now();
        let told = told_after(|mut stdin| {
            for _ in 0..6 {
                stdin.write_all(b".").expect("it still waits");
                std::thread::sleep(Duration::from_millis(500));
            }
            kept = Some(stdin);
        });
        assert_eq!(told, removed);
        assert!(
            began.elapsed() > Duration::from_secs(4),
            "{:?}",
            began.elapsed()
        );
    }

    #[test]
    fn a_one_off_container_has_all_of_the_recipes_but_what_there_is_once() {
        let json = serde_json::json!({
            "image": "web:1", "command": ["serve"], "env": {"A": "1"}, "publish": ["80:80"], "publish_all": true,
            "volumes": ["data:/data"], "network": "backend", "restart": "always", "user": "1000", "workdir": "/srv",
            "labels": {"traefik.enable": "true"}, "stop_timeout": {"secs": 10, "nanos": 0},
            "options": ["--network-alias", "web", "--memory", "1g", "--ip=10.0.0.2", "-it", "--init"],
        });
        assert_eq!(
            words(json),
            "docker run --rm --name web-r42-run-0a1b --network backend --user 1000 --workdir /srv --entrypoint ./manage \
             --stop-timeout 10 --volume data:/data --env A=1 --env TOKEN --label SERVICE_IGNORE=true \
             --label shipit.environment=staging.pr-42 --label shipit.one-off=command \
             --label shipit.preview-of=staging --label shipit.recipe=web --label shipit.release=42 --memory 1g --init web@sha256:01 migrate"
        );
    }
}
