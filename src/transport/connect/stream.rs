//! The TCP socket under a session.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

/// A TCP stream that sends without delay and acknowledges without delay.
///
/// SSH's handshake is a dialogue of small packets. Nagle's algorithm on one side and delayed
/// acknowledgements on the other cost 40 ms at several of its turns. `TCP_QUICKACK` is not a lasting
/// option: the kernel falls back to delaying, so it is set again after each read (`man 7 tcp`).
pub(super) struct PromptTcp(TcpStream);

impl PromptTcp {
    pub(super) fn new(stream: TcpStream) -> Self {
        // Both are about speed alone, and a kernel that lacks one still connects.
        let _ = stream.set_nodelay(true);
        acknowledge_at_once(&stream);
        end_with_a_dead_peer(&stream);
        Self(stream)
    }
}

#[cfg(target_os = "linux")]
fn acknowledge_at_once(stream: &TcpStream) {
    let _ = stream.set_quickack(true);
}

#[cfg(not(target_os = "linux"))]
fn acknowledge_at_once(_: &TcpStream) {}

/// SSH's keepalives stop while a write blocks, as both are one task of russh; the kernel watches then.
#[cfg(target_os = "linux")]
fn end_with_a_dead_peer(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(Duration::from_secs(60)));
}

#[cfg(not(target_os = "linux"))]
fn end_with_a_dead_peer(_: &TcpStream) {
    let _ = Duration::ZERO;
}

impl AsyncRead for PromptTcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.0).poll_read(context, buffer);
        if read.is_ready() {
            acknowledge_at_once(&self.0);
        }
        read
    }
}

impl AsyncWrite for PromptTcp {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// A stream that ends when its [`DropGuard`] is dropped.
///
/// russh's task owns the stream, and outlives a handshake that nobody waits for any more, as it listens to
/// nothing but the stream then.
pub(super) struct Abortable<S> {
    stream: S,
    aborted: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<S> Abortable<S> {
    pub(super) fn new(stream: S) -> (Self, DropGuard) {
        let token = CancellationToken::new();
        let aborted = Box::pin(token.clone().cancelled_owned());
        (Self { stream, aborted }, token.drop_guard())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Abortable<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.aborted.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Abortable<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
