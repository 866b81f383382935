//! One command on one channel: its input goes in, its output comes out, and it ends in one of the ways
//! a command can end.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use russh::{ChannelMsg, ChannelWriteHalf, Sig, client::Msg};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, sleep_until},
};

use super::sink::Sink;
use crate::{
    command::RemoteCommand,
    event::OutputStream,
    text::{self, Tail},
    transport::session::{
        channel::{OpenChannel, Target, WhenAbandoned},
        connection::Connection,
        error::{Refusal, SessionError},
    },
};

/// What one read of an input stream takes at most; as much as a packet carries.
const CHUNK: usize = 32 * 1024;

/// What goes to a command's standard input.
pub(in crate::transport) enum Input<'a> {
    Nothing,
    Secret(&'a SecretString),
    Stream(
        Box<dyn AsyncRead + Send + Unpin + 'a>,
        &'a mut (dyn FnMut(u64) + Send),
    ),
}

impl<'a> Input<'a> {
    pub(in crate::transport) fn from_command(command: &'a RemoteCommand) -> Self {
        command.stdin().map_or(Self::Nothing, Self::Secret)
    }
}

/// How long a command may take. Time in which its output waits to be taken does not count.
#[derive(Debug, Clone, Copy)]
pub enum Deadline {
    /// From the call to the end.
    Total(Duration),
    /// From one sign of life to the next.
    Idle(Duration),
}

impl Deadline {
    fn duration(self) -> Duration {
        match self {
            Self::Total(duration) | Self::Idle(duration) => duration,
        }
    }
}

/// Runs a command on a channel of its own, to its end. Returns the exit status.
pub(in crate::transport) async fn exchange(
    connection: &Arc<Connection>,
    command: &RemoteCommand,
    input: Input<'_>,
    deadline: Deadline,
    sink: &mut dyn Sink,
) -> Result<u32, SessionError> {
    tracing::debug!(host = %connection.host, %command, "runs");
    let begun = Instant::now();
    let what = format!("`{}`", brief(command));
    let open = OpenChannel::open(
        connection,
        Target::Session,
        &what,
        deadline.duration(),
        WhenAbandoned::Terminate,
    );
    let channel = open.await?;
    Exchange::new(connection, channel, command)
        .run(input, begun, deadline, sink)
        .await
}

/// A command on its channel.
struct Exchange<'a> {
    connection: &'a Arc<Connection>,
    channel: OpenChannel,
    command: &'a RemoteCommand,
    started: bool,
    end: Option<End>,
    stderr: Tail,
}

/// How the command ended, by the server's word.
#[derive(Debug)]
enum End {
    Status(u32),
    Signal(String),
}

impl<'a> Exchange<'a> {
    fn new(
        connection: &'a Arc<Connection>,
        channel: OpenChannel,
        command: &'a RemoteCommand,
    ) -> Self {
        Self {
            connection,
            channel,
            command,
            started: false,
            end: None,
            stderr: Tail::default(),
        }
    }

    /// Runs the command; `begun` is when the caller's deadline began.
    async fn run(
        mut self,
        input: Input<'_>,
        mut begun: Instant,
        deadline: Deadline,
        sink: &mut dyn Sink,
    ) -> Result<u32, SessionError> {
        let write = Arc::clone(&self.channel.write);
        let progress = Progress::new();
        let feed = feed(&write, self.command.to_wire(), input, &progress);
        tokio::pin!(feed);
        let mut feeding = true;

        loop {
            let expiry = match deadline {
                Deadline::Total(duration) => begun + duration,
                Deadline::Idle(duration) => progress.last() + duration,
            };
            tokio::select! {
                message = self.channel.read.next() => {
                    progress.touch();
                    match message {
                        Some(message) => {
                            self.take(message, sink)?;
                            if sink.is_full() {
                                return Err(too_much(self.connection, self.command));
                            }
                            // The time that the reader takes is not the command's.
                            let full = Instant::now();
                            sink.room().await;
                            begun += full.elapsed();
                            progress.touch();
                        }
                        None => return self.finish(),
                    }
                }
                result = &mut feed, if feeding => {
                    feeding = false;
                    result.map_err(|source| SessionError::Input {
                        host: self.connection.host.clone(),
                        source,
                    })?;
                }
                () = sleep_until(expiry) => {
                    // The input may have moved on since the expiry was computed.
                    let idle = matches!(deadline, Deadline::Idle(idle) if progress.last() + idle > Instant::now());
                    if !idle {
                        return Err(self.timed_out(deadline, progress.bytes()));
                    }
                }
            }
        }
    }

