//! The hashes on containers that run and the specs in records on hosts outlive a version of shipit: a new
//! version that computes another hash replaces every container, and one that cannot read a record has no
//! way back.

use std::collections::BTreeMap;

use shipit::{
    docker::{PinnedImage, SpecHash},
    model::{ContainerSpec, ImageSource},
};

use super::project::TestProject;

/// Recipes with their hash as version 0.1.0 computed it. These never change.
const RECORDED: [(&str, &str, &str); 7] = [
    (
        "an image alone",
        "[container]\nimage = \"web:1\"\n",
        "ff74ac711f09b24b4f2689b53dd0f500",
    ),
    (
        "every key of docker's",
        r#"
[container]
image = "web:1"
source = "local"
command = ["serve", "--greeting", "it's {{host.name}}"]
entrypoint = "/bin/app"
env = { PORT = 8080, RATIO = 1.10, DEBUG = false, TEXT = "a b" }
publish = ["127.0.0.1:8080:80", "53/udp", 443]
publish_all = true
volumes = ["/srv:/data:ro", "named:/var"]
network = "backend"
restart = "on-failure:3"
user = "1000:1000"
hostname = "web"
workdir = "/srv"
labels = { team = "shop", tier = 1 }
options = ["--memory", "512m", "--init"]
stop_timeout = "1m30s"
"#,
        "093cc9fb4d3928f60952728d455ee26e",
    ),
    (
        "a stop timeout below a second",
        "[container]\nimage = \"web:1\"\nstop_timeout = \"1500ms\"\nnetwork = \"host\"\n",
        "03e38821d994d30ba2f96f97bae7f785",
    ),
    (
        "the default stop timeout, written out",
        "[container]\nimage = \"other:2\"\nstop_timeout = \"30s\"\npublish_all = false\nenv = {}\n",
        "ff74ac711f09b24b4f2689b53dd0f500",
    ),
    (
        "no stop timeout",
        "[container]\nimage = \"web:1\"\nstop_timeout = \"0s\"\n",
        "71b41b6cfc15c8a5b5823dc2f0efac15",
    ),
    (
        "secrets",
        "[container]\nimage = \"web:1\"\nsecrets = { TOKEN = { env = \"T\" }, KEY = { command = \"pass key\" } }\n",
        "1f9299e5fa320a8bd87116ef2b04879a",
    ),
    (
        "commands around the container",
        "[container]\nimage = \"web:1\"\nstop_timeout = \"10s\"\noptions = [\"--init\"]\n[[before]]\nrun = \"true\"\n[[after]]\nname = \"migrate\"\nrun = \"docker exec {{container}} migrate\"\nonce = true\n",
        "64f98500f193c6b788d184b40ece4119",
    ),
];

fn spec_of(recipe: &str) -> ContainerSpec {
    let loaded = TestProject::of_recipe(&format!("hosts = \"web\"\n{recipe}"))
        .load("test")
        .unwrap_or_else(|problems| panic!("{problems}"));
    let on = &loaded.environment.recipes[0].by_host["web-1"];
    ContainerSpec {
        setup: shipit::desired::setup(on),
        ..on.container.clone().expect("a container")
    }
}

fn hash_of(spec: &ContainerSpec) -> String {
    let image = PinnedImage {
        reference: "web@sha256:01".to_owned(),
        digest: "sha256:01".to_owned(),
        id: None,
    };
    let secrets: BTreeMap<_, _> = spec
        .secrets
        .iter()
        .map(|name| (name.clone(), format!("value of {name}").into()))
        .collect();
    SpecHash::of(spec, &image, &secrets, "a key")
        .as_str()
        .to_owned()
}

#[test]
fn a_running_container_keeps_its_hash() {
    let found = RECORDED.map(|(name, recipe, _)| (name, hash_of(&spec_of(recipe))));
    let recorded = RECORDED.map(|(name, _, hash)| (name, hash.to_owned()));
    assert_eq!(found, recorded, "left: computed now; right: recorded");
}

#[test]
fn another_platform_is_another_container() {
    let on = |platform: &str| {
        hash_of(&spec_of(&format!(
            "[container]\nimage = \"web:1\"\nplatform = \"{platform}\"\n"
        )))
    };
    assert_ne!(on("linux/arm64"), on("linux/amd64"));
    assert_ne!(on("linux/arm64"), RECORDED[0].2);
}

/// A record's spec as version 0.1.0 wrote it.
const WRITTEN: &str = r#"{"image":"web:1","source":"local","command":["serve"],"entrypoint":"/bin/app","env":{"A":"1"},"secrets":{"C":{"command":"pass c"},"E":{"env":"E"},"F":{"file":"/f"}},"publish":["127.0.0.1:8080:80","53/udp"],"publish_all":true,"volumes":["/srv:/data"],"network":"host","restart":"always","user":"1000","hostname":"web","workdir":"/srv","labels":{"team":"shop"},"options":["--init"],"setup":"0123456789ab","stop_timeout":{"secs":90,"nanos":500000000}}"#;

#[test]
fn a_record_of_an_earlier_version_is_read() {
    let spec: ContainerSpec = serde_json::from_str(WRITTEN).expect("a spec");
    assert_eq!(spec.source, ImageSource::Local);
    assert_eq!(spec.publish[1].to_string(), "53/udp");
    // The names stay; what a record says about where the values come from is dropped.
    assert!(spec.secrets.iter().eq(["C", "E", "F"]));
    assert_eq!(spec.setup.as_deref(), Some("0123456789ab"));
    assert_eq!(spec.stop_timeout.as_millis(), 90_500);
    // An earlier version reads what this one writes, too, as long as there are no secrets and no newer key is set.
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    let written = serde_json::to_string(&spec).expect("JSON");
    let mut expected = value(WRITTEN);
    expected["secrets"] = serde_json::json!(["C", "E", "F"]);
    assert_eq!(value(&written), expected);
    let again: ContainerSpec = serde_json::from_str(&written).expect("a spec");
    assert_eq!(again, spec);
}

#[test]
fn a_record_without_optional_keys_is_read() {
    let spec: ContainerSpec =
        serde_json::from_str(r#"{"image":"web:1","stop_timeout":{"secs":30,"nanos":0}}"#)
            .expect("a spec");
    let plain = spec_of("[container]\nimage = \"web:1\"\n");
    assert_eq!(spec, plain);
}
