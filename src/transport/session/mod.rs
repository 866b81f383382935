//! A session: commands, streams and tunnels over one SSH connection.

mod channel;
mod channel_limit;
pub(super) mod client;
pub(super) mod connection;
pub(super) mod disconnect;
mod error;
mod exec;
pub(super) mod link;
mod tunnel;

use std::{fmt, sync::Arc, time::Duration};

use russh::Disconnect;
use tokio::{io::AsyncRead, time::timeout};

use self::{
    channel::{OpenChannel, Purpose, Target, WhenAbandoned},
    connection::Connection,
    exec::{Collected, EachLine, Input, exchange, interact, upload, waited_for_output},
    link::{Link, Reconnect},
};
use crate::{command::RemoteCommand, event::OutputStream, model::HostName};

pub use self::{
    error::{Refusal, SessionError},
    exec::{
        Deadline, Held, HeldEnd, InteractiveEnd, Output, PseudoTerminal, Stdout, Streams,
        WindowSize,
    },
    tunnel::Tunnel,
};

/// A login on one host, over one SSH connection at a time. Clones share it.
///
/// When the connection is lost, what was under way on it fails, and the next command or tunnel opens another. A
/// [`Held`] command ends with its connection and is not started again.
///
/// At most 9 channels (commands, held commands and tunnels, but for those beside) are open at once; one more
/// waits for its place, within its deadline. Dropping the future of a command ends the command, by SIGTERM
/// where the server passes signals on.
#[derive(Clone)]
pub struct Session {
    link: Arc<Link>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("host", self.host())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Without `reconnect` it ends with its connection.
    pub(super) fn new(connection: Arc<Connection>, reconnect: Option<Box<Reconnect>>) -> Self {
        Self {
            link: Arc::new(Link::new(connection, reconnect)),
        }
    }

    /// The connection that it goes over now.
    pub(super) fn connection(&self) -> Arc<Connection> {
        self.link.current()
    }

    /// The host's name in the inventory.
    pub fn host(&self) -> &HostName {
        self.link.host()
    }

    /// The account that is logged in on the host, whoever named it: the inventory, OpenSSH's configuration or
    /// nobody.
    pub fn user(&self) -> String {
        self.link.current().user.clone()
    }

    /// Runs a command to its end, its own standard input included.
    ///
    /// A status other than 0 is no error; more than 16 MiB of standard output are. After a timeout the command is ended and the session can be
    /// used further, as far as the host still answers.
    pub async fn run(
        &self,
        command: &RemoteCommand,
        deadline: Duration,
    ) -> Result<Output, SessionError> {
        let connection = self.link.connection().await?;
        let mut collected = Collected::new();
        let status = exchange(
            &connection,
            command,
            Input::from_command(command),
            Deadline::Total(deadline),
            &mut collected,
        )
        .await?;
        Ok(collected.into_output(status))
    }

    /// Runs a command and hands over each line it prints as it comes, without its newline; a last line
    /// that has none as well. Returns the exit status.
    ///
    /// Nothing more is taken from the host before `on_line` has taken a line, and the whole connection waits
    /// with it: russh hands all channels of a connection over in turn.
    pub async fn run_streaming<Taken: Future<Output = ()> + Send>(
        &self,
        command: &RemoteCommand,
        deadline: Deadline,
        on_line: impl FnMut(OutputStream, String) -> Taken + Send,
    ) -> Result<u32, SessionError> {
        let connection = self.link.connection().await?;
        let mut lines = EachLine::new(on_line);
        let input = Input::from_command(command);
        let result = exchange(&connection, command, input, deadline, &mut lines).await;
        lines.end().await;
        match deadline {
            Deadline::Total(_) => result,
            Deadline::Idle(_) => result.map_err(|error| waited_for_output(error, command)),
        }
    }