    fn take(&mut self, message: ChannelMsg, sink: &mut dyn Sink) -> Result<(), SessionError> {
        match message {
            ChannelMsg::Success => self.started = true,
            ChannelMsg::Failure if !self.started => {
                return Err(SessionError::Refused {
                    host: self.connection.host.clone(),
                    what: self.what(),
                    refusal: Refusal::Exec,
                });
            }
            ChannelMsg::Data { data } => sink.take(OutputStream::Stdout, &data),
            // 1 is the only kind of extended data there is (RFC 4254, 5.2).
            ChannelMsg::ExtendedData { data, .. } => {
                self.stderr.add(&data);
                sink.take(OutputStream::Stderr, &data);
            }
            ChannelMsg::ExitStatus { exit_status } => self.end = Some(End::Status(exit_status)),
            ChannelMsg::ExitSignal { signal_name, .. } => {
                self.end = Some(End::Signal(signal(signal_name)));
            }
            _ => {}
        }
        Ok(())
    }

    /// The channel is closed, or the connection gone. An exit status alone is not enough: sshd sends it
    /// when the command exits, and what the command printed may come after it.
    fn finish(self) -> Result<u32, SessionError> {
        if !self.channel.read.closed_by_server() {
            return Err(self.connection.disconnected(&self.what()));
        }
        let host = self.connection.host.clone();
        let command = brief(self.command);
        let stderr = self.stderr.into_text();
        match self.end {
            Some(End::Status(status)) => Ok(status),
            Some(End::Signal(signal)) => Err(SessionError::Killed {
                host,
                command,
                signal,
                stderr,
            }),
            None => Err(SessionError::NoStatus {
                host,
                command,
                stderr,
            }),
        }
    }

    fn timed_out(&self, deadline: Deadline, bytes: u64) -> SessionError {
        let command = self.what();
        let what = match (&self.end, deadline) {
            (Some(End::Status(status)), _) => {
                format!("the output of {command} to close after it exited with status {status}")
            }
            (Some(End::Signal(signal)), _) => {
                format!("the output of {command} to close after it was ended by signal {signal}")
            }
            (None, _) if !self.started => format!("{command} to be started"),
            (None, Deadline::Total(_)) => format!("{command} to end"),
            (None, Deadline::Idle(_)) => {
                format!("{command} to take more than the first {bytes} bytes, or to end")
            }
        };
        if !self.started {
            self.connection.note_answer(false);
        }
        SessionError::Timeout {
            host: self.connection.host.clone(),
            what,
            after: deadline.duration(),
            connection: !self.started,
        }
    }

    fn what(&self) -> String {
        format!("`{}`", brief(self.command))
    }
}

/// Asks for the command and hands its input over. An end of the channel is not this one's to report.
async fn feed(
    write: &ChannelWriteHalf<Msg>,
    wire: String,
    input: Input<'_>,
    progress: &Progress,
) -> io::Result<()> {
    if write.exec(true, wire).await.is_err() {
        return Ok(());
    }
    match input {
        Input::Nothing => {}
        Input::Secret(secret) => {
            let bytes = secret.expose_secret().as_bytes().to_vec();
            if write.data_bytes(bytes).await.is_err() {
                return Ok(());
            }
        }
        Input::Stream(mut stream, on_bytes) => loop {
            let mut chunk = vec![0; CHUNK];
            let read = stream.read(&mut chunk).await?;
            if read == 0 {
                break;
            }
            chunk.truncate(read);
            if write.data_bytes(chunk).await.is_err() {
                return Ok(());
            }
            on_bytes(progress.add(read as u64));
        },
    }
    let _ = write.eof().await;
    Ok(())
}

/// When something last moved, and how many bytes were handed over.
struct Progress(Mutex<(Instant, u64)>);

impl Progress {
    fn new() -> Self {
        Self(Mutex::new((Instant::now(), 0)))
    }

    fn touch(&self) {
        self.add(0);
    }

    fn add(&self, bytes: u64) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = Instant::now();
        state.1 += bytes;
        state.1
    }

    fn last(&self) -> Instant {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn bytes(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

/// A command whose output is read, and is more than that.
fn too_much(connection: &Connection, command: &RemoteCommand) -> SessionError {
    SessionError::TooMuch {
        host: connection.host.clone(),
        command: brief(command),
    }
}

/// The command as an error shows it: one line of a bearable length.
pub(super) fn brief(command: &RemoteCommand) -> String {
    const LONGEST: usize = 80;
    let wire = command.to_wire();
    let line = wire.split_whitespace().collect::<Vec<_>>().join(" ");
    text::cut(&line, LONGEST)
}

fn signal(signal: Sig) -> String {
    match signal {
        Sig::Custom(name) => name,
        known => format!("{known:?}"),
    }
}
