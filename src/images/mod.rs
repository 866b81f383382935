//! Images: which exact one a reference means now, and how it comes to every host before anything changes.

mod from_another_host;
#[cfg(test)]
mod from_another_host_tests;
mod logins;
mod pins;
mod send;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::{StreamExt, stream};

pub use logins::Logins;
use logins::NoPassword;
pub use pins::{Lookup, Pins, Wanted, resolve};
use send::Sender;

use crate::hosts::{Fleet, HostError, Reached, Run, Stop, preflight, progress};
use crate::{
    command::RemoteCommand,
    docker::{self, Image, PinnedImage},
    event::{EventKind, Events, Outcome, Phase},
    model::{HostName, ImageSource},
    plan::{Plan, RecipePlan},
    text,
};

/// The longest that a pull may take.
const PULL: Duration = Duration::from_secs(30 * 60);

/// How many hosts pull at once: they share a registry.
const PULLING: usize = 16;

/// An image that a host is to start, and has to have before.
#[derive(Clone)]
struct Need {
    reached: Reached,
    source: ImageSource,
    written: String,
    pin: PinnedImage,
}

/// Why an image did not come to a host.
#[derive(Debug, thiserror::Error)]
enum Hindrance {
    /// It is not to be had from where it comes from. Another host may have it.
    #[error(transparent)]
    Source(HostError),
    /// The same, as nobody knows the password for it.
    #[error(transparent)]
    Password(#[from] NoPassword),
    /// The host takes it from nobody.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// A host that does not have an image, and why.
struct Failure {
    host: HostName,
    why: Hindrance,
    /// What came of looking for it on the other hosts.
    elsewhere: Option<String>,
}

async fn inspect(reached: &Reached, reference: &str) -> Result<Option<Image>, HostError> {
    let images = reached
        .read(docker::inspect_images(&[reference]), docker::parse_images)
        .await?;
    Ok(images.into_iter().next())
}

/// A pinned image as a host has it: from its registry, or under the tag that stands in for that.
async fn have(reached: &Reached, pin: &PinnedImage) -> Result<Option<Image>, HostError> {
    let stand_in = pin.stand_in();
    let command = docker::inspect_images(&[&pin.reference, &stand_in]);
    let images = reached.read(command, docker::parse_images).await?;
    Ok(images.into_iter().next())
}

/// Runs a [`docker::pull`] of `reference`.
async fn pull(
    reached: &Reached,
    reference: &str,
    command: RemoteCommand,
    events: &Events,
) -> Result<(), HostError> {
    let work = reached.expect(command, PULL);
    let step = format!("pull {reference}");
    progress::step(events, reached.name(), None, &step, work, |_| None)
        .await
        .map(|_| ())
}

/// Brings every image that the plan starts to every host that starts it, and has the plan start it by the
/// name that it has there. When one host cannot have its images, nothing is changed on any.
///
/// An image that its source does not give comes from another host that has it. They are asked when all have
/// tried by themselves, as one may have been given what another was refused.
pub async fn distribute(
    fleet: &Fleet,
    plan: &mut Plan,
    logins: &Logins<'_>,
    events: &Events,
) -> Run<()> {
    events.send(EventKind::Phase { phase: Phase::Pull });
    let sender = Sender::default();
    let bring = |needs| bring_all(needs, &sender, logins, events);
    let results: Vec<_> = stream::iter(needs(fleet, plan).map(bring))
        .buffer_unordered(PULLING)
        .collect()
        .await;
    let (mut lacking, mut failures) = (Vec::new(), Vec::new());
    for (need, result) in results.into_iter().flatten() {
        let host = need.reached.name().clone();
        match result {
            Ok(reference) => start_by(plan, &host, &need.pin, &reference),
            Err(why @ Hindrance::Host(_)) => failures.push(Failure {
                host,
                why,
                elsewhere: None,
            }),
            Err(why) => lacking.push((need, why)),
        }
    }
    for (need, result) in from_another_host::bring(fleet, lacking, &sender, events).await {
        match result {
            Ok(reference) => start_by(plan, need.reached.name(), &need.pin, &reference),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(not_brought(failures))
    }
}

/// What each host needs.
fn needs(fleet: &Fleet, plan: &Plan) -> impl Iterator<Item = Vec<Need>> + use<> {
    let mut needed = BTreeMap::<HostName, BTreeSet<(ImageSource, String, PinnedImage)>>::new();
    for slot in plan.recipes.iter().flat_map(RecipePlan::changes) {
        let Some(incoming) = slot.incoming.as_ref().filter(|incoming| !incoming.exists) else {
            continue;
        };
        let (spec, image) = (&incoming.desired.spec, &incoming.desired.image);
        needed.entry(slot.host.clone()).or_default().insert((
            spec.source,
            spec.image.clone(),
            image.clone(),
        ));
    }
    let fleet = fleet.clone();
    needed.into_iter().filter_map(move |(host, images)| {
        let reached = fleet.host(&host)?;
        let need = |(source, written, pin)| Need {
            reached: reached.clone(),
            source,
            written,
            pin,
        };
        Some(images.into_iter().map(need).collect())
    })
}

/// Brings a host what it needs, one image after the other.
async fn bring_all(
    needs: Vec<Need>,
    sender: &Sender,
    logins: &Logins<'_>,
    events: &Events,
) -> Vec<(Need, Result<String, Hindrance>)> {
    let mut results = Vec::new();
    for need in needs {
        let result = bring_one(&need, sender, logins, events).await;
        let is_over = matches!(&result, Err(Hindrance::Host(_)));
        results.push((need, result));
        if is_over {
            break;
        }
    }
    results
}

/// Brings a host an image from where it comes from, unless it is there. Returns the reference by which it is
/// there.
async fn bring_one(
    need: &Need,
    sender: &Sender,
    logins: &Logins<'_>,
    events: &Events,
) -> Result<String, Hindrance> {
    let Need {
        reached,
        source,
        written,
        pin,
    } = need;
    if let Some(image) = have(reached, pin).await? {
        return Ok(image.reference);
    }
    match source {
        ImageSource::Registry => {
            let reference = &pin.reference;
            let command = logins.for_registry_of(reference, docker::pull(reference));
            let pulled = pull(reached, reference, command.await?, events).await;
            pulled.map_err(|error| {
                if error.is_unreachable() || is_full(&error) {
                    Hindrance::Host(error)
                } else {
                    Hindrance::Source(error)
                }
            })?;
        }
        ImageSource::Local => sender.send(reached, written, pin, events).await?,
    }
    Ok(pin.reference.clone())
}

/// Has a host start an image by the reference that it has there. The digest is what the hash of a spec and
/// the release's record go by, and they stay as they are: the next deploy finds nothing to do, and the next
/// host that has to pull it does so by what the registry knows.
fn start_by(plan: &mut Plan, host: &HostName, pin: &PinnedImage, reference: &str) {
    let slots = plan
        .recipes
        .iter_mut()
        .flat_map(|recipe| &mut recipe.slots)
        .filter(|slot| slot.host == *host);
    for incoming in slots.filter_map(|slot| slot.incoming.as_mut()) {
        let image = &mut incoming.desired.image;
        if image == pin {
            reference.clone_into(&mut image.reference);
        }
    }
}

/// The end of a run of which some host could not have an image.
#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
fn not_brought(failures: Vec<Failure>) -> Box<Stop> {
    let hosts: BTreeSet<_> = failures.iter().map(|failure| &failure.host).collect();
    let message = format!(
        "the images did not reach {}; nothing was changed on any host",
        text::list(hosts)
    );
    let no_password = |failure: &Failure| matches!(failure.why, Hindrance::Password(_));
    let outcome = if failures.iter().all(no_password) {
        Outcome::Usage
    } else {
        Outcome::NotReady
    };
    let (mut errors, mut hints, mut searches) = (Vec::new(), Vec::new(), BTreeSet::new());
    for Failure {
        host,
        why,
        elsewhere,
    } in failures
    {
        searches.extend(elsewhere);
        let (error, hint) = match why {
            Hindrance::Password(error) => (error.clone().into(), error.hint),
            // A disk that is full there is this machine's.
            Hindrance::Source(error) => (error, None),
            Hindrance::Host(error) => {
                let hint = is_full(&error).then(|| preflight::free_space(&host));
                (error, hint)
            }
        };
        hints.extend(hint.filter(|hint| !hints.contains(hint)));
        errors.push((host, error));
    }
    hints.push("the images that did arrive are not sent again: run the same command once the cause is mended".to_owned());
    let mut stop = Stop::on_hosts(outcome, message, &errors);
    stop.report.causes.extend(searches);
    stop.hint(hints.join("\n"))
}

/// Whether a disk of the host is full, so that it can take no image, wherever from.
fn is_full(error: &HostError) -> bool {
    let said = text::chain(error).join(": ").to_lowercase();
    said.contains("no space left on device")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        docker::{Identity, SpecHash},
        model::Order,
        plan::{Change, ContainerName, Desired, Incoming, SlotPlan},
        release::Number,
    };

    const DIGEST: &str = "sha256:0123456789abcdef";

    pub fn pin() -> PinnedImage {
        PinnedImage {
            reference: format!("registry.example/web@{DIGEST}"),
            digest: DIGEST.into(),
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
                exists: false,
                runs: false,
                hash: SpecHash::of(&desired.spec, &desired.image, &desired.secrets, ""),
                desired,
            }),
            outgoing: Vec::new(),
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
            }],
            warnings: Vec::new(),
            obstacles: Vec::new(),
        }
    }

    /// The image that `docker run` is told in a slot, and the hash that its container will carry.
    pub fn run(slot: &SlotPlan) -> (String, String) {
        let Incoming { hash, desired, .. } = slot.incoming.as_ref().expect("one comes");
        let identity = Identity {
            environment: "staging".into(),
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
        start_by(&mut plan, &"host-1".into(), &pin(), &pin().stand_in());
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
        let failure = |host: &str, error: HostError| Failure {
            host: host.into(),
            why: Hindrance::Source(error),
            elsewhere: Some("no other host gives `web`: it is not on `host-3`".into()),
        };
        let full = HostError::Fact("write: No space left on device".into());
        let stop = not_brought(vec![
            failure("host-1", refused()),
            failure("host-2", refused()),
            Failure {
                elsewhere: None,
                why: Hindrance::Host(full),
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
                "no other host gives `web`: it is not on `host-3`",
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
        let failure = |why| Failure {
            host: "host-1".into(),
            why,
            elsewhere: None,
        };
        let stop = not_brought(vec![failure(Hindrance::Password(no_password()))]);
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
        let both = not_brought(vec![
            failure(Hindrance::Password(no_password())),
            failure(Hindrance::Source(refused())),
        ]);
        assert_eq!(both.outcome, Outcome::NotReady);
    }
}
