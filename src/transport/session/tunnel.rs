//! A TCP connection from a host, through its session.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use russh::ChannelMsg;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::bytes::{Buf, Bytes};

use super::channel::OpenChannel;

/// A TCP connection that a host made for us. It is closed when dropped.
pub struct Tunnel {
    channel: OpenChannel,
    writer: Pin<Box<dyn AsyncWrite + Send>>,
    unread: Bytes,
    ended: bool,
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
        Self {
            channel,
            writer,
            unread: Bytes::new(),
            ended: false,
        }
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let tunnel = &mut *self;
        while tunnel.unread.is_empty() && !tunnel.ended {
            match ready!(tunnel.channel.read.poll_next(context)) {
                Some(ChannelMsg::Data { data }) => tunnel.unread = data,
                Some(ChannelMsg::Eof) | None => tunnel.ended = true,
                Some(_) => {}
            }
        }
        let length = tunnel.unread.len().min(buffer.remaining());
        buffer.put_slice(&tunnel.unread[..length]);
        tunnel.unread.advance(length);
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
