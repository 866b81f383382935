//! Loading a saved image into the docker of a host.

use std::{fmt, sync::atomic::Ordering};

use super::{
    partial::Partial,
    saved::{STALL, SavedImage, megabytes},
    stream::Compressed,
};
use crate::{
    docker::{self, PinnedImage},
    event::{EventKind, Events},
    hosts::{HostError, QUICK, Reached, failed},
    transport::SessionError,
};

/// A transfer that is cut again and again goes on for as long as so many bytes more arrive each time.
const WORTH_IT: u64 = 1024 * 1024;

/// What went over the wire.
pub struct Sent {
    /// Compressed.
    bytes: u64,
    /// What the host had of that from a transfer that was cut off.
    partial: u64,
    /// All layers of the image.
    layers: usize,
    /// Those that the host had.
    known: usize,
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", megabytes(self.bytes))?;
        if self.partial > 0 {
            write!(f, " after {} that were there", megabytes(self.partial))?;
        }
        if self.known > 0 {
            write!(f, ", {} of {} layers were there", self.known, self.layers)
        } else {
            Ok(())
        }
    }
}

/// What docker loaded, by the name that it gave it.
struct Loaded {
    name: String,
    sent: Sent,
}

/// Loads a saved image, and gives it the tag that stands in for its digest.
pub async fn send_archive(
    reached: &Reached,
    saved: &SavedImage,
    written: &str,
    pin: &PinnedImage,
    events: &Events,
) -> Result<Sent, HostError> {
    let present = reached
        .read(docker::list_image_layers(), docker::parse_layers)
        .await?;
    let known = match saved.archive.known_layers(&present) {
        0 => 0,
        known => {
            let info = reached.read(docker::info(), docker::parse_info).await?;
            if info.keeps_images_in_containerd() {
                0
            } else {
                known
            }
        }
    };
    let load = async |known| {
        let mut transfer = Transfer {
            reached,
            saved,
            known,
            written,
            pin,
            events,
            shown: 0,
        };
        transfer.load().await
    };
    let loaded = match load(known).await {
        // Not every store of images takes one without the layers that it has.
        Err(error) if known > 0 && !error.is_unreachable() => load(0).await?,
        result => result?,
    };
    reached
        .expect(docker::image_tag(&loaded.name, &pin.stand_in()), QUICK)
        .await?;
    Ok(loaded.sent)
}

/// An image on its way to a host, without its first `known` layers, over one connection after another.
struct Transfer<'a> {
    reached: &'a Reached,
    saved: &'a SavedImage,
    known: usize,
    written: &'a str,
    pin: &'a PinnedImage,
    events: &'a Events,
    /// The bytes that the last event told of. It never goes back.
    shown: u64,
}

/// A connection that was lost while the image was sent over it.
struct Loss {
    error: HostError,
    /// How often that happened.
    times: usize,
    /// What the host had from before, and no more than that: it may claim anything.
    skipped: u64,
}

