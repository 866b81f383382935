//! Images of the deployer's own Docker go to hosts over the SSH connection, without the layers that a host
//! has already. So do images that another host had to give.

use std::{
    collections::HashMap,
    io::{self, SeekFrom},
    ops::Range,
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_compression::{
    Level,
    tokio::bufread::{GzipDecoder, GzipEncoder},
};
use futures::{StreamExt, TryStreamExt, stream};
use tempfile::TempPath;
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufWriter, copy, sink},
    process::Command,
    sync::{Mutex, OnceCell, Semaphore},
};
use tokio_util::io::{InspectReader, ReaderStream, StreamReader};

use crate::images::Hindrance;
use crate::{
    docker::{self, Archive, PinnedImage},
    event::{EventKind, Events},
    hosts::{HostError, QUICK, Reached, failed, progress},
    transport::Stdout,
};

/// The longest that `docker save` may take on the deployer's machine.
const SAVE: Duration = Duration::from_secs(15 * 60);

/// How long a transfer may stand still, its ends included: before its first byte the docker of a host that
/// saves an image writes it out for itself, and after the last byte that of a host that loads one unpacks
/// it, both without a word.
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
pub struct Saved {
    path: TempPath,
    archive: Archive,
}

impl Sender {
    /// Streams an image of the deployer's own Docker to a host.
    pub async fn send(
        &self,
        reached: &Reached,
        written: &str,
        pin: &PinnedImage,
        events: &Events,
    ) -> Result<(), Hindrance> {
        let cell = self
            .saved
            .lock()
            .await
            .entry(pin.digest.clone())
            .or_default()
            .clone();
        let mut is_here = true;
        let work = async {
            let saved = cell
                .get_or_try_init(|| save(written, &pin.digest))
                .await
                .inspect_err(|_| is_here = false)?;
            send_archive(reached, saved, written, pin, events).await
        };
        let sent = self.tell(reached, written, work, events).await;
        sent.map_err(|error| {
            if is_here {
                Hindrance::Host(error)
            } else {
                Hindrance::Source(error)
            }
        })
    }

    /// Streams an image that was saved from another host to a host.
    pub async fn send_on(
        &self,
        reached: &Reached,
        saved: &Saved,
        written: &str,
        pin: &PinnedImage,
        events: &Events,
    ) -> Result<(), HostError> {
        let work = send_archive(reached, saved, written, pin, events);
        self.tell(reached, written, work, events).await
    }

    async fn tell(
        &self,
        reached: &Reached,
        written: &str,
        work: impl Future<Output = Result<Sent, HostError>>,
        events: &Events,
    ) -> Result<(), HostError> {
        // The semaphore is never closed, so this only waits.
        let _permit = self.sending.acquire().await;
        let step = format!("send {written}");
        let detail = |sent: &Sent| Some(sent.to_string());
        let told = progress::step(events, reached.name(), None, &step, work, detail);
        told.await.map(|_| ())
    }
}

/// Sends an archive and gives the image the tag by which the host is to know it.
async fn send_archive(
    reached: &Reached,
    saved: &Saved,
    written: &str,
    pin: &PinnedImage,
    events: &Events,
) -> Result<Sent, HostError> {
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
        .expect(docker::image_tag(&loaded.name, &pin.stand_in()), QUICK)
        .await?;
    Ok(loaded.sent)
}

/// What went over the wire.
struct Sent {
    bytes: u64,
    layers: usize,
    known: usize,
}

impl std::fmt::Display for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", megabytes(self.bytes))?;
        if self.known > 0 {
            write!(f, ", {} of {} layers were there", self.known, self.layers)
        } else {
            Ok(())
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with one decimal")]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
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
    let path = temporary().map_err(|error| wrong(error.to_string()))?;
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
    read_archive(path)
        .await
        .map_err(|error| wrong(error.to_string()))
}

