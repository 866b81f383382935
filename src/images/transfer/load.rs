//! Loading a saved image into the docker of a host.

use std::{
    fmt,
    fs::File,
    io::{self, Cursor},
    ops::Range,
    os::unix::fs::FileExt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_compression::{Level, tokio::bufread::GzipEncoder};
use futures::stream;
use tokio::io::{AsyncRead, BufReader};
use tokio_util::io::{InspectReader, StreamReader};

use super::saved::{BLOCK, STALL, SavedImage, megabytes};
use crate::{
    docker::{self, PinnedImage},
    event::{EventKind, Events},
    hosts::{HostError, QUICK, Reached, failed},
};

/// What went over the wire.
pub struct Sent {
    /// Compressed.
    bytes: u64,
    /// All layers of the image.
    layers: usize,
    /// Those that the host had.
    known: usize,
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", megabytes(self.bytes))?;
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
    let known = saved.archive.known_layers(&present);
    let loaded = match load(reached, saved, known, written, events).await {
        // A daemon that keeps images in containerd may ask for the files of layers that it has.
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

/// Loads an image without its first `known` layers.
async fn load(
    reached: &Reached,
    saved: &SavedImage,
    known: usize,
    written: &str,
    events: &Events,
) -> Result<Loaded, HostError> {
    let ranges = saved.archive.without(known);
    let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    let taken = Arc::new(AtomicU64::new(0));
    let counter = taken.clone();
    let watched = InspectReader::new(
        ranges_of(Arc::clone(&saved.file), ranges),
        move |bytes: &[u8]| {
            counter.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        },
    );
    // Fast compression outruns a laptop's uplink, and a datacentre's network is not much faster than it.
    let compressed =
        GzipEncoder::with_quality(BufReader::with_capacity(BLOCK, watched), Level::Fastest);
    let (mut bytes, mut shown) = (0, 0);
    let host = reached.name().to_string();
    let mut on_bytes = |sent: u64| {
        bytes = sent;
        let now = taken.load(Ordering::Relaxed);
        // A hundred events make a bar; thousands would only fill the log.
        if now - shown > total / 100 {
            shown = now;
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
fn ranges_of(file: Arc<File>, ranges: Vec<Range<u64>>) -> impl AsyncRead + Send + Unpin {
    let blocks = stream::try_unfold(
        (ranges.into_iter(), 0..0_u64),
        move |(mut rest, mut range)| {
            let file = Arc::clone(&file);
            async move {
                while range.is_empty() {
                    let Some(next) = rest.next() else {
                        return Ok(None);
                    };
                    range = next;
                }
                let (start, left) = (range.start, range.end - range.start);
                let read = tokio::task::spawn_blocking(move || read_block(&file, start, left));
                let block = read.await.map_err(io::Error::other)??;
                range.start += block.len() as u64;
                Ok::<_, io::Error>(Some((Cursor::new(block), (rest, range))))
            }
        },
    );
    StreamReader::new(Box::pin(blocks))
}

fn read_block(file: &File, start: u64, left: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(left).map_or(BLOCK, |left| left.min(BLOCK));
    let mut block = vec![0; length];
    let read = file.read_at(&mut block, start)?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    block.truncate(read);
    Ok(block)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn ranges_are_read_in_order_and_nothing_between_them() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"0123456789").expect("written");
        let file = Arc::new(file);
        let read = async |ranges| {
            let mut text = String::new();
            let mut reader = ranges_of(Arc::clone(&file), ranges);
            reader.read_to_string(&mut text).await.map(|_| text)
        };
        let (one, other) = tokio::join!(read(vec![0..2, 5..6, 8..10]), read(vec![3..3, 4..8]));
        assert_eq!(
            (one.expect("read"), other.expect("read")),
            ("01589".to_owned(), "4567".to_owned())
        );
        assert!(read(vec![0..1, 8..11]).await.is_err(), "a file that is cut");
    }
}
