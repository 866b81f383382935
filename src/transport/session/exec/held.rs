//! A remote command that runs for long and is talked to, such as the one that holds a lock.

use std::{fmt, sync::Arc, time::Duration};

use russh::{ChannelMsg, Sig};
use secrecy::ExposeSecret;
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
    time::timeout,
};

use super::{exchange::brief, lines::Lines};
use crate::{
    command::RemoteCommand,
    model::HostName,
    text::Tail,
    transport::session::{
        channel::{OpenChannel, Target, WhenAbandoned},
        connection::Connection,
        error::{Refusal, SessionError},
    },
};

/// Lines that wait to be read at most; further ones are dropped, as a full channel would stop the session.
const UNREAD_LINES: usize = 64;

/// A remote command that runs until this is dropped, or it ends by itself.
///
/// Dropping closes its standard input and its channel; the command must end by that.
pub struct Held {
    connection: Arc<Connection>,
    command: String,
    write: Arc<russh::ChannelWriteHalf<russh::client::Msg>>,
    lines: mpsc::Receiver<String>,
    end: watch::Receiver<Option<HeldEnd>>,
    pump: AbortHandle,
}

/// How a held command ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeldEnd {
    /// It exited by itself.
    #[error("it exited with status {status}{}", quoted(.stderr))]
    Exited {
        /// The exit status.
        status: u32,
        /// The end of what it printed to standard error.
        stderr: String,
    },
    /// A signal ended it.
    #[error("it was ended by signal {0}")]
    Killed(String),
    /// Its channel closed without a word.
    #[error("it ended without an exit status")]
    NoStatus,
    /// The server did not start it.
    #[error("the server refused to run it")]
    Refused,
    /// The connection is gone.
    #[error("the connection was lost: {0}")]
    Disconnected(String),
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("host", &self.connection.host)
            .field("command", &self.command)
            .field("end", &*self.end.borrow())
            .finish_non_exhaustive()
    }
}

impl Held {
    pub(in crate::transport) async fn start(
        connection: &Arc<Connection>,
        command: &RemoteCommand,
        deadline: Duration,
    ) -> Result<Self, SessionError> {
        let brief = brief(command);
        let what = format!("`{brief}`");
        let channel = OpenChannel::open(
            connection,
            Target::Session,
            &what,
            deadline,
            WhenAbandoned::HangUp,
        )
        .await?;
        let write = Arc::clone(&channel.write);

        let ask = async {
            write.exec(true, command.to_wire()).await?;
            if let Some(secret) = command.stdin() {
                let bytes = secret.expose_secret().as_bytes().to_vec();
                write.data_bytes(bytes).await?;
            }
            Ok::<_, russh::Error>(())
        };
        match timeout(deadline, ask).await {
            Err(_) => {
                return Err(silent(
                    connection,
                    format!("{what} to be started"),
                    deadline,
                ));
            }
            Ok(Err(_)) => return Err(connection.disconnected(&what)),
            Ok(Ok(())) => {}
        }

        let (started_sender, mut started) = watch::channel(false);
        let (line_sender, lines) = mpsc::channel(UNREAD_LINES);
        let (end_sender, end) = watch::channel(None);
        let pump = Pump {
            connection: Arc::clone(connection),
            channel,
            started: started_sender,
            lines: line_sender,
        };
        let task = tokio::spawn(async move {
            let end = pump.run().await;
            let _ = end_sender.send(Some(end));
        });
        let held = Self {
            connection: Arc::clone(connection),
            command: brief,
            write,
            lines,
            end,
            pump: task.abort_handle(),
        };
        match timeout(deadline, started.wait_for(|started| *started)).await {
            Err(_) => Err(silent(
                connection,
                format!("{what} to be started"),
                deadline,
            )),
            Ok(Ok(_)) => Ok(held),
            Ok(Err(_)) => match held.ended().await {
                HeldEnd::Refused => Err(SessionError::Refused {
                    host: connection.host.clone(),
                    what,
                    refusal: Refusal::Exec,
                }),
                _ => Err(connection.disconnected(&what)),
            },
        }
    }

