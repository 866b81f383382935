//! One channel of a session, with its permit from the connection's limit.

use std::{sync::Arc, time::Duration};

use russh::{ChannelMsg, ChannelOpenFailure, ChannelReadHalf, ChannelWriteHalf, Sig, client::Msg};
use tokio::{
    runtime,
    sync::oneshot,
    time::{Instant, timeout},
};

use super::{
    channel_limit::ChannelPermit,
    connection::Connection,
    error::{Refusal, SessionError},
};

/// How long a command that we gave up gets to end before its channel is closed over its head.
const GRACE: Duration = Duration::from_secs(2);

/// What to open.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Session,
    Tcp {
        host: String,
        port: u16,
        purpose: Purpose,
    },
}

/// What a tunnel is for. sshd's limit is on sessions alone, so a tunnel takes a permit only to bound how
/// many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// One of a run's own questions. It takes a permit.
    Question,
    /// One of a stream of requests, which has a bound of its own and must not take the questions' permits.
    Stream,
    /// Another connection: a jump host may carry more hosts than there are permits.
    Jump,
}

impl Target {
    fn needs_a_permit(&self) -> bool {
        match self {
            Self::Session => true,
            Self::Tcp { purpose, .. } => *purpose == Purpose::Question,
        }
    }

    /// Whether nobody but sshd can be to blame when no answer comes. It answers for a tunnel only when the
    /// tunnel's target has; the target of a jump is another sshd, and counts as one.
    fn is_answered_by_sshd(&self) -> bool {
        match self {
            Self::Session => true,
            Self::Tcp { purpose, .. } => *purpose == Purpose::Jump,
        }
    }

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
/// permit is given back only then.
pub(super) struct OpenChannel {
    pub(super) read: Reader,
    pub(super) write: Arc<ChannelWriteHalf<Msg>>,
    permit: Option<ChannelPermit>,
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
    /// Opens a channel, waiting for a permit first.
    ///
    /// A server whose `MaxSessions` is lower than ours refuses, and nothing has happened then: the channel
    /// is asked for again when one of our others has ended, unless there is none.
    pub(super) async fn open(
        connection: &Arc<Connection>,
        target: Target,
        what: &str,
        deadline: Duration,
        when_abandoned: WhenAbandoned,
    ) -> Result<Self, SessionError> {
        let begun = Instant::now();
        let left = || deadline.saturating_sub(begun.elapsed());
        let timed_out = |connection_silent: bool, waited_for: String| {
            if connection_silent {
                connection.note_answer(false);
            }
            SessionError::Timeout {
                host: connection.host.clone(),
                what: waited_for,
                after: deadline,
                connection: connection_silent,
            }
        };
        loop {
            let permit = if target.needs_a_permit() {
                let permit = timeout(left(), connection.channels.acquire()).await;
                Some(permit.map_err(|_| {
                    timed_out(false, format!("one of its channels to be free for {what}"))
                })?)
            } else {
                None
            };
            let opening = Self::ask(connection, target.clone(), permit, when_abandoned);
            let refused = match timeout(left(), opening).await {
                Err(_) => {
                    let sshd_is_silent = target.is_answered_by_sshd();
                    return Err(timed_out(sshd_is_silent, format!("a channel for {what}")));
                }
                Ok(Err(_)) => return Err(connection.disconnected(what)),
                Ok(Ok(Ok(channel))) => {
                    connection.note_answer(true);
                    return Ok(channel);
                }
                Ok(Ok(Err(refused))) => refused,
            };
            let russh::Error::ChannelOpenFailure(reason) = refused.error else {
                return Err(connection.disconnected(what));
            };
            let refusal = target.refusal(reason);
            match refused.permit {
                Some(permit) if refusal == Refusal::MaxSessions && !permit.is_the_only_one() => {
                    tracing::debug!(host = %connection.host, "the server opens no more sessions");
                    permit.forget();
                }
                _ => {
                    return Err(SessionError::Refused {
                        host: connection.host.clone(),
                        what: what.to_owned(),
                        refusal,
                    });
                }
            }
        }
    }

    /// Asks for a channel. The asking runs on when nobody waits for it any more, so that a late
    /// confirmation finds someone who closes the channel; otherwise the server would keep it for as long
    /// as the connection lives.
    fn ask(
        connection: &Arc<Connection>,
        target: Target,
        permit: Option<ChannelPermit>,
        when_abandoned: WhenAbandoned,
    ) -> oneshot::Receiver<Result<Self, NotOpened>> {
        let (sender, receiver) = oneshot::channel();
        let connection = Arc::clone(connection);
        tokio::spawn(async move {
            let opened = match target {
                Target::Session => connection.handle.channel_open_session().await,
                Target::Tcp { host, port, .. } => {
                    connection
                        .handle
                        .channel_open_direct_tcpip(host, port.into(), "127.0.0.1", 0)
                        .await
                }
            };
            let opened = match opened {
                Err(error) => Err(NotOpened { error, permit }),
                Ok(channel) => {
                    let (read, write) = channel.split();
                    Ok(Self {
                        read: Reader {
                            half: Some(read),
                            state: ReaderState::Open,
                        },
                        write: Arc::new(write),
                        permit,
                        connection,
                        when_abandoned,
                    })
                }
            };
            // Nobody receives it any more: the channel is dropped, and so closed.
            let _ = sender.send(opened);
        });
        receiver
    }

    /// Ends the channel's life in the background.
    fn leave(&mut self) {
        let (Some(mut half), Ok(runtime)) = (self.read.half.take(), runtime::Handle::try_current())
        else {
            return;
        };
        let state = self.read.state;
        let permit = self.permit.take();
        // A connection that only this channel still uses must not end before the command has.
        let connection = Arc::clone(&self.connection);
        let write = Arc::clone(&self.write);
        let terminate = self.when_abandoned == WhenAbandoned::Terminate;
        match state {
            ReaderState::ConnectionLost => {}
            // sshd clears an ended session away only after all that it has read at once, so a new one in
            // the same breath may be one too many. Once it has answered, the old one is gone. The spare
            // tenth session saves us the question when nothing else is open.
            ReaderState::Closed => {
                if permit
                    .as_ref()
                    .is_some_and(|permit| !permit.is_the_only_one())
                {
                    runtime.spawn(async move {
                        let _ = timeout(GRACE, connection.handle.send_ping()).await;
                        drop(permit);
                    });
                }
            }
            ReaderState::Open => {
                runtime.spawn(async move {
                    let ended = terminate && timeout(GRACE, end(&mut half, &write)).await.is_ok();
                    // Before the close: a reader that nobody empties would stop the whole session.
                    drop(half);
                    if !ended {
                        let _ = timeout(GRACE, write.close()).await;
                    }
                    let _ = timeout(GRACE, connection.handle.send_ping()).await;
                    drop(permit);
                });
            }
        }
    }
}

/// A channel that the server did not open, and the permit that was taken for it.
struct NotOpened {
    error: russh::Error,
    permit: Option<ChannelPermit>,
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
        self.leave();
    }
}
