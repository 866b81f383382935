//! One channel of a session, with its place among those that may be open at once.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use russh::{ChannelMsg, ChannelOpenFailure, ChannelReadHalf, ChannelWriteHalf, Sig, client::Msg};
use tokio::{
    runtime,
    sync::{OwnedSemaphorePermit, oneshot},
    time::timeout,
};

use super::{
    connection::Connection,
    session_error::{Refusal, SessionError},
};

/// How long a command that we gave up gets to end before its channel is closed over its head.
const GRACE: Duration = Duration::from_secs(2);

/// What to open.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Session,
    /// Takes a place only when it is not a jump: sshd's limit is on sessions alone, and a jump host may
    /// carry more hosts than that.
    Tcp {
        host: String,
        port: u16,
        is_jump: bool,
    },
}

impl Target {
    fn refusal(&self, reason: ChannelOpenFailure) -> Refusal {
        match (self, reason) {
            // sshd answers so when a connection has `MaxSessions` already.
            (
                Self::Session,
                ChannelOpenFailure::ConnectFailed | ChannelOpenFailure::ResourceShortage,
            ) => Refusal::MaxSessions,
            (Self::Tcp { .. }, ChannelOpenFailure::AdministrativelyProhibited) => {
                Refusal::Forbidden
            }
            (Self::Tcp { host, port, .. }, ChannelOpenFailure::ConnectFailed) => {
                Refusal::Unreachable(format!("{host}:{port}"))
            }
            (_, ChannelOpenFailure::Other { code, reason }) => {
                Refusal::Other(format!("{reason} (code {code})"))
            }
            (_, reason) => Refusal::Other(format!("{reason:?}")),
        }
    }
}

/// An open channel. Dropped before the server has closed it, it is closed in the background, and its
/// place is free only then.
pub(super) struct OpenChannel {
    pub(super) read: Reader,
    pub(super) write: Arc<ChannelWriteHalf<Msg>>,
    permit: Option<OwnedSemaphorePermit>,
    connection: Arc<Connection>,
    when_abandoned: WhenAbandoned,
}

/// What becomes of the remote command when its channel is dropped before it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhenAbandoned {
    /// It gets SIGTERM: nobody waits for it any more, and it should not act later.
    Terminate,
    /// Its standard input ends, that is all.
    HangUp,
}

/// The reading half, which remembers whether the server has closed the channel.
pub(super) struct Reader {
    half: Option<ChannelReadHalf>,
    state: ReaderState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReaderState {
    Open,
    Closed,
    ConnectionLost,
}

impl Reader {
    /// The next message; `None` when the channel or the connection has ended.
    pub(super) async fn next(&mut self) -> Option<ChannelMsg> {
        if self.state != ReaderState::Open {
            return None;
        }
        let message = self.half.as_mut()?.wait().await;
        self.note(message)
    }

    /// [`Reader::next`] for those who poll.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<ChannelMsg>> {
        let (ReaderState::Open, Some(half)) = (self.state, self.half.as_mut()) else {
            return Poll::Ready(None);
        };
        // The future has no state of its own: it is tokio's receive, whose waker stays with the queue.
        let message = ready!(pin!(half.wait()).poll(context));
        Poll::Ready(self.note(message))
    }

    fn note(&mut self, message: Option<ChannelMsg>) -> Option<ChannelMsg> {
        match message {
            Some(ChannelMsg::Close) => {
                self.state = ReaderState::Closed;
                None
            }
            Some(message) => Some(message),
            // russh says `Close` before it lets go of a channel that the server closed.
            None => {
                self.state = ReaderState::ConnectionLost;
                None
            }
        }
    }

    /// Whether the server has closed the channel, as opposed to the connection being gone.
    pub(super) fn closed_by_server(&self) -> bool {
        self.state == ReaderState::Closed
    }
}

