//! The bytes of an image as they go over the wire.

use std::{
    fs::File,
    io::{self, Cursor},
    mem,
    ops::Range,
    os::unix::fs::FileExt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use async_compression::{Level, tokio::write::GzipEncoder};
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio_util::io::StreamReader;

use super::{
    partial::Partial,
    saved::{BLOCK, SavedImage},
};

/// A saved image without the layers that a host has, compressed. Every one of the same image has the same bytes.
pub struct Compressed {
    reader: Pin<Box<dyn AsyncRead + Send>>,
    /// How many bytes there are, before they are compressed.
    pub total: u64,
    /// How many of them were read.
    pub taken: Arc<AtomicU64>,
}

impl Compressed {
    /// The image without its first `known` layers.
    pub fn of(saved: &SavedImage, known: usize) -> Self {
        let ranges = saved.archive.without(known);
        let total = ranges.iter().map(|range| range.end - range.start).sum();
        let taken = Arc::new(AtomicU64::new(0));
        let blocks = blocks_of(Arc::clone(&saved.file), ranges);
        let reader = StreamReader::new(Box::pin(compressed(blocks, Arc::clone(&taken))));
        Self {
            reader: Box::pin(reader),
            total,
            taken,
        }
    }

    /// Reads as much as a host has, and says whether that is the same. If so, what is left is the rest.
    pub async fn begins_with(&mut self, partial: &Partial) -> io::Result<bool> {
        let mut hash = Sha256::new();
        let mut left = partial.bytes;
        let mut block = vec![0; BLOCK];
        while left > 0 {
            let most = usize::try_from(left).map_or(BLOCK, |left| left.min(BLOCK));
            let read = self.reader.read(&mut block[..most]).await?;
            if read == 0 {
                return Ok(false);
            }
            hash.update(&block[..read]);
            left -= read as u64;
        }
        Ok(hex::encode(hash.finalize()) == partial.sha256)
    }
}

impl AsyncRead for Compressed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.reader.as_mut().poll_read(context, buffer)
    }
}

/// Compresses blocks.
///
/// What comes out depends on the pieces in which the encoder is given its input and its output is taken. So it is given
/// the blocks as they are, and a buffer that always has room.
fn compressed(
    blocks: impl Stream<Item = io::Result<Vec<u8>>> + Unpin,
    taken: Arc<AtomicU64>,
) -> impl Stream<Item = io::Result<Cursor<Vec<u8>>>> {
    // Fast compression outruns a laptop's uplink, and a datacentre's network is not much faster than it.
    let encoder = GzipEncoder::with_quality(Vec::new(), Level::Fastest);
    let state = (blocks, Some(encoder), taken);
    stream::try_unfold(state, async |(mut blocks, encoder, taken)| {
        let Some(mut encoder) = encoder else {
            return Ok(None);
        };
        if let Some(block) = blocks.try_next().await? {
            encoder.write_all(&block).await?;
            taken.fetch_add(block.len() as u64, Ordering::Relaxed);
            let piece = Cursor::new(mem::take(encoder.get_mut()));
            return Ok(Some((piece, (blocks, Some(encoder), taken))));
        }
        encoder.shutdown().await?;
        let piece = Cursor::new(encoder.into_inner());
        Ok(Some((piece, (blocks, None, taken))))
    })
}

/// Reads ranges of a file, one after the other, in blocks of one size but for the last of each range.
fn blocks_of(
    file: Arc<File>,
    ranges: Vec<Range<u64>>,
) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + Unpin {
    let cut = |range: Range<u64>| {
        let end = range.end;
        let starts = range.step_by(BLOCK);
        starts.map(move |start| (start, end.min(start + BLOCK as u64)))
    };
    let read = move |(start, end)| {
        let file = Arc::clone(&file);
        async move {
            let read = tokio::task::spawn_blocking(move || {
                let length = usize::try_from(end - start).map_err(io::Error::other)?;
                let mut block = vec![0; length];
                file.read_exact_at(&mut block, start)?;
                Ok(block)
            });
            read.await.map_err(io::Error::other)?
        }
    };
    Box::pin(stream::iter(ranges.into_iter().flat_map(cut)).then(read))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[tokio::test]
    async fn ranges_are_read_in_order_and_nothing_between_them() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"0123456789").expect("written");
        let file = Arc::new(file);
        let read = async |ranges| {
            let blocks = blocks_of(Arc::clone(&file), ranges);
            let blocks = blocks.try_concat().await;
            blocks.map(|bytes| String::from_utf8(bytes).expect("text"))
        };
        let (one, other) = tokio::join!(read(vec![0..2, 5..6, 8..10]), read(vec![3..3, 4..8]));
        assert_eq!(
            (one.expect("read"), other.expect("read")),
            ("01589".to_owned(), "4567".to_owned())
        );
        assert!(read(vec![0..1, 8..11]).await.is_err(), "a file that is cut");
    }
}
