//! Images: which exact one a reference means now, and how it comes to every host before anything changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_compression::{Level, tokio::bufread::GzipEncoder};
use futures::{StreamExt, stream};
use tokio::{io::BufReader, process::Command, sync::Semaphore};
use tokio_util::io::InspectReader;

use super::{
    fleet::{Fleet, HostError, QUICK, Reached, failed},
    secrets::Secrets,
    stop::{Run, Stop},
};
use crate::{
    docker::{self, Image, PinnedImage, Reference},
    event::{EventKind, Events, Outcome, Phase},
    model::{Environment, HostName, ImageSource},
    plan::Plan,
    text,
};

/// The longest that a pull may take.
const PULL: Duration = Duration::from_secs(30 * 60);

/// How long a transfer may stand still.
const STALL: Duration = Duration::from_secs(60);

/// How many hosts pull at once: they share a registry.
const PULLING: usize = 16;

/// How many hosts are sent an image at once: each costs the deployer a `docker save` and a compression.
const SENDING: usize = 4;

/// An image as a recipe names it.
pub type Wanted = (String, ImageSource);

/// What each image that a recipe names is now.
pub type Pins = BTreeMap<Wanted, PinnedImage>;

/// How the images of registries are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// One host pulls what its registry has now. It changes no container.
    Pull,
    /// The registry is only asked, for a plan.
    Ask,
}

/// Logs every host in to the environment's private registries.
pub async fn log_in(
    fleet: &Fleet,
    environment: &Environment,
    secrets: &mut Secrets<'_>,
) -> Run<()> {
    for login in &environment.registries {
        let password = secrets
            .value(
                &format!("registries.{}.password", login.server),
                &login.password,
            )
            .await?;
        let logged_in = fleet.each(|reached| {
            reached.expect(
                docker::login(&login.server, &login.username, password.clone()),
                QUICK,
            )
        });
        let failures: Vec<_> = logged_in
            .await
            .into_iter()
            .filter_map(|(reached, result)| Some((reached.name().clone(), result.err()?)))
            .collect();
        if !failures.is_empty() {
            let message = format!("cannot log in to {} as `{}`", login.server, login.username);
            return Err(
                Stop::on_hosts(Outcome::NotReady, message, &failures).hint(format!(
                    "docker login --username {} {}",
                    login.username, login.server
                )),
            );
        }
    }
    Ok(())
}

/// Finds out what every wanted image is now. `users` are the hosts that use each.
pub async fn resolve(
    fleet: &Fleet,
    users: &BTreeMap<Wanted, BTreeSet<HostName>>,
    lookup: Lookup,
    events: &Events,
) -> Run<Pins> {
    let mut pins = Pins::new();
    for ((reference, source), hosts) in users {
        let pin = match source {
            ImageSource::Local => local_pin(reference).await?,
            ImageSource::Registry => {
                let Some(reached) = fleet
                    .hosts()
                    .iter()
                    .find(|reached| hosts.contains(reached.name()))
                else {
                    continue;
                };
                registry_pin(reached, reference, lookup, events).await?
            }
        };
        pins.insert((reference.clone(), *source), pin);
    }
    Ok(pins)
}