impl OpenChannel {
    /// Opens a channel, waiting for a free place first.
    ///
    /// The opening runs on when this future is dropped, so that a late confirmation finds someone who
    /// closes the channel; otherwise the server would keep it for the session's life.
    pub(super) async fn open(
        connection: &Arc<Connection>,
        target: Target,
        what: &str,
        deadline: Duration,
        when_abandoned: WhenAbandoned,
    ) -> Result<Self, SessionError> {
        let begun = Instant::now();
        let timed_out = |connection_silent: bool, what: &str| SessionError::Timeout {
            host: connection.host.clone(),
            what: what.to_owned(),
            after: deadline,
            connection: connection_silent,
        };
        let permit = if matches!(target, Target::Tcp { is_jump: true, .. }) {
            None
        } else {
            let place = timeout(deadline, Arc::clone(&connection.places).acquire_owned()).await;
            let place = place.map_err(|_| {
                timed_out(false, &format!("one of its channels to be free for {what}"))
            })?;
            Some(place.map_err(|_| connection.disconnected(what))?)
        };

        let (sender, receiver) = oneshot::channel();
        let opener = Arc::clone(connection);
        let wanted = target.clone();
        tokio::spawn(async move {
            let opened = match wanted {
                Target::Session => opener.handle.channel_open_session().await,
                Target::Tcp { host, port, .. } => {
                    opener
                        .handle
                        .channel_open_direct_tcpip(host, port.into(), "127.0.0.1", 0)
                        .await
                }
            };
            let opened = opened.map(|channel| {
                let (read, write) = channel.split();
                Self {
                    read: Reader {
                        half: Some(read),
                        state: ReaderState::Open,
                    },
                    write: Arc::new(write),
                    permit,
                    connection: opener,
                    when_abandoned,
                }
            });
            // Nobody receives it any more: the channel is dropped, and so closed.
            let _ = sender.send(opened);
        });

        let left = deadline.saturating_sub(begun.elapsed());
        match timeout(left, receiver).await {
            Err(_) => Err(timed_out(true, &format!("a channel for {what}"))),
            Ok(Ok(Ok(channel))) => Ok(channel),
            Ok(Ok(Err(russh::Error::ChannelOpenFailure(reason)))) => Err(SessionError::Refused {
                host: connection.host.clone(),
                what: what.to_owned(),
                refusal: target.refusal(reason),
            }),
            Ok(Ok(Err(_)) | Err(_)) => Err(connection.disconnected(what)),
        }
    }

    /// Ends the channel's life in the background.
    fn abandon(&mut self) {
        let over = self.read.state != ReaderState::Open;
        let Some(mut half) = self.read.half.take() else {
            return;
        };
        let permit = self.permit.take();
        let Ok(runtime) = runtime::Handle::try_current() else {
            return;
        };
        if over {
            return;
        }
        let write = Arc::clone(&self.write);
        // A connection that only this channel still uses must not end before the command has.
        let connection = Arc::clone(&self.connection);
        let terminate = self.when_abandoned == WhenAbandoned::Terminate;
        runtime.spawn(async move {
            let ended = terminate && timeout(GRACE, end(&mut half, &write)).await.is_ok();
            // Before the close: a reader that nobody empties would stop the whole session.
            drop(half);
            if !ended {
                let _ = timeout(GRACE, write.close()).await;
            }
            drop((permit, connection));
        });
    }
}

/// Asks the command to end and waits until it has, taking away all along what it still prints.
async fn end(half: &mut ChannelReadHalf, write: &ChannelWriteHalf<Msg>) {
    let ask = async {
        let _ = write.signal(Sig::TERM).await;
        let _ = write.eof().await;
    };
    let drain = async {
        while let Some(message) = half.wait().await {
            if matches!(message, ChannelMsg::Close) {
                return;
            }
        }
    };
    tokio::join!(ask, drain);
}

impl Drop for OpenChannel {
    fn drop(&mut self) {
        self.abandon();
    }
}
