//! A command, or the login shell, that a person or a pipe talks to until it ends.

use std::{fmt, sync::Arc, time::Duration};

use russh::{ChannelMsg, ChannelWriteHalf, Pty, Sig, client::Msg};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
    time::timeout,
};

use super::exchange::brief;
use crate::{
    command::RemoteCommand,
    transport::session::{
        channel::{OpenChannel, Target, WhenAbandoned},
        connection::Connection,
        error::{Refusal, SessionError},
    },
};

/// What one read of the input takes at most.
const CHUNK: usize = 32 * 1024;

/// A terminal that the server is to make for a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PseudoTerminal {
    /// `TERM`: what it understands.
    pub term: String,
    /// How large it is.
    pub size: WindowSize,
    /// Its modes, by the numbers of RFC 4254, section 8.
    pub modes: Vec<(u8, u32)>,
}

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// How many in a line.
    pub columns: u32,
    /// How many lines.
    pub rows: u32,
}

/// What an interactive command is talked to through.
pub struct Streams<'a> {
    /// Its standard input.
    pub input: Box<dyn AsyncRead + Send + Unpin + 'a>,
    /// Takes its standard output, and with a terminal all that it prints.
    pub stdout: Box<dyn AsyncWrite + Send + Unpin + 'a>,
    /// Takes its standard error.
    pub stderr: Box<dyn AsyncWrite + Send + Unpin + 'a>,
    /// The sizes that its terminal has from then on.
    pub sizes: mpsc::Receiver<WindowSize>,
}

/// How an interactive command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InteractiveEnd {
    /// It exited with this status.
    Status(u32),
    /// A signal ended it: `TERM`.
    Signal(String),
}

impl fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

/// Runs a command, or without one the login shell, until it ends. `deadline` is for its start alone.
pub(in crate::transport) async fn interact(
    connection: &Arc<Connection>,
    command: Option<&RemoteCommand>,
    terminal: Option<&PseudoTerminal>,
    streams: Streams<'_>,
    deadline: Duration,
) -> Result<InteractiveEnd, SessionError> {
    let what = command.map_or_else(
        || "a login shell".to_owned(),
        |command| format!("`{}`", brief(command)),
    );
    let channel = OpenChannel::open(
        connection,
        Target::Session,
        &what,
        deadline,
        WhenAbandoned::Terminate,
    )
    .await?;
    let mut talk = Talk {
        connection,
        channel,
        what,
        stdout: streams.stdout,
        stderr: streams.stderr,
        end: None,
    };
    let Ok(started) = timeout(deadline, talk.start(command, terminal)).await else {
        connection.note_answer(false);
        return Err(SessionError::Timeout {
            host: connection.host.clone(),
            what: format!("{} to be started", talk.what),
            after: deadline,
            connection: true,
        });
    };
    started?;
    talk.run(streams.input, streams.sizes).await
}

struct Talk<'a> {
    connection: &'a Arc<Connection>,
    channel: OpenChannel,
    what: String,
    stdout: Box<dyn AsyncWrite + Send + Unpin + 'a>,
    stderr: Box<dyn AsyncWrite + Send + Unpin + 'a>,
    end: Option<InteractiveEnd>,
}

impl Talk<'_> {
    async fn start(
        &mut self,
        command: Option<&RemoteCommand>,
        terminal: Option<&PseudoTerminal>,
    ) -> Result<(), SessionError> {
        let write = Arc::clone(&self.channel.write);
        if let Some(PseudoTerminal { term, size, modes }) = terminal {
            let modes = modes.iter();
            let modes = modes.filter_map(|(code, value)| Some((Pty::from_u8(*code)?, *value)));
            let modes: Vec<_> = modes.collect();
            let (columns, rows) = (size.columns, size.rows);
            let asked = write
                .request_pty(true, term, columns, rows, 0, 0, &modes)
                .await;
            let what = "a terminal".to_owned();
            let refusal = Refusal::Other("sshd gives this account none (PermitTTY)".to_owned());
            self.granted(asked, what, refusal).await?;
        }
        let asked = match command {
            Some(command) => write.exec(true, command.to_wire()).await,
            None => write.request_shell(true).await,
        };
        self.granted(asked, self.what.clone(), Refusal::Exec).await
    }

    /// Waits for the answer to what was asked for.
    async fn granted(
        &mut self,
        asked: Result<(), russh::Error>,
        what: String,
        refusal: Refusal,
    ) -> Result<(), SessionError> {
        if asked.is_err() {
            return Err(self.connection.disconnected(&self.what));
        }
        while let Some(message) = self.channel.read.next().await {
            match message {
                ChannelMsg::Success => return Ok(()),
                ChannelMsg::Failure => {
                    return Err(SessionError::Refused {
                        host: self.connection.host.clone(),
                        what,
                        refusal,
                    });
                }
                // Some servers talk before they answer.
                message => self.take(message).await,
            }
        }
        Err(self.connection.disconnected(&self.what))
    }

    async fn run(
        mut self,
        input: Box<dyn AsyncRead + Send + Unpin + '_>,
        mut sizes: mpsc::Receiver<WindowSize>,
    ) -> Result<InteractiveEnd, SessionError> {
        let write = Arc::clone(&self.channel.write);
        let feed = feed(&write, input);
        tokio::pin!(feed);
        let (mut feeding, mut resizes) = (true, true);
        loop {
            tokio::select! {
                message = self.channel.read.next() => match message {
                    Some(message) => self.take(message).await,
                    None => return self.finish(),
                },
                () = &mut feed, if feeding => feeding = false,
                size = sizes.recv(), if resizes => match size {
                    Some(WindowSize { columns, rows }) => {
                        // A connection that is gone is noticed by whoever reads from it.
                        let _ = write.window_change(columns, rows, 0, 0).await;
                    }
                    None => resizes = false,
                },
            }
        }
    }

    async fn take(&mut self, message: ChannelMsg) {
        match message {
            // Where nobody takes the output any more, the command goes on to its end, as with ssh.
            ChannelMsg::Data { data } => {
                let _ = self.stdout.write_all(&data).await;
                let _ = self.stdout.flush().await;
            }
            ChannelMsg::ExtendedData { data, .. } => {
                let _ = self.stderr.write_all(&data).await;
                let _ = self.stderr.flush().await;
            }
            ChannelMsg::ExitStatus { exit_status } => {
                self.end = Some(InteractiveEnd::Status(exit_status));
            }
            ChannelMsg::ExitSignal { signal_name, .. } => {
                self.end = Some(InteractiveEnd::Signal(match signal_name {
                    Sig::Custom(name) => name,
                    known => format!("{known:?}"),
                }));
            }
            _ => {}
        }
    }

    fn finish(self) -> Result<InteractiveEnd, SessionError> {
        if !self.channel.read.closed_by_server() {
            return Err(self.connection.disconnected(&self.what));
        }
        self.end.ok_or_else(|| SessionError::NoStatus {
            host: self.connection.host.clone(),
            command: self.what.trim_matches('`').to_owned(),
            stderr: String::new(),
        })
    }
}

/// Hands the input over as it comes, to its end.
async fn feed(write: &ChannelWriteHalf<Msg>, mut input: Box<dyn AsyncRead + Send + Unpin + '_>) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(read @ 1..) = input.read(&mut chunk).await {
        if write.data_bytes(chunk[..read].to_vec()).await.is_err() {
            return;
        }
    }
    let _ = write.eof().await;
}