impl Transfer<'_> {
    /// Loads the image. Where the connection is lost, it goes on over the next from where it was.
    async fn load(&mut self) -> Result<Loaded, HostError> {
        let mut lost: Option<Loss> = None;
        loop {
            let image = Compressed::of(self.saved, self.known);
            let partial = Partial::open(self.reached, self.written, self.pin, image.total).await?;
            let had = partial.as_ref().map_or(0, |partial| partial.bytes);
            let (rest, skipped) = self.rest(image, partial.as_ref()).await?;
            let is_stuck = |loss: &mut Loss| loss.times > 1 && skipped < loss.skipped + WORTH_IT;
            if let Some(loss) = lost.take_if(is_stuck) {
                return Err(loss.error);
            }
            self.note(lost.is_some(), had, skipped);
            let result = self.send(rest, partial.as_ref(), skipped).await;
            match (result, partial) {
                (Err(error), _) if error.is_unreachable() => {
                    let times = 1 + lost.map_or(0, |loss| loss.times);
                    lost = Some(Loss {
                        error,
                        times,
                        skipped,
                    });
                }
                // Docker does not take it, so that it would lie there for nothing.
                (Err(error @ HostError::Status { .. }), Some(partial)) => {
                    partial.remove(self.reached).await;
                    return Err(error);
                }
                (result, _) => return result,
            }
        }
    }

    /// The rest of the image after what the host has of it, and how much that is: nothing if those are not its bytes.
    async fn rest(
        &self,
        mut image: Compressed,
        partial: Option<&Partial>,
    ) -> Result<(Compressed, u64), HostError> {
        let Some(partial) = partial.filter(|partial| partial.bytes > 0) else {
            return Ok((image, 0));
        };
        let is_same = image.begins_with(partial).await.map_err(|source| {
            let host = self.reached.name().clone();
            loading(SessionError::Input { host, source })
        })?;
        Ok(if is_same {
            (image, partial.bytes)
        } else {
            (Compressed::of(self.saved, self.known), 0)
        })
    }

    /// Says that the image is not sent as a whole, or once more.
    fn note(&self, is_again: bool, had: u64, skipped: u64) {
        let (host, written) = (self.reached.name(), self.written);
        let why = if is_again {
            format!("the connection to `{host}` was lost while `{written}` was sent")
        } else {
            format!("an earlier transfer of `{written}` to `{host}` was cut off")
        };
        let amount = format!("{} (compressed)", megabytes(had));
        let message = match (skipped, had) {
            (1.., _) => format!("{why}: going on after {amount}"),
            (0, 1..) => format!("{why}: starting anew, for its first {amount} are not the same"),
            (0, 0) if is_again => format!("{why}: starting anew"),
            (0, 0) => return,
        };
        self.events.send(EventKind::Note { message });
    }

    /// Sends what is left of the image to docker.
    async fn send(
        &mut self,
        rest: Compressed,
        partial: Option<&Partial>,
        skipped: u64,
    ) -> Result<Loaded, HostError> {
        let reached = self.reached;
        let (total, taken) = (rest.total, rest.taken.clone());
        self.show(taken.load(Ordering::Relaxed), total);
        let mut bytes = 0;
        let mut on_bytes = |sent: u64| {
            bytes = sent;
            self.show(taken.load(Ordering::Relaxed), total);
        };
        let command = partial.map_or_else(docker::image_load, |partial| partial.load(skipped));
        let command = reached.adapt(command);
        let sending = reached.session.send(&command, rest, STALL, &mut on_bytes);
        let output = sending.await.map_err(loading)?;
        let sent = Sent {
            bytes,
            partial: skipped,
            layers: self.saved.archive.layers.len(),
            known: self.known,
        };
        if output.status != 0 {
            return Err(failed("docker load".to_owned(), &output));
        }
        let name = loaded_name(&output.stdout).ok_or_else(|| {
            HostError::Fact("`docker load` did not say what it loaded".to_owned())
        })?;
        Ok(Loaded { name, sent })
    }

    /// Says how much is there. A hundred events make a bar; thousands would only fill the log.
    fn show(&mut self, bytes: u64, total: u64) {
        if bytes > self.shown + total / 100 {
            self.shown = bytes;
            self.events.send(EventKind::Transfer {
                host: self.reached.name().to_string(),
                what: self.written.to_owned(),
                bytes,
                total: Some(total),
            });
        }
    }
}

fn loading(source: SessionError) -> HostError {
    HostError::Session {
        command: "docker load".into(),
        source,
    }
}

/// `Loaded image ID: sha256:…` or `Loaded image: NAME`, as the daemon has it; not always the same id.
fn loaded_name(stdout: &str) -> Option<String> {
    let mut lines = stdout.lines().rev();
    let (_, name) = lines.find_map(|line| line.split_once(": "))?;
    Some(name.trim().to_owned())
}
