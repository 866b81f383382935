//! Saving an image that a host has.

use std::io;

use async_compression::tokio::bufread::GzipDecoder;
use tokio::{
    fs::File,
    io::{AsyncWriteExt, BufReader, BufWriter, copy, sink},
};
use tokio_util::io::InspectReader;

use super::saved::{BLOCK, STALL, SavedImage, megabytes, temporary};
use crate::{
    docker,
    event::{EventKind, Events},
    hosts::{HostError, Reached, failed, progress},
    transport::Stdout,
};

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
        let to = file.try_clone().map_err(wrong)?;
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
        let unpacked = unpack(&mut stdout, to.into(), on_bytes).await;
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

/// Writes what is compressed in `stdout` to a file.
async fn unpack(
    stdout: &mut Stdout,
    to: File,
    on_bytes: impl FnMut(&[u8]) + Send + Unpin,
) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(BLOCK, to);
    let watched = InspectReader::new(&mut *stdout, on_bytes);
    let mut unpacked = GzipDecoder::new(BufReader::with_capacity(BLOCK, watched));
    copy(&mut unpacked, &mut file).await?;
    file.flush().await?;
    // The compressed data marks its own end. What is left is the end of the command.
    copy(stdout, &mut sink()).await?;
    Ok(())
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
    use super::*;

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