/// Saves an image that a host has, by its `id` there.
///
/// It is kept here until it is whole, and only then sent on, for three reasons. What a slow host takes would
/// hold up all that is asked of the one that gives it, the lock's heartbeat among it: a connection has one
/// queue for all its channels. A host that breaks off leaves no other with half an image. And what goes on
/// can leave out the layers that a host has, and go to several.
pub async fn fetch(
    source: &Reached,
    id: &str,
    written: &str,
    events: &Events,
) -> Result<Saved, HostError> {
    let host = source.name();
    let wrong = |error: io::Error| {
        let folder = std::env::temp_dir();
        HostError::Fact(format!(
            "cannot keep `{written}` of `{host}` in {}: {error}",
            folder.display()
        ))
    };
    let work = async {
        let path = temporary().map_err(wrong)?;
        let command = source.adapt(docker::image_save(id));
        let mut stdout = source.session.stdout(command, STALL);
        let mut bytes = 0;
        let mut telling = Telling::default();
        let on_bytes = |piece: &[u8]| {
            bytes += piece.len() as u64;
            if telling.is_due(bytes) {
                events.send(EventKind::Transfer {
                    host: host.to_string(),
                    what: written.to_owned(),
                    bytes,
                    total: None,
                });
            }
        };
        let unpacked = unpack(&mut stdout, &path, on_bytes).await;
        match stdout.into_end() {
            Some(Err(source)) => {
                return Err(HostError::Session {
                    command: "docker save".into(),
                    source,
                });
            }
            Some(Ok(output)) if !output.success() => {
                return Err(failed("docker save".to_owned(), &output));
            }
            _ => unpacked.map_err(wrong)?,
        }
        let saved = read_archive(path).await.map_err(wrong)?;
        Ok((saved, bytes))
    };
    let step = format!("save {written}");
    let detail = |(_, bytes): &(Saved, u64)| Some(megabytes(*bytes));
    let told = progress::step(events, host, None, &step, work, detail).await;
    told.map(|(saved, _)| saved)
}

/// Writes what is compressed in `stdout` to a file.
async fn unpack(
    stdout: &mut Stdout,
    path: &Path,
    on_bytes: impl FnMut(&[u8]) + Send + Unpin,
) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(BLOCK, File::create(path).await?);
    let watched = InspectReader::new(&mut *stdout, on_bytes);
    let mut unpacked = GzipDecoder::new(BufReader::with_capacity(BLOCK, watched));
    copy(&mut unpacked, &mut file).await?;
    file.flush().await?;
    // The compressed data says itself where it ends; what is left is the command's own end.
    copy(stdout, &mut sink()).await?;
    Ok(())
}

/// When to tell of a transfer whose end is not known: for each megabyte at first, later for each hundredth
/// more. Thousands of tellings would only fill the log.
#[derive(Default)]
struct Telling(u64);

impl Telling {
    fn is_due(&mut self, bytes: u64) -> bool {
        let due = bytes - self.0 >= (self.0 / 100).max(1_000_000);
        if due {
            self.0 = bytes;
        }
        due
    }
}

fn temporary() -> io::Result<TempPath> {
    let file = tempfile::Builder::new()
        .prefix("shipit-image-")
        .tempfile()?;
    Ok(file.into_temp_path())
}

async fn read_archive(path: TempPath) -> io::Result<Saved> {
    let opened = path.to_path_buf();
    let read = tokio::task::spawn_blocking(move || {
        Archive::read(std::io::BufReader::new(std::fs::File::open(opened)?))
    });
    let archive = read.await.map_err(io::Error::other)??;
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

    #[test]
    fn a_transfer_of_unknown_length_is_told_of_often_enough_and_not_too_often() {
        let tellings = |total: u64| {
            let mut telling = Telling::default();
            let pieces = (0..total / 32_000).map(|piece| piece * 32_000);
            pieces.filter(|bytes| telling.is_due(*bytes)).count()
        };
        assert_eq!(tellings(900_000), 0);
        assert_eq!(tellings(50_000_000), 48);
        assert!((300..500).contains(&tellings(5_000_000_000)));
    }
}
