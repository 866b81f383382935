//! Images that go from host to host, over SSH to servers in this process whose docker is scripted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use async_compression::tokio::bufread::GzipEncoder;
use tokio::io::AsyncReadExt;

use super::{
    super::{Logins, distribute},
    ID, pin, plan, run,
};
use crate::{
    docker::{self, SpecHash},
    event::{EventKind, Events, Outcome, Receiver},
    hosts::{
        Fleet, Stop,
        testing::{Act, Server, TestFleet, behaviour, out},
    },
    model::{ImageSource, RegistryLogin, SecretSource, testing::TestProject},
    plan::Plan,
    secrets::Secrets,
};

/// The docker of one host, as far as images go.
#[derive(Clone)]
struct FakeDocker {
    /// By which references it has the image.
    references: Arc<Mutex<BTreeSet<String>>>,
    /// What `docker save` comes to.
    saved: Vec<Act>,
    platform: &'static str,
    /// What the image that it has is for.
    image_platform: &'static str,
}

impl FakeDocker {
    fn does(&self, command: &str) -> Vec<Act> {
        let words: Vec<_> = command.split(' ').collect();
        let last = words.last().copied().unwrap_or_default().to_owned();
        let mut references = self.references.lock().expect("not poisoned");
        if command.contains("docker image inspect \"$reference\"") {
            let asked = command.rsplit_once(" shipit ").expect("references").1;
            let lines = asked
                .split(' ')
                .filter(|reference| references.contains(*reference))
                .map(|reference| format!("{reference} [\"{ID}\",[],[]]\n"));
            return vec![out(&lines.collect::<String>()), Act::Status(0)];
        }
        if command.contains("docker save") {
            assert!(!references.is_empty() && last == ID, "{command}");
            return self.saved.clone();
        }
        match &words[..] {
            ["docker", "version", ..] => vec![out(self.platform), out("\n"), Act::Status(0)],
            ["docker", "image", "inspect", ..] => {
                vec![out(self.image_platform), out("\n"), Act::Status(0)]
            }
            ["docker", "load", ..] => vec![
                Act::Take(usize::MAX),
                out(&format!("Loaded image ID: {ID}\n")),
                Act::Status(0),
            ],
            ["docker", "tag", id, _] if *id == ID => {
                references.insert(last);
                vec![Act::Status(0)]
            }
            ["docker", "pull", ..] => {
                let refused = b"dial tcp 192.0.2.1:443: connection refused\n";
                vec![Act::Err(refused.to_vec()), Act::Status(1)]
            }
            _ if command.contains(".RootFS.Layers") => vec![Act::Status(0)],
            _ => panic!("{command}"),
        }
    }
}

