//! Every key that stands for an option of `docker run` becomes that option.

use std::{collections::BTreeMap, fmt::Write as _};

use shipit::{
    config::{Section, recipe::ContainerSection},
    docker::{self, Identity, PinnedImage, SpecHash},
};

use super::project::TestProject;

#[test]
fn every_key_has_its_word_for_docker() {
    let keys: Vec<_> = ContainerSection::table()
        .keys
        .into_iter()
        .filter_map(|key| Some((key.name, key.docker?)))
        .collect();
    assert!(keys.len() > 10, "{}", keys.len());
    let mut recipe = "hosts = \"web\"\n[container]\nimage = \"web\"\n".to_owned();
    for (name, docker) in &keys {
        let value = docker.example.replace('…', "no");
        let _ = writeln!(recipe, "{name} = {value}");
    }
    let loaded = TestProject::of_recipe(&recipe)
        .load("test")
        .unwrap_or_else(|problems| panic!("{problems}"));
    let on = &loaded.environment.recipes[0].by_host["web-1"];
    let image = PinnedImage {
        reference: "web@sha256:01".to_owned(),
        digest: "sha256:01".to_owned(),
        id: None,
    };
    let identity = Identity {
        environment: "test".to_owned(),
        preview_of: None,
        recipe: "web".to_owned(),
        release: 1,
        instance: 1,
        spec: SpecHash::from_labels("ab", None),
    };
    let spec = on.container.as_ref().expect("a container");
    let command = docker::run(spec, "web-r1", &image, &identity, &BTreeMap::new());
    for (name, docker) in &keys {
        let option = docker.names[0];
        assert!(
            command.words().iter().any(|word| word == option),
            "`{name}` is not `{option}` in {}",
            command.to_wire()
        );
    }
}
