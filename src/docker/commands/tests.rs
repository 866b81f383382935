use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};

use super::{containers::whole_seconds, *};
use crate::{
    docker::{Identity, PinnedImage, SpecHash},
    model::ContainerSpec,
};

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
        preview_of: None,
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
        id: None,
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
    let secrets = BTreeMap::from([("TOKEN".to_owned(), SecretString::from("s3cret".to_owned()))]);
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
    let pull = pull("registry.example/web:1", None);
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
fn an_image_is_pulled_for_the_hosts_platform_or_the_one_that_is_named() {
    assert_eq!(pull("web:1", None).to_wire(), "docker pull web:1");
    assert_eq!(
        pull("web:1", Some("linux/arm64")).to_wire(),
        "docker pull --platform linux/arm64 web:1"
    );
}

#[test]
fn names_are_listed_with_their_environment_and_their_ports() {
    assert_eq!(
        list_names().to_wire(),
        r#"docker ps --all --format '{{.Names}} {{.Label "shipit.environment"}} {{.Ports}}'"#
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

#[test]
fn a_signal_is_seen_or_may_have_been_dropped() {
    assert!(was_signalled("\"start\" aa\n\"kill\" bb\n", "bb"));
    assert!(!was_signalled(
        "\"start\" bb\n\"kill\" aa\n\"exec_die\" bb\n",
        "bb"
    ));
    // Balancers that are asked by `docker exec` make many events. As long as docker keeps all, nothing is missed.
    let asked = "\"exec_start: curl -s http://127.0.0.1:8081/\" lb\n";
    assert!(!was_signalled(&asked.repeat(255), "bb"));
    assert!(was_signalled(&asked.repeat(256), "bb"));
}