/// An archive as `docker save` writes it, compressed.
async fn archive() -> Vec<u8> {
    archive_of(r#"{"rootfs":{"diff_ids":["sha256:a"]}}"#).await
}

/// The same with another configuration.
async fn archive_of(config: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let layer = "layer ".repeat(200_000);
    for (path, content) in [
        ("1d.json", config),
        ("a/layer.tar", &layer),
        (
            "manifest.json",
            r#"[{"Config":"1d.json","Layers":["a/layer.tar"]}]"#,
        ),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_cksum();
        let appended = builder.append_data(&mut header, path, content.as_bytes());
        appended.expect("appended");
    }
    let plain = builder.into_inner().expect("an archive");
    let mut compressed = Vec::new();
    let mut encoder = GzipEncoder::new(&plain[..]);
    let read = encoder.read_to_end(&mut compressed).await;
    read.expect("compressed");
    compressed
}

/// Three hosts, of which the first has nothing.
struct Lab {
    project: TestProject,
    servers: Vec<Server>,
    dockers: Vec<FakeDocker>,
    fleet: Fleet,
    events: Events,
    told: Receiver,
}

impl Lab {
    async fn new(mut prepare: impl FnMut(&mut [FakeDocker])) -> Self {
        let saved = vec![Act::Out(archive().await), Act::Status(0)];
        let mut dockers = vec![
            FakeDocker {
                references: Arc::default(),
                saved,
                platform: "linux/amd64",
                image_platform: "linux/amd64",
            };
            3
        ];
        for docker in &mut dockers {
            docker.references = Arc::default();
        }
        prepare(&mut dockers);
        let behaviours = dockers.iter().map(|docker| {
            let docker = docker.clone();
            behaviour().script(move |command| docker.does(command))
        });
        let recipe = "hosts = \"all\"\ncontainer.image = \"web\"\n";
        let TestFleet {
            project,
            servers,
            fleet,
            events,
            told,
            ..
        } = TestFleet::new(&[("web", recipe)], behaviours.collect()).await;
        Self {
            project,
            servers,
            dockers,
            fleet,
            events,
            told,
        }
    }

    /// Brings the image to the first host: the reference by which that is to start it.
    async fn bring(&self, registries: &[RegistryLogin]) -> Result<String, Box<Stop>> {
        self.bring_for(plan(&["host-1"]), registries).await
    }

    async fn bring_for(
        &self,
        mut plan: Plan,
        registries: &[RegistryLogin],
    ) -> Result<String, Box<Stop>> {
        let logins = Logins::new(registries, Secrets::new(self.project.path(), &|_| {}, None));
        distribute(&self.fleet, &mut plan, &logins, &self.events).await?;
        Ok(run(&plan.recipes[0].slots[0]).0)
    }

    /// What docker was told to do on a host, but for what only looks.
    fn did(&self, host: usize) -> Vec<String> {
        let commands = self.servers[host - 1].seen.commands.lock().expect("seen");
        let looks = ["inspect", "version", "sh -c 'ids"];
        commands
            .iter()
            .filter(|command| !looks.iter().any(|look| command.contains(look)))
            .map(|command| {
                let saves = command.contains("docker save");
                if saves { "docker save" } else { command }.to_owned()
            })
            .collect()
    }

    fn told(&mut self) -> Vec<EventKind> {
        let mut told = Vec::new();
        while let Some(event) = self.told.try_next() {
            told.push(event.kind);
        }
        told
    }
}

fn has(docker: &FakeDocker, reference: &str) {
    let mut references = docker.references.lock().expect("not poisoned");
    references.insert(reference.to_owned());
}

const GIVEN: &str = "registry.example/web:shipit-0123456789ab";

fn pull() -> String {
    docker::pull(&pin().reference, None).to_wire()
}

fn load_and_tag() -> [String; 2] {
    [
        "docker load --quiet".to_owned(),
        format!("docker tag {ID} {GIVEN}"),
    ]
}

#[tokio::test]
async fn what_the_registry_does_not_give_comes_from_another_host() {
    let mut lab = Lab::new(|dockers| has(&dockers[2], &pin().reference)).await;
    let reference = lab
        .bring(&[])
        .await
        .unwrap_or_else(|stop| panic!("{stop:?}"));
    assert_eq!(reference, GIVEN);
    let [load, tag] = load_and_tag();
    assert_eq!(lab.did(1), [pull(), load, tag]);
    assert!(lab.did(2).is_empty());
    assert_eq!(lab.did(3), ["docker save"]);
    let told = lab.told();
    let note = told.iter().find_map(|event| match event {
        EventKind::Note { message } => Some(&**message),
        _ => None,
    });
    assert_eq!(
        note,
        Some(
            "`registry.example/web:1` reached `host-1` from `host-3`, because its registry did not provide it"
        )
    );
    assert!(
        told.iter()
            .any(|event| matches!(event, EventKind::Transfer { host, .. } if host == "host-1"))
    );

    // It is there now, under the name that it got.
    let again = lab
        .bring(&[])
        .await
        .unwrap_or_else(|stop| panic!("{stop:?}"));
    assert_eq!(again, GIVEN);
    assert_eq!(lab.did(1).len(), 3, "nothing more was done");
}

#[tokio::test]
async fn a_host_that_was_given_an_image_gives_it_on() {
    let lab = Lab::new(|dockers| has(&dockers[1], GIVEN)).await;
    assert_eq!(lab.bring(&[]).await.ok().as_deref(), Some(GIVEN));
    assert_eq!(lab.did(2), ["docker save"]);
}

#[tokio::test]
async fn an_image_for_another_platform_is_not_the_one_that_is_wanted() {
    let lab = Lab::new(|dockers| {
        for docker in &mut *dockers {
            has(docker, &pin().reference);
        }
        dockers[2].image_platform = "linux/arm64/v8";
    })
    .await;
    let mut plan = plan(&["host-1"]);
    let incoming = plan.recipes[0].slots[0].incoming.as_mut();
    let incoming = incoming.expect("one comes");
    incoming.desired.spec.platform = Some("linux/arm64".to_owned());
    incoming.hash = SpecHash::of(&incoming.desired.spec, &pin(), &BTreeMap::new(), "");
    let reference = lab.bring_for(plan, &[]).await;
    assert_eq!(reference.ok().as_deref(), Some(GIVEN));
    let pull = docker::pull(&pin().reference, Some("linux/arm64")).to_wire();
    let [load, tag] = load_and_tag();
    assert_eq!(lab.did(1), [pull, load, tag]);
    assert!(lab.did(2).is_empty(), "it has the same as host-1");
    assert_eq!(lab.did(3), ["docker save"]);
}

#[tokio::test]
async fn what_the_deployers_docker_does_not_have_any_more_comes_from_another_host() {
    // This machine's Docker has no image of that id, or there is none here.
    let local = || {
        let mut plan = plan(&["host-1"]);
        let incoming = plan.recipes[0].slots[0].incoming.as_mut();
        let desired = &mut incoming.expect("one comes").desired;
        desired.spec.source = ImageSource::Local;
        desired.image.reference = GIVEN.to_owned();
        plan
    };
    let mut lab = Lab::new(|dockers| has(&dockers[1], GIVEN)).await;
    let reference = lab.bring_for(local(), &[]).await;
    assert_eq!(reference.ok().as_deref(), Some(GIVEN));
    assert_eq!(lab.did(1), load_and_tag());
    assert!(lab.told().iter().any(|event| matches!(
        event,
        EventKind::Note { message } if message.ends_with("because this machine's Docker did not have it")
    )));

    let lab = Lab::new(|_| {}).await;
    let stop = lab
        .bring_for(local(), &[])
        .await
        .expect_err("nobody has it");
    assert_eq!(stop.outcome, Outcome::NotReady);
    let causes = stop.report.causes;
    assert!(
        causes[0].starts_with(
            "`host-1`: cannot save `registry.example/web:1` from this machine's Docker"
        ),
        "{causes:?}"
    );
    assert_eq!(causes.len(), 2);
}

#[tokio::test]
async fn without_its_password_a_registry_is_not_asked_and_another_host_is() {
    let lab = Lab::new(|dockers| has(&dockers[1], &pin().reference)).await;
    let login = RegistryLogin {
        server: "registry.example".into(),
        username: "deploy".into(),
        password: SecretSource::Command("exit 1".into()),
    };
    assert_eq!(
        lab.bring(std::slice::from_ref(&login))
            .await
            .ok()
            .as_deref(),
        Some(GIVEN)
    );
    assert_eq!(lab.did(1), load_and_tag());

    let lab = Lab::new(|_| {}).await;
    let stop = lab.bring(&[login]).await.expect_err("nobody has it");
    assert_eq!(stop.outcome, Outcome::Usage);
    assert_eq!(
        stop.report.causes,
        [
            "`host-1`: the secret `registries.registry.example.password` has no value: \
             `exit 1` failed (exit status: 1): no output",
            "no other host has `registry.example/web:1`: it is not on `host-2` and `host-3`",
        ]
    );
}

#[tokio::test]
async fn what_no_host_has_is_the_registrys_failure() {
    let lab = Lab::new(|_| {}).await;
    let stop = lab.bring(&[]).await.expect_err("nobody has it");
    assert_eq!(stop.outcome, Outcome::NotReady);
    assert_eq!(
        stop.report.causes,
        [
            format!(
                "`host-1`: `{}` failed with status 1: dial tcp 192.0.2.1:443: connection refused",
                pull()
            ),
            "no other host has `registry.example/web:1`: it is not on `host-2` and `host-3`"
                .to_owned(),
        ]
    );
    assert_eq!(lab.did(1), [pull()]);
}

#[tokio::test]
async fn a_host_that_gives_half_an_image_or_that_of_another_platform_gives_none() {
    let lab = Lab::new(|dockers| {
        for docker in &dockers[1..] {
            has(docker, &pin().reference);
        }
        dockers[1].platform = "linux/arm64";
        let Act::Out(mut bytes) = dockers[2].saved.remove(0) else {
            panic!("it gives one")
        };
        bytes.truncate(bytes.len() / 2);
        let broken = Act::Err(b"unexpected EOF\n".to_vec());
        dockers[2].saved = vec![Act::Out(bytes), broken, Act::Status(1)];
    })
    .await;
    let stop = lab.bring(&[]).await.expect_err("nobody gives it");
    assert_eq!(
        stop.report.causes[1],
        "no other host has `registry.example/web:1`: \
         `host-2` has it for another platform: linux/arm64; \
         `host-3` has it but cannot provide it: `docker save` failed with status 1: unexpected EOF"
    );
    assert_eq!(lab.did(1), [pull()], "nothing was loaded");
    let references = lab.dockers[0].references.lock().expect("not poisoned");
    assert!(references.is_empty());
}

#[tokio::test]
async fn another_image_under_the_name_of_the_planned_one_is_refused() {
    let wrong =
        archive_of(r#"{"rootfs":{"diff_ids":["sha256:a"]},"config":{"User":"root"}}"#).await;
    let moved = |docker: &mut FakeDocker| {
        has(docker, GIVEN);
        docker.saved = vec![Act::Out(wrong.clone()), Act::Status(0)];
    };
    // The tag on host-2 was moved; host-3 has what was planned.
    let lab = Lab::new(|dockers| {
        moved(&mut dockers[1]);
        has(&dockers[2], GIVEN);
    })
    .await;
    assert_eq!(lab.bring(&[]).await.ok().as_deref(), Some(GIVEN));
    assert_eq!(lab.did(3), ["docker save"]);
    // Nobody has it.
    let lab = Lab::new(|dockers| moved(&mut dockers[1])).await;
    let stop = lab.bring(&[]).await.expect_err("nobody has it");
    assert_eq!(stop.outcome, Outcome::NotReady);
    let causes = stop.report.causes.join("\n");
    assert!(
        causes.contains("`host-2` has another image under that name: sha256:"),
        "{causes}"
    );
    assert_eq!(lab.did(1), [pull()], "nothing was loaded");
}