async fn local_pin(reference: &str) -> Run<PinnedImage> {
    let missing = |cause: String| {
        Stop::new(Outcome::NotReady, format!("the image `{reference}` is not in this machine's Docker"))
            .cause(cause)
            .hint(format!("docker build --tag {reference} .    (or `source = \"registry\"` if hosts are to pull it)"))
    };
    let asked = Command::new("docker")
        .args(["image", "inspect", "--format", "{{.Id}}", reference])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(QUICK, asked)
        .await
        .map_err(|_| {
            missing(format!(
                "this machine's Docker did not answer within {}",
                text::duration(QUICK)
            ))
        })?
        .map_err(|error| missing(format!("`docker` cannot be run here: {error}")))?;
    if !output.status.success() {
        return Err(missing(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    let digest = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(PinnedImage {
        reference: Reference::parse(reference).local_tag(&digest),
        digest,
    })
}

async fn registry_pin(
    reached: &Reached,
    reference: &str,
    lookup: Lookup,
    events: &Events,
) -> Run<PinnedImage> {
    if let Some(digest) = Reference::parse(reference).digest {
        return Ok(PinnedImage {
            reference: reference.to_owned(),
            digest: digest.to_owned(),
        });
    }
    let cannot = |error: &HostError| {
        Stop::on_host(
            Outcome::NotReady,
            format!("cannot tell which image `{reference}` is now; nothing was changed"),
            reached.name(),
            error,
        )
        .hint(format!("on `{}`: docker pull {reference}", reached.name()))
    };
    if lookup == Lookup::Ask {
        return asked_pin(reached, reference, events)
            .await
            .map_err(|error| cannot(&error));
    }
    pull(reached, reference, events)
        .await
        .map_err(|error| cannot(&error))?;
    let image = inspect(reached, reference)
        .await
        .map_err(|error| cannot(&error))?;
    image
        .as_ref()
        .and_then(|image| pin_of(reference, image))
        .ok_or_else(|| {
            cannot(&HostError::Fact(
                "it has no digest of that registry after the pull".to_owned(),
            ))
        })
}

/// What a plan can say of a registry's image: what the registry has, as far as it can be asked; else what
/// the host has.
async fn asked_pin(
    reached: &Reached,
    reference: &str,
    events: &Events,
) -> Result<PinnedImage, HostError> {
    let present = inspect(reached, reference).await?;
    let output = reached.run(docker::manifest(reference), QUICK).await?;
    let offered = docker::manifest_config_digests(&output.stdout);
    let present_pin = present.as_ref().and_then(|image| pin_of(reference, image));
    match (&present, present_pin) {
        (Some(image), Some(pin)) if offered.contains(&image.id) => Ok(pin),
        (_, Some(pin)) if offered.is_empty() => {
            let why = output
                .stderr
                .lines()
                .last()
                .unwrap_or("no answer")
                .trim()
                .to_owned();
            events.send(EventKind::Warning {
                host: Some(reached.name().to_string()),
                message: format!(
                    "the registry cannot be asked whether `{reference}` has moved: {why}"
                ),
                hint: Some("`shipit deploy` pulls it and looks".into()),
            });
            Ok(pin)
        }
        _ => {
            let digest = offered
                .first()
                .cloned()
                .unwrap_or_else(|| "not pulled yet".to_owned());
            Ok(PinnedImage {
                reference: reference.to_owned(),
                digest,
            })
        }
    }
}

fn pin_of(reference: &str, image: &Image) -> Option<PinnedImage> {
    let repository = Reference::parse(reference).repository;
    let of_repository = |digest: &&String| Reference::parse(digest).repository == repository;
    let digests = &image.digests;
    // Docker shortens `docker.io/library/nginx` to `nginx`: then the only digest there is, is meant.
    let found = digests
        .iter()
        .find(of_repository)
        .or_else(|| digests.first().filter(|_| digests.len() == 1))?;
    let digest = Reference::parse(found).digest?.to_owned();
    Some(PinnedImage {
        reference: found.clone(),
        digest,
    })
}

async fn inspect(reached: &Reached, reference: &str) -> Result<Option<Image>, HostError> {
    let images = reached
        .read(docker::inspect_images(&[reference]), docker::parse_images)
        .await?;
    Ok(images.into_iter().next())
}

async fn pull(reached: &Reached, reference: &str, events: &Events) -> Result<(), HostError> {
    let (host, step) = (reached.name().to_string(), format!("pull {reference}"));
    events.send(EventKind::StepStarted {
        host: host.clone(),
        recipe: None,
        step: step.clone(),
    });
    let began = tokio::time::Instant::now();
    let result = reached.expect(docker::pull(reference), PULL).await;
    match &result {
        Ok(_) => events.send(EventKind::StepFinished {
            host,
            recipe: None,
            step,
            took: began.elapsed(),
            detail: None,
        }),
        Err(error) => {
            let (error, evidence) = (text::chain(error), error.output().to_vec());
            events.send(EventKind::StepFailed {
                host,
                recipe: None,
                step,
                error,
                evidence,
            });
        }
    }
    result.map(|_| ())
}

/// Brings every image that the plan starts to every host that starts it. When one host cannot have its
/// images, nothing is changed on any.
pub async fn distribute(fleet: &Fleet, plan: &Plan, events: &Events) -> Run<()> {
    events.send(EventKind::Phase { phase: Phase::Pull });
    let mut needed = BTreeMap::<HostName, BTreeSet<(ImageSource, String, PinnedImage)>>::new();
    for slot in plan.recipes.iter().flat_map(|recipe| recipe.changes()) {
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
    let sending = Semaphore::new(SENDING);
    let work = needed
        .iter()
        .filter_map(|(host, images)| Some((fleet.host(host)?, images)));
    let bring = |(reached, images): (&Reached, &BTreeSet<(ImageSource, String, PinnedImage)>)| {
        let (reached, images, sending) = (reached.clone(), images.clone(), &sending);
        async move {
            for (source, written, pin) in images {
                let brought = bring_one(&reached, source, &written, &pin, sending, events).await;
                brought.map_err(|error| (reached.name().clone(), error))?;
            }
            Ok::<_, (HostName, HostError)>(())
        }
    };
    let results: Vec<_> = stream::iter(work.map(bring))
        .buffer_unordered(PULLING)
        .collect()
        .await;
    let failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    if failures.is_empty() {
        return Ok(());
    }
    let names = text::list(failures.iter().map(|(host, _)| host));
    let message = format!("the images did not reach {names}; nothing was changed on any host");
    Err(Stop::on_hosts(Outcome::NotReady, message, &failures)
        .hint("the images that did arrive are not sent again: run the same command once the cause is mended"))
}

async fn bring_one(
    reached: &Reached,
    source: ImageSource,
    written: &str,
    pin: &PinnedImage,
    sending: &Semaphore,
    events: &Events,
) -> Result<(), HostError> {
    if inspect(reached, &pin.reference).await?.is_some() {
        return Ok(());
    }
    match source {
        ImageSource::Registry => pull(reached, &pin.reference, events).await,
        ImageSource::Local => {
            // The semaphore is never closed, so this only waits.
            let _permit = sending.acquire().await;
            send(reached, written, &pin.reference, &pin.digest, events).await
        }
    }
}

/// Streams an image of the deployer's own Docker to a host: `docker save | gzip | ssh docker load`.
async fn send(
    reached: &Reached,
    written: &str,
    tag: &str,
    id: &str,
    events: &Events,
) -> Result<(), HostError> {
    let (host, step) = (reached.name().to_string(), format!("send {written}"));
    events.send(EventKind::StepStarted {
        host: host.clone(),
        recipe: None,
        step: step.clone(),
    });
    let began = tokio::time::Instant::now();
    let result = send_archive(reached, written, tag, id, events).await;
    match &result {
        Ok(sent) => {
            let detail = Some(format!("{:.1} MB", megabytes(*sent)));
            events.send(EventKind::StepFinished {
                host,
                recipe: None,
                step,
                took: began.elapsed(),
                detail,
            });
        }
        Err(error) => {
            let (error, evidence) = (text::chain(error), error.output().to_vec());
            events.send(EventKind::StepFailed {
                host,
                recipe: None,
                step,
                error,
                evidence,
            });
        }
    }
    result.map(|_| ())
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with one decimal")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

async fn send_archive(
    reached: &Reached,
    written: &str,
    tag: &str,
    id: &str,
    events: &Events,
) -> Result<u64, HostError> {
    let save_failed = |why: String| {
        HostError::Fact(format!(
            "`docker save {written}` failed on this machine: {why}"
        ))
    };
    let mut save = Command::new("docker")
        .args(["save", id])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| save_failed(error.to_string()))?;
    let stdout = save
        .stdout
        .take()
        .ok_or_else(|| save_failed("it has no output".to_owned()))?;
    let total = local_size(id).await;
    let read = Arc::new(AtomicU64::new(0));
    let counter = read.clone();
    let counted = InspectReader::new(stdout, move |bytes: &[u8]| {
        counter.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    });
    // Fast compression: a laptop's uplink is slower than it, a datacentre's network is not much faster.
    let compressed = GzipEncoder::with_quality(
        BufReader::with_capacity(256 * 1024, counted),
        Level::Fastest,
    );
    let mut sent = 0;
    let host = reached.name().to_string();
    let mut told = 0;
    let mut on_bytes = |bytes: u64| {
        sent = bytes;
        let now = read.load(Ordering::Relaxed);
        // About a hundred tellings make a bar; a thousand would only fill the log.
        if now - told > total.unwrap_or(100_000_000) / 100 {
            told = now;
            events.send(EventKind::Transfer {
                host: host.clone(),
                what: written.to_owned(),
                bytes: now,
                total,
            });
        }
    };
    let command = reached.adapt(docker::image_load());
    let output = reached
        .session
        .send(&command, compressed, STALL, &mut on_bytes)
        .await
        .map_err(|source| HostError::Session {
            command: "docker load".into(),
            source,
        })?;
    let saved = tokio::time::timeout(QUICK, save.wait_with_output())
        .await
        .map_err(|_| save_failed("it does not end".to_owned()))?
        .map_err(|error| save_failed(error.to_string()))?;
    if !saved.status.success() {
        return Err(save_failed(
            String::from_utf8_lossy(&saved.stderr).trim().to_owned(),
        ));
    }
    if output.status != 0 {
        return Err(failed("docker load".to_owned(), &output));
    }
    // `Loaded image ID: sha256:…` or `Loaded image: NAME`, as the daemon has it; not always the same id.
    let loaded = output
        .stdout
        .lines()
        .rev()
        .find_map(|line| line.split_once(": "))
        .map(|(_, name)| name.trim());
    let loaded = loaded
        .ok_or_else(|| HostError::Fact("docker load did not say what it loaded".to_owned()))?;
    reached
        .expect(docker::image_tag(loaded, tag), QUICK)
        .await?;
    Ok(sent)
}

/// The size of an image of this machine's Docker, in bytes: about what `docker save` prints.
async fn local_size(id: &str) -> Option<u64> {
    let asked = Command::new("docker")
        .args(["image", "inspect", "--format", "{{.Size}}", id])
        .output();
    let output = tokio::time::timeout(QUICK, asked).await.ok()?.ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
