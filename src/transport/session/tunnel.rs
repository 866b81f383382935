//! A TCP connection from a host, through its session.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use russh::ChannelMsg;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::AbortHandle,
};
use tokio_util::bytes::{Buf, Bytes};

use super::channel::OpenChannel;

/// How much memory may be taken by what a host sent and nobody has read, in bytes.
///
/// It is taken from the connection at once, as russh reads nothing more of one while a channel of it is full. Where the
/// tunnel carries another connection, that would be for ever: russh reads nothing of that one while it writes, and what
/// it writes waits for the word of this one's server that there is room. So this is more than a host has to say
/// meanwhile: a full window of output, and the words that its own windows have room, which are short and many.
const UNREAD: usize = 8 * 1024 * 1024;

/// What a piece takes besides its bytes, at most: a host may send each byte in a message of its own.
const EACH: usize = 256;

/// A TCP connection that a host made for us. It is closed when dropped.
pub struct Tunnel {
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    pieces: mpsc::UnboundedReceiver<Piece>,
    unread: Option<Piece>,
    ended: bool,
    taking: AbortHandle,
}

/// What came at once, and its part of what may wait.
struct Piece {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl Tunnel {
    pub(super) fn new(channel: OpenChannel) -> Self {
        let writer = Box::pin(channel.write.make_writer());
        let (sender, pieces) = mpsc::unbounded_channel();
        Self {
            writer,
            pieces,
            unread: None,
            ended: false,
            taking: tokio::spawn(take(channel, sender)).abort_handle(),
        }
    }
}

/// Takes what the host sends, up to its end. The channel ends with this.
async fn take(mut channel: OpenChannel, pieces: mpsc::UnboundedSender<Piece>) {
    let room = Arc::new(Semaphore::new(UNREAD));
    while let Some(message) = channel.read.next().await {
        let bytes = match message {
            ChannelMsg::Data { data } if !data.is_empty() => data,
            ChannelMsg::Eof => break,
            _ => continue,
        };
        // A packet is far smaller than all the room, and the semaphore is never closed.
        let takes = u32::try_from((bytes.len() + EACH).min(UNREAD)).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&room).acquire_many_owned(takes).await else {
            break;
        };
        if pieces.send(Piece { bytes, _room: room }).is_err() {
            break;
        }
    }
    drop(pieces);
    // What is written still goes out on it, until the host closes it.
    while channel.read.next().await.is_some() {}
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.taking.abort();
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let tunnel = &mut *self;
        if tunnel.unread.is_none() && !tunnel.ended {
            tunnel.unread = ready!(tunnel.pieces.poll_recv(context));
            tunnel.ended = tunnel.unread.is_none();
        }
        if let Some(piece) = &mut tunnel.unread {
            let length = piece.bytes.len().min(buffer.remaining());
            buffer.put_slice(&piece.bytes[..length]);
            piece.bytes.advance(length);
            if piece.bytes.is_empty() {
                tunnel.unread = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // russh takes an empty write for an error.
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.writer.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.as_mut().poll_shutdown(context)
    }
}
