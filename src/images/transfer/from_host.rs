//! Saving an image that a host has.

use std::io;

use async_compression::tokio::bufread::GzipDecoder;
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt, BufReader, BufWriter, copy, sink},
};
use tokio_util::io::InspectReader;

use super::saved::{BLOCK, STALL, SavedImage, megabytes, temporary};
use crate::{
    docker,
    event::{EventKind, Events},
    hosts::{HostError, Reached, failed, progress},
};

/// What an image leaves free of the disk, in bytes.
const LEFT_FREE: u64 = 1 << 30;

/// What a command may send after the end of what it compressed, in bytes.
const MOST_AFTER_THE_END: u64 = 1 << 20;

/// Saves an image that a host has, by its `id` there.
///
/// It is kept here until it is whole, and only then sent on, for three reasons. A connection has one queue for all
/// its channels, so a slow receiver would hold up everything else that is asked of the host that gives the image,
/// the lock's heartbeat too. A host that breaks off leaves no other with half an image. And a whole image can go
/// to several hosts, without the layers that each has.
pub async fn save_from_host(
    source: &Reached,
    id: &str,
    written: &str,
    events: &Events,
) -> Result<SavedImage, HostError> {
    let host = source.name();
    let wrong = |error: io::Error| {
        let folder = std::env::temp_dir();
        HostError::Fact(format!(
            "cannot keep `{written}` of `{host}` in {}: {error}",
            folder.display()
        ))
    };
    let work = async {
        let file = temporary().map_err(wrong)?;
        let to: File = file.try_clone().map_err(wrong)?.into();
        let room = room_for(&to).map_err(wrong)?;
        let command = source.adapt(docker::image_save(id));
        let mut stdout = source.session.stdout(command, STALL);
        let mut bytes = 0;
        let mut interval = Interval::default();
        let on_bytes = |piece: &[u8]| {
            bytes += piece.len() as u64;
            if interval.is_due(bytes) {
                events.send(EventKind::Transfer {
                    host: host.to_string(),
                    what: written.to_owned(),
                    bytes,
                    total: None,
                });
            }
        };
        let unpacked = unpack(&mut stdout, to, room, on_bytes).await;
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
        let saved = SavedImage::read(file).await.map_err(wrong)?;
        Ok((saved, bytes))
    };
    let step = format!("save {written}");
    let detail = |(_, bytes): &(SavedImage, u64)| Some(megabytes(*bytes));
    let saved = progress::step(events, host, None, &step, work, detail).await;
    saved.map(|(saved, _)| saved)
}

/// Writes what is compressed in `stdout` to a file, which may take `room` bytes.
async fn unpack(
    stdout: &mut (impl AsyncRead + Unpin),
    to: File,
    room: u64,
    on_bytes: impl FnMut(&[u8]) + Send + Unpin,
) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(BLOCK, to);
    let watched = InspectReader::new(&mut *stdout, on_bytes);
    let unpacked = GzipDecoder::new(BufReader::with_capacity(BLOCK, watched));
    let copied = copy(&mut unpacked.take(room.saturating_add(1)), &mut file).await?;
    if copied > room {
        let room = megabytes(room);
        let fact = format!("it is larger than {room}, and no more may be taken of the disk here");
        return Err(io::Error::new(io::ErrorKind::StorageFull, fact));
    }
    file.flush().await?;
    // The compressed data marks its own end. What is left is the end of the command.
    let left = copy(&mut stdout.take(MOST_AFTER_THE_END), &mut sink()).await?;
    if left == MOST_AFTER_THE_END {
        let fact = "more follows after the end of what it compressed";
        return Err(io::Error::new(io::ErrorKind::InvalidData, fact));
    }
    Ok(())
}

/// How many bytes of the disk that a file is on may be taken: a host that sends without end must not fill it, as other
/// programs need some of it.
fn room_for(file: &File) -> io::Result<u64> {
    let disk = rustix::fs::fstatvfs(file)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    Ok(free.saturating_sub(LEFT_FREE.max(free / 10)))
}

/// How often a transfer of unknown length sends an event: for each megabyte at first, later for each hundredth
/// more. Thousands of events would only fill the log.
#[derive(Default)]
struct Interval(u64);

impl Interval {
    fn is_due(&mut self, bytes: u64) -> bool {
        let due = bytes - self.0 >= (self.0 / 100).max(1_000_000);
        if due {
            self.0 = bytes;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use async_compression::tokio::write::GzipEncoder;

    use super::*;

    /// So many zeros, compressed.
    async fn zeros(bytes: usize) -> Vec<u8> {
        let mut encoder = GzipEncoder::new(Vec::new());
        encoder.write_all(&vec![0; bytes]).await.expect("written");
        encoder.shutdown().await.expect("ended");
        encoder.into_inner()
    }

    async fn unpacked(sent: &[u8], room: u64) -> Result<u64, String> {
        let file = temporary().expect("a file");
        let to = file.try_clone().expect("the same").into();
        let done = unpack(&mut &*sent, to, room, |_| ()).await;
        let length = file.metadata().expect("its metadata").len();
        done.map(|()| length).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn an_image_without_end_does_not_fill_the_disk_here() {
        let sent = zeros(5_000_000).await;
        assert!(sent.len() < 50_000, "few bytes become many");
        assert_eq!(unpacked(&sent, 5_000_000).await, Ok(5_000_000));
        let full = "it is larger than 4.0 MB, and no more may be taken of the disk here";
        assert_eq!(unpacked(&sent, 4_000_000).await, Err(full.to_owned()));
        let endless = [zeros(10).await, vec![7; 3_000_000]].concat();
        let more = "more follows after the end of what it compressed";
        assert_eq!(unpacked(&endless, 100).await, Err(more.to_owned()));
        let ends = [zeros(10).await, vec![7; 100]].concat();
        assert_eq!(unpacked(&ends, 100).await, Ok(10));
    }

    #[tokio::test]
    async fn some_of_the_disk_is_left_to_others() {
        let file: File = temporary().expect("a file").into();
        let room = room_for(&file).expect("a disk");
        let disk = rustix::fs::fstatvfs(&file).expect("a disk");
        let free = disk.f_bavail * disk.f_frsize;
        assert!(room < free || free == 0, "{room} of {free}");
    }

    #[test]
    fn a_transfer_of_unknown_length_sends_neither_too_few_events_nor_too_many() {
        let events = |total: u64| {
            let mut interval = Interval::default();
            let pieces = (0..total / 32_000).map(|piece| piece * 32_000);
            pieces.filter(|bytes| interval.is_due(*bytes)).count()
        };
        assert_eq!(events(900_000), 0);
        assert_eq!(events(50_000_000), 48);
        assert!((300..500).contains(&events(5_000_000_000)));
    }
}