    /// Runs a command and streams `input` to its standard input, as fast as the host takes it.
    ///
    /// `on_bytes` gets the bytes handed over so far, each time some were. The deadline is one of
    /// idleness: it begins anew whenever bytes were handed over or the command printed something.
    pub async fn send(
        &self,
        command: &RemoteCommand,
        input: impl AsyncRead + Send + Unpin,
        idle_deadline: Duration,
        on_bytes: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Output, SessionError> {
        let connection = self.link.connection().await?;
        let mut collected = Collected::new();
        let status = exchange(
            &connection,
            command,
            Input::Stream(Box::new(input), on_bytes),
            Deadline::Idle(idle_deadline),
            &mut collected,
        )
        .await?;
        Ok(collected.into_output(status))
    }

    /// Runs a command whose standard output is read from here, as it comes. It begins when that is first
    /// read.
    ///
    /// The deadline is one of idleness: it begins anew whenever the command printed something.
    pub fn stdout(&self, command: RemoteCommand, idle_deadline: Duration) -> Stdout {
        Stdout::new(Arc::clone(&self.link), command, idle_deadline)
    }

    /// Starts a command that is to run for long and be talked to; it lives until the [`Held`] is dropped.
    pub async fn hold(
        &self,
        command: &RemoteCommand,
        deadline: Duration,
    ) -> Result<Held, SessionError> {
        tracing::debug!(host = %self.host(), %command, "holds");
        Held::start(&self.link.connection().await?, command, deadline).await
    }

    /// Runs a command that a person or a pipe talks to, or without one the account's login shell, until it ends. With
    /// `terminal` the server makes one for it. The command's own standard input is not sent.
    ///
    /// `deadline` is for the start. After that it takes as long as it takes: the connection's keepalive notices a host
    /// that is gone.
    pub async fn interact(
        &self,
        command: Option<&RemoteCommand>,
        terminal: Option<&PseudoTerminal>,
        streams: Streams<'_>,
        deadline: Duration,
    ) -> Result<InteractiveEnd, SessionError> {
        tracing::debug!(host = %self.host(), ?command, terminal = terminal.is_some(), "talks to");
        let connection = self.link.connection().await?;
        interact(&connection, command, terminal, streams, deadline).await
    }

    /// Opens a TCP connection from the host to `host:port`, as seen from there.
    ///
    /// It counts as a channel for as long as it lives. What comes out of it must be read: more than 8 MiB that are not
    /// stop the connection's other channels, which russh hands over in turn.
    pub async fn tunnel(
        &self,
        host: &str,
        port: u16,
        deadline: Duration,
    ) -> Result<Tunnel, SessionError> {
        tracing::debug!(host = %self.host(), target = format!("{host}:{port}"), "opens a tunnel");
        self.open_tunnel(host, port, Purpose::Question, deadline)
            .await
    }

    /// A [`tunnel`](Self::tunnel) that takes no channel's place, for a stream of requests: however many of
    /// them are under way, commands and other tunnels do not wait for them. Who opens these bounds their
    /// number.
    pub async fn tunnel_beside(
        &self,
        host: &str,
        port: u16,
        deadline: Duration,
    ) -> Result<Tunnel, SessionError> {
        self.open_tunnel(host, port, Purpose::Stream, deadline)
            .await
    }

    /// A tunnel for another connection, which takes no channel's place.
    pub(super) async fn carry(
        &self,
        host: &str,
        port: u16,
        deadline: Duration,
    ) -> Result<Tunnel, SessionError> {
        self.open_tunnel(host, port, Purpose::Jump, deadline).await
    }

    async fn open_tunnel(
        &self,
        host: &str,
        port: u16,
        purpose: Purpose,
        deadline: Duration,
    ) -> Result<Tunnel, SessionError> {
        let kind = match purpose {
            Purpose::Question | Purpose::Stream => "tunnel",
            Purpose::Jump => "connection",
        };
        let what = format!("a {kind} to {host}:{port}");
        let target = Target::Tcp {
            host: host.to_owned(),
            port,
            purpose,
        };
        let when_abandoned = WhenAbandoned::HangUp;
        let connection = self.link.connection().await?;
        OpenChannel::open(&connection, target, &what, deadline, when_abandoned)
            .await
            .map(Tunnel::new)
    }

    /// Places a file: writes `content` beside `to`, sets `mode`, and moves it there in one step, so that
    /// nobody ever sees half of it. With `sudo` root does so and owns it.
    ///
    /// The content travels by standard input and is in no argument. The folder must exist.
    pub async fn upload(
        &self,
        content: &[u8],
        to: &str,
        mode: u32,
        sudo: bool,
        deadline: Duration,
    ) -> Result<(), SessionError> {
        let connection = self.link.connection().await?;
        upload(&connection, content, to, mode, sudo, deadline).await
    }

    /// Whether sshd has refused to open another command beside those that were open (its `MaxSessions`).
    pub fn was_refused_a_session(&self) -> bool {
        self.link.current().channels.is_lowered()
    }

    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.link.current().is_closed()
    }

    /// Whether the connection has ended, or did not answer when it was last asked.
    pub fn is_lost(&self) -> bool {
        self.link.current().is_lost()
    }

    /// Says goodbye. All clones of the session end with it.
    pub async fn close(&self) {
        self.link.close();
        let connection = self.link.current();
        let goodbye = connection
            .handle
            .disconnect(Disconnect::ByApplication, "", "");
        // A host that takes nothing any more need not hear it.
        let _ = timeout(Duration::from_secs(2), goodbye).await;
    }
}
