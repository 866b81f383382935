//! Images: what a failure says, and which name a host starts an image by.

mod from_another_host;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    delivery::{DeliveryError, FailedDelivery},
    distribute::{start_from, undelivered_images},
    logins::NoPassword,
};
use crate::{
    docker::{self, Identity, PinnedImage, SpecHash},
    event::Outcome,
    hosts::{HostError, Stop},
    model::Order,
    plan::{Change, ContainerName, Desired, Incoming, Plan, RecipePlan, SlotPlan},
    release::Number,
};

const DIGEST: &str = "sha256:0123456789abcdef";

/// The digest of the configuration in the tests' archive.
pub const ID: &str = "sha256:e0348a4351d04e22dc41986ac4c62fcb6e134cecef530c18b2f9953bc3f8953d";

pub fn pin() -> PinnedImage {
    PinnedImage {
        reference: format!("registry.example/web@{DIGEST}"),
        digest: DIGEST.into(),
        id: Some(ID.into()),
    }
}

fn slot(host: &str) -> SlotPlan {
    let json = serde_json::json!({
        "image": "registry.example/web:1", "stop_timeout": {"secs": 10, "nanos": 0}
    });
    let desired = Desired {
        spec: serde_json::from_value(json).expect("a spec"),
        image: pin(),
        instances: 1,
        secrets: BTreeMap::new(),
        unread: None,
        stopped: None,
    };
    let name = ContainerName {
        active: "web-r2".into(),
        retired: "web-r2".into(),
    };
    SlotPlan {
        host: host.into(),
        instance: 1,
        change: Change::Create,
        incoming: Some(Incoming {
            name,
            made_by: Number(1),
            exists: false,
            runs: false,
            hash: SpecHash::of(&desired.spec, &desired.image, &desired.secrets, ""),
            desired,
        }),
        outgoing: Vec::new(),
        outgoing_restart: None,
        reason: String::new(),
        differences: Vec::new(),
    }
}

/// A plan that makes one container on each host.
pub fn plan(hosts: &[&str]) -> Plan {
    Plan {
        release: Number(2),
        recipes: vec![RecipePlan {
            recipe: "web".parse().expect("a name"),
            order: Order::StartFirst,
            slots: hosts.iter().map(|host| slot(host)).collect(),
            tasks: Vec::new(),
            left_alone: BTreeSet::new(),
        }],
        lists: Vec::new(),
        active: Vec::new(),
        warnings: Vec::new(),
        obstacles: Vec::new(),
    }
}

/// The image that `docker run` is told in a slot, and the hash that its container will carry.
pub fn run(slot: &SlotPlan) -> (String, String) {
    let Incoming { hash, desired, .. } = slot.incoming.as_ref().expect("one comes");
    let identity = Identity {
        environment: "staging".into(),
        preview_of: None,
        recipe: "web".into(),
        release: 2,
        instance: 1,
        spec: hash.clone(),
    };
    let Desired {
        spec,
        image,
        secrets,
        ..
    } = desired;
    let line = docker::run(spec, "web-r2", image, &identity, secrets).to_wire();
    let again = SpecHash::of(spec, image, secrets, "");
    assert_eq!(again, *hash, "the next deploy would find something to do");
    let last = line.split(' ').next_back().expect("an image").to_owned();
    (last, hash.as_str().to_owned())
}

#[test]
fn a_host_starts_what_another_gave_it_by_the_tag_and_the_hash_stays() {
    let mut plan = plan(&["host-1", "host-2"]);
    let before = run(&plan.recipes[0].slots[0]);
    assert_eq!(before.0, format!("registry.example/web@{DIGEST}"));
    start_from(&mut plan, &"host-1".into(), &pin(), &pin().stand_in());
    let slots = &plan.recipes[0].slots;
    let given = "registry.example/web:shipit-0123456789ab".to_owned();
    assert_eq!(run(&slots[0]), (given, before.1.clone()));
    assert_eq!(run(&slots[1]), before, "the other host has it by digest");
}

#[test]
fn an_image_of_the_deployers_own_has_one_name_everywhere() {
    let local = PinnedImage {
        reference: "web:shipit-0123456789ab".into(),
        digest: DIGEST.into(),
        id: None,
    };
    assert_eq!(local.stand_in(), local.reference);
}

fn refused() -> HostError {
    HostError::Status {
        command: "docker pull web".into(),
        status: 1,
        message: "connection refused".into(),
        output: Vec::new(),
    }
}

#[test]
fn an_image_that_nobody_has_is_an_error_of_its_source_and_says_who_was_asked() {
    let failure = |host: &str, error: HostError| FailedDelivery {
        host: host.into(),
        error: DeliveryError::Source(error),
        elsewhere: Some("no other host has `web`: it is not on `host-3`".into()),
    };
    let full = HostError::Fact("write: No space left on device".into());
    let stop = undelivered_images(vec![
        failure("host-1", refused()),
        failure("host-2", refused()),
        FailedDelivery {
            elsewhere: None,
            error: DeliveryError::Host(full),
            host: "host-4".into(),
        },
    ]);
    assert_eq!(stop.outcome, Outcome::NotReady);
    assert_eq!(
        stop.report.message,
        "the images did not reach `host-1`, `host-2` and `host-4`; nothing was changed on any host"
    );
    assert_eq!(
        stop.report.causes,
        [
            "`host-1`: `docker pull web` failed with status 1: connection refused",
            "`host-2`: `docker pull web` failed with status 1: connection refused",
            "`host-4`: write: No space left on device",
            "no other host has `web`: it is not on `host-3`",
        ]
    );
    let hint = stop.report.hint.expect("a hint");
    assert!(hint.starts_with("free space on `host-4`"), "{hint}");
}

#[test]
fn a_password_that_is_missed_at_last_ends_the_run_as_it_would_have_at_first() {
    let no_password = || {
        NoPassword::from(
            Stop::new(
                Outcome::Usage,
                "the secret `registries.one.example.password` has no value",
            )
            .cause("the environment variable `PASSWORD` is not set")
            .hint("export PASSWORD=…"),
        )
    };
    let failure = |error| FailedDelivery {
        host: "host-1".into(),
        error,
        elsewhere: None,
    };
    let stop = undelivered_images(vec![failure(DeliveryError::Password(no_password()))]);
    assert_eq!(stop.outcome, Outcome::Usage);
    assert_eq!(
        stop.report.causes,
        [
            "`host-1`: the secret `registries.one.example.password` has no value: \
             the environment variable `PASSWORD` is not set"
        ]
    );
    assert!(
        stop.report
            .hint
            .is_some_and(|hint| hint.starts_with("export PASSWORD=…\n"))
    );
    let both = undelivered_images(vec![
        failure(DeliveryError::Password(no_password())),
        failure(DeliveryError::Source(refused())),
    ]);
    assert_eq!(both.outcome, Outcome::NotReady);
}
