//! Images of the deployer's own Docker go to hosts over the SSH connection, without the layers that a host
//! has already.

use std::{
    collections::HashMap,
    io::SeekFrom,
    ops::Range,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_compression::{Level, tokio::bufread::GzipEncoder};
use futures::{StreamExt, TryStreamExt, stream};
use tempfile::TempPath;
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt, AsyncSeekExt, BufReader},
    process::Command,
    sync::{Mutex, OnceCell, Semaphore},
};
use tokio_util::io::{InspectReader, ReaderStream, StreamReader};

use crate::{
    docker::{self, Archive, PinnedImage},
    event::{EventKind, Events},
    execute::{
        fleet::{HostError, QUICK, Reached, failed},
        step,
    },
};

/// The longest that `docker save` may take on the deployer's machine.
const SAVE: Duration = Duration::from_secs(15 * 60);

/// How long a transfer may stand still, its end included: after the last byte the host's docker unpacks
/// without a word.
const STALL: Duration = Duration::from_secs(5 * 60);

/// How many hosts are sent an image at once: each costs the deployer a compression.
const SENDING: usize = 4;

/// How much is read and compressed at a time, in bytes.
const BLOCK: usize = 256 * 1024;

/// Sends images, saving each from the deployer's Docker once.
pub struct Sender {
    sending: Semaphore,
    saved: Mutex<HashMap<String, Arc<OnceCell<Saved>>>>,
}

impl Default for Sender {
    fn default() -> Self {
        Self {
            sending: Semaphore::new(SENDING),
            saved: Mutex::default(),
        }
    }
}

/// An image saved to a temporary file, which goes with this value.
struct Saved {
    path: TempPath,
    archive: Archive,
}

impl Sender {
    /// Streams an image to a host and gives it the tag that the deploy pinned.
    pub async fn send(
        &self,
        reached: &Reached,
        written: &str,
        pin: &PinnedImage,
        events: &Events,
    ) -> Result<(), HostError> {
        // The semaphore is never closed, so this only waits.
        let _permit = self.sending.acquire().await;
        let work = self.send_archive(reached, written, pin, events);
        let detail = |sent: &Sent| Some(sent.to_string());
        step::tell(
            events,
            reached.name(),
            None,
            &format!("send {written}"),
            work,
            detail,
        )
        .await
        .map(|_| ())
    }

    async fn send_archive(
        &self,
        reached: &Reached,
        written: &str,
        pin: &PinnedImage,
        events: &Events,
    ) -> Result<Sent, HostError> {
        let cell = self
            .saved
            .lock()
            .await
            .entry(pin.digest.clone())
            .or_default()
            .clone();
        let saved = cell.get_or_try_init(|| save(written, &pin.digest)).await?;
        let present = reached
            .read(docker::list_image_layers(), docker::parse_layers)
            .await?;
        let known = saved.archive.known_layers(&present);
        let loaded = match load(reached, saved, known, written, events).await {
            // A daemon that keeps images in containerd may want the files of layers that it has.
            Err(error) if known > 0 && !error.is_unreachable() => {
                load(reached, saved, 0, written, events).await?
            }
            result => result?,
        };
        reached
            .expect(docker::image_tag(&loaded.name, &pin.reference), QUICK)
            .await?;
        Ok(loaded.sent)
    }
}

/// What went over the wire.
struct Sent {
    bytes: u64,
    layers: usize,
    known: usize,
}

impl std::fmt::Display for Sent {
    #[expect(clippy::cast_precision_loss, reason = "it is shown with one decimal")]
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} MB", self.bytes as f64 / 1e6)?;
        if self.known > 0 {
            write!(f, ", {} of {} layers were there", self.known, self.layers)
        } else {
            Ok(())
        }
    }
}

struct Loaded {
    name: String,
    sent: Sent,
}