    /// The host it runs on.
    pub fn host(&self) -> &HostName {
        &self.connection.host
    }

    /// The next line of its standard output without its newline; `None` when there will be no more.
    pub async fn line(&mut self, deadline: Duration) -> Result<Option<String>, SessionError> {
        timeout(deadline, self.lines.recv()).await.map_err(|_| {
            let what = format!("a line from `{}`", self.command);
            SessionError::Timeout {
                host: self.connection.host.clone(),
                what,
                after: deadline,
                connection: false,
            }
        })
    }

    /// Writes to its standard input.
    pub async fn write(&mut self, bytes: &[u8], deadline: Duration) -> Result<(), SessionError> {
        let what = format!("`{}` to take {} bytes", self.command, bytes.len());
        if let Some(end) = self.end() {
            return Err(SessionError::Disconnected {
                host: self.connection.host.clone(),
                what,
                reason: end.to_string(),
            });
        }
        match timeout(deadline, self.write.data_bytes(bytes.to_vec())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.connection.disconnected(&what)),
            Err(_) => Err(silent(&self.connection, what, deadline)),
        }
    }

    /// How it ended, if it has.
    pub fn end(&self) -> Option<HeldEnd> {
        self.end.borrow().clone()
    }

    /// Waits until it ends. For as long as it should be held, so without a deadline: to be waited for
    /// beside the work that needs it held.
    pub fn ended(&self) -> impl Future<Output = HeldEnd> + Send + 'static {
        let mut end = self.end.clone();
        async move {
            match end.wait_for(Option::is_some).await {
                Ok(end) => end.clone().unwrap_or(HeldEnd::NoStatus),
                // The task that reads it was aborted: the `Held` was dropped.
                Err(_) => HeldEnd::NoStatus,
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // The task owns the channel, and so closes it.
        self.pump.abort();
    }
}

/// Takes in all that a held command says, whether it is read or not.
struct Pump {
    connection: Arc<Connection>,
    channel: OpenChannel,
    started: watch::Sender<bool>,
    lines: mpsc::Sender<String>,
}

impl Pump {
    async fn run(self) -> HeldEnd {
        let Self {
            connection,
            mut channel,
            started,
            lines: sender,
        } = self;
        let mut lines = Lines::default();
        let mut stderr = Tail::default();
        let mut end = None;
        let mut hand_over = |line: &str| {
            if sender.try_send(line.to_owned()).is_err() {
                tracing::debug!(line, "nobody reads a held command's output");
            }
        };
        while let Some(message) = channel.read.next().await {
            match message {
                ChannelMsg::Success => {
                    started.send_replace(true);
                }
                ChannelMsg::Failure if !*started.borrow() => return HeldEnd::Refused,
                ChannelMsg::Data { data } => lines.add(&data, &mut hand_over),
                ChannelMsg::ExtendedData { data, .. } => {
                    stderr.add(&data);
                }
                ChannelMsg::ExitStatus { exit_status } => end = Some(Ok(exit_status)),
                ChannelMsg::ExitSignal { signal_name, .. } => end = Some(Err(signal_name)),
                _ => {}
            }
        }
        lines.end(&mut hand_over);
        match end {
            _ if !channel.read.closed_by_server() => {
                HeldEnd::Disconnected(connection.disconnect_reason.describe())
            }
            Some(Ok(status)) => HeldEnd::Exited {
                status,
                stderr: stderr.into_text(),
            },
            Some(Err(Sig::Custom(name))) => HeldEnd::Killed(name),
            Some(Err(signal)) => HeldEnd::Killed(format!("{signal:?}")),
            None => HeldEnd::NoStatus,
        }
    }
}

fn silent(connection: &Connection, what: String, after: Duration) -> SessionError {
    connection.note_answer(false);
    SessionError::Timeout {
        host: connection.host.clone(),
        what,
        after,
        connection: true,
    }
}

fn quoted(stderr: &str) -> String {
    let line = stderr.trim();
    if line.is_empty() {
        String::new()
    } else {
        format!(": {line}")
    }
}