async fn save(written: &str, id: &str) -> Result<Saved, HostError> {
    let wrong = |why: String| {
        let folder = std::env::temp_dir();
        HostError::Fact(format!(
            "cannot save `{written}` from this machine's Docker to {}: {why}",
            folder.display()
        ))
    };
    let path = tempfile::Builder::new()
        .prefix("shipit-image-")
        .tempfile()
        .map_err(|error| wrong(error.to_string()))?
        .into_temp_path();
    let saving = Command::new("docker")
        .args(["save", "--output"])
        .arg(&*path)
        .arg(id)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(SAVE, saving)
        .await
        .map_err(|_| wrong("it took too long".to_owned()))?
        .map_err(|error| wrong(error.to_string()))?;
    if !output.status.success() {
        return Err(wrong(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    let opened = path.to_path_buf();
    let read = tokio::task::spawn_blocking(move || {
        Archive::read(std::io::BufReader::new(std::fs::File::open(opened)?))
    });
    let archive = read
        .await
        .map_err(|error| wrong(error.to_string()))?
        .map_err(|error| wrong(error.to_string()))?;
    Ok(Saved { path, archive })
}

async fn load(
    reached: &Reached,
    saved: &Saved,
    known: usize,
    written: &str,
    events: &Events,
) -> Result<Loaded, HostError> {
    let ranges = saved.archive.without(known);
    let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    let taken = Arc::new(AtomicU64::new(0));
    let counter = taken.clone();
    let watched = InspectReader::new(
        ranges_of(saved.path.to_path_buf(), ranges),
        move |bytes: &[u8]| {
            counter.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        },
    );
    // Fast compression: a laptop's uplink is slower than it, a datacentre's network is not much faster.
    let compressed =
        GzipEncoder::with_quality(BufReader::with_capacity(BLOCK, watched), Level::Fastest);
    let (mut bytes, mut told) = (0, 0);
    let host = reached.name().to_string();
    let mut on_bytes = |sent: u64| {
        bytes = sent;
        let now = taken.load(Ordering::Relaxed);
        // A hundred tellings make a bar; thousands would only fill the log.
        if now - told > total / 100 {
            told = now;
            let (host, what) = (host.clone(), written.to_owned());
            events.send(EventKind::Transfer {
                host,
                what,
                bytes: now,
                total: Some(total),
            });
        }
    };
    let command = reached.adapt(docker::image_load());
    let output = reached
        .session
        .send(&command, Box::pin(compressed), STALL, &mut on_bytes)
        .await
        .map_err(|source| HostError::Session {
            command: "docker load".into(),
            source,
        })?;
    if output.status != 0 {
        return Err(failed("docker load".to_owned(), &output));
    }
    // `Loaded image ID: sha256:…` or `Loaded image: NAME`, as the daemon has it; not always the same id.
    let name = output
        .stdout
        .lines()
        .rev()
        .find_map(|line| line.split_once(": "))
        .map(|(_, name)| name.trim());
    let name = name
        .ok_or_else(|| HostError::Fact("`docker load` did not say what it loaded".to_owned()))?
        .to_owned();
    Ok(Loaded {
        name,
        sent: Sent {
            bytes,
            layers: saved.archive.layers.len(),
            known,
        },
    })
}

/// Reads ranges of a file, one after the other.
fn ranges_of(path: std::path::PathBuf, ranges: Vec<Range<u64>>) -> impl AsyncRead + Send + Unpin {
    let parts = stream::iter(ranges).then(move |range| {
        let path = path.clone();
        async move {
            let mut file = File::open(path).await?;
            file.seek(SeekFrom::Start(range.start)).await?;
            Ok::<_, std::io::Error>(ReaderStream::with_capacity(
                file.take(range.end - range.start),
                BLOCK,
            ))
        }
    });
    StreamReader::new(Box::pin(parts.try_flatten()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ranges_are_read_in_order_and_nothing_between_them() {
        let path = tempfile::NamedTempFile::new()
            .expect("a file")
            .into_temp_path();
        std::fs::write(&path, "0123456789").expect("written");
        let mut text = String::new();
        ranges_of(path.to_path_buf(), vec![0..2, 5..6, 8..10])
            .read_to_string(&mut text)
            .await
            .expect("read");
        assert_eq!(text, "01589");
    }
}
