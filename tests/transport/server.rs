//! An SSH server that does as it is told.

use std::{
    collections::HashMap,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use russh::{
    Channel, ChannelId, ChannelMsg, ChannelOpenFailure, Disconnect, MethodKind, MethodSet, Sig,
    keys::{Algorithm, Certificate, PrivateKey, PublicKey, key::safe_rng},
    server::{self, Auth, ChannelOpenHandle, Msg, PublicKeyOffer, Session, VerifiedPublicKey},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::Notify,
    task::AbortHandle,
};

/// What the server does when a command comes.
#[derive(Clone)]
pub enum Act {
    Out(Vec<u8>),
    Err(Vec<u8>),
    /// The same again and again, so many times or until nobody takes it.
    Flood(Vec<u8>, usize),
    FloodErr(Vec<u8>, usize),
    /// Sends what comes on standard input back, until it ends.
    Echo,
    /// Reads so many bytes of standard input and no more.
    Take(usize),
    Status(u32),
    Signal(Sig),
    /// Says nothing more and keeps the channel open.
    Stall,
    /// Goes on once the test says so.
    #[allow(
        dead_code,
        reason = "this file is in several tests, and not all use it"
    )]
    Until(Arc<Notify>),
    /// Drops the whole connection.
    Disconnect(&'static str),
    /// Runs the command with this machine's `sh`.
    Shell,
    /// Does so with this folder as home and its `bin` first in the path, and drops the whole connection when so many
    /// bytes of standard input have come.
    #[allow(
        dead_code,
        reason = "this file is in several tests, and not all use it"
    )]
    ShellAt(PathBuf, usize),
    /// Refuses to run it.
    Refuse,
}

pub fn out(text: &str) -> Act {
    Act::Out(text.as_bytes().to_vec())
}

type Script = Arc<dyn Fn(&str) -> Vec<Act> + Send + Sync>;

/// A server's behaviour.
#[derive(Clone)]
pub struct Behaviour {
    pub host_keys: Vec<PrivateKey>,
    pub certificates: Vec<Certificate>,
    pub users: Vec<PublicKey>,
    /// Who may sign users' certificates.
    pub authorities: Vec<PublicKey>,
    pub max_attempts: usize,
    pub script: Script,
    /// Sessions at once, as sshd's `MaxSessions`.
    pub max_sessions: usize,
    pub forwarding: bool,
    /// Accepts connections and never says a word.
    pub mute: bool,
    /// Never answers when a channel is asked for, on so many connections from the first.
    pub no_channels: usize,
    /// Whether it leaves those who ask for a channel now without an answer.
    pub is_stalled: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Takes no connection beyond so many.
    pub most_connections: usize,
}

impl Behaviour {
    pub fn new(user: &PrivateKey) -> Self {
        Self {
            host_keys: vec![ed25519()],
            certificates: Vec::new(),
            users: vec![user.public_key().clone()],
            authorities: Vec::new(),
            max_attempts: 6,
            script: Arc::new(|_| vec![Act::Status(0)]),
            max_sessions: 10,
            forwarding: true,
            mute: false,
            no_channels: 0,
            is_stalled: Arc::new(|| false),
            most_connections: usize::MAX,
        }
    }

    pub fn script(mut self, script: impl Fn(&str) -> Vec<Act> + Send + Sync + 'static) -> Self {
        self.script = Arc::new(script);
        self
    }

    pub async fn start(self) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let host_key = self.host_keys[0].public_key().clone();
        let seen = Arc::new(Seen::default());
        let config = Arc::new(server::Config {
            keys: self.host_keys.clone(),
            certificates: self.certificates.clone(),
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            max_auth_attempts: self.max_attempts,
            methods: MethodSet::from(&[MethodKind::PublicKey][..]),
            inactivity_timeout: None,
            nodelay: true,
            ..server::Config::default()
        });
        let behaviour = Arc::new(self);
        let accepting = tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                let mut muted = Vec::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let number = 1 + seen.connections.fetch_add(1, Ordering::SeqCst);
                    if number > behaviour.most_connections {
                        continue;
                    }
                    if behaviour.mute {
                        muted.push(stream);
                        continue;
                    }
                    stream.set_nodelay(true).unwrap();
                    let handler = Handler {
                        number,
                        behaviour: Arc::clone(&behaviour),
                        seen: Arc::clone(&seen),
                        channels: HashMap::new(),
                        sessions: Arc::default(),
                        waiting: Vec::new(),
                    };
                    let config = Arc::clone(&config);
                    tokio::spawn(async move {
                        if let Ok(session) = server::run_stream(config, stream, handler).await {
                            let _ = session.await;
                        }
                    });
                }
            }
        });
        Server {
            port,
            host_key,
            seen,
            accepting: accepting.abort_handle(),
        }
    }
}

pub fn ed25519() -> PrivateKey {
    PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap()
}

pub struct Server {
    pub port: u16,
    pub host_key: PublicKey,
    pub seen: Arc<Seen>,
    accepting: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What the server saw.
#[derive(Default)]
pub struct Seen {
    pub connections: AtomicUsize,
    pub most_sessions: AtomicUsize,
    pub commands: Mutex<Vec<String>>,
    pub signals: Mutex<Vec<String>>,
    /// Terminals that were asked for, and their later sizes.
    pub terminals: Mutex<Vec<String>>,
    pub offers: Mutex<Vec<String>>,
    pub signatures: Mutex<Vec<String>>,
}

struct Handler {
    /// Which connection it is, from 1.
    number: usize,
    behaviour: Arc<Behaviour>,
    seen: Arc<Seen>,
    channels: HashMap<ChannelId, Channel<Msg>>,
    sessions: Arc<AtomicUsize>,
    waiting: Vec<ChannelOpenHandle>,
}

impl server::Handler for Handler {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        let seen = format!("{}", offer.algorithm);
        self.seen.offers.lock().unwrap().push(seen);
        // Here russh does not tell a certificate from its key.
        if self.behaviour.authorities.is_empty() {
            Ok(self.judge(offer.public_key))
        } else {
            Ok(Auth::Accept)
        }
    }

    async fn auth_publickey(
        &mut self,
        _: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        let seen = format!("{}", key.algorithm);
        self.seen.signatures.lock().unwrap().push(seen);
        Ok(self.judge(key.public_key))
    }

    async fn auth_openssh_certificate(
        &mut self,
        _: &str,
        certificate: &Certificate,
    ) -> Result<Auth, russh::Error> {
        let seen = format!("{} of a certificate", certificate.algorithm());
        self.seen.signatures.lock().unwrap().push(seen);
        let authority = certificate.signature_key();
        let authorities = &self.behaviour.authorities;
        let known = authorities.iter().any(|key| key.key_data() == authority);
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        if self.number <= self.behaviour.no_channels || (self.behaviour.is_stalled)() {
            self.waiting.push(reply);
            return Ok(());
        }
        let open = self.sessions.load(Ordering::SeqCst);
        if open >= self.behaviour.max_sessions {
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
            return Ok(());
        }
        self.sessions.fetch_add(1, Ordering::SeqCst);
        self.seen
            .most_sessions
            .fetch_max(open + 1, Ordering::SeqCst);
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        if (self.behaviour.is_stalled)() {
            self.waiting.push(reply);
            return Ok(());
        }
        if !self.behaviour.forwarding {
            reply
                .reject(ChannelOpenFailure::AdministrativelyProhibited)
                .await;
            return Ok(());
        }
        let target = (host.to_owned(), u16::try_from(port).unwrap());
        tokio::spawn(async move {
            match TcpStream::connect(target).await {
                Ok(mut target) => {
                    reply.accept().await;
                    let mut stream = channel.into_stream();
                    let _ = copy_bidirectional(&mut stream, &mut target).await;
                }
                Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
            }
        });
        Ok(())
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        term: &str,
        columns: u32,
        rows: u32,
        _: u32,
        _: u32,
        modes: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let modes: Vec<_> = modes
            .iter()
            .map(|(mode, value)| format!("{mode:?}={value}"))
            .collect();
        let terminal = format!("{term} {columns}x{rows} {}", modes.join(" "));
        self.seen.terminals.lock().unwrap().push(terminal);
        session.channel_success(id)
    }

    async fn window_change_request(
        &mut self,
        _: ChannelId,
        columns: u32,
        rows: u32,
        _: u32,
        _: u32,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        let mut terminals = self.seen.terminals.lock().unwrap();
        terminals.push(format!("{columns}x{rows}"));
        Ok(())
    }

    async fn shell_request(
        &mut self,
        id: ChannelId,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.exec_request(id, b"(login shell)", session).await
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let command = String::from_utf8_lossy(command).into_owned();
        self.seen.commands.lock().unwrap().push(command.clone());
        let acts = (self.behaviour.script)(&command);
        if let Some(Act::Refuse) = acts.first() {
            self.sessions.fetch_sub(1, Ordering::SeqCst);
            return session.channel_failure(id);
        }
        session.channel_success(id)?;
        let channel = self.channels.remove(&id).unwrap();
        let process = Process {
            channel,
            handle: session.handle(),
            sessions: Arc::clone(&self.sessions),
        };
        tokio::spawn(process.run(command, acts));
        Ok(())
    }

    async fn signal(
        &mut self,
        _: ChannelId,
        signal: Sig,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        let mut signals = self.seen.signals.lock().unwrap();
        signals.push(format!("{signal:?}"));
        Ok(())
    }
}

impl Handler {
    fn judge(&self, key: &PublicKey) -> Auth {
        let known = self
            .behaviour
            .users
            .iter()
            .any(|user| user.key_data() == key.key_data());
        if known { Auth::Accept } else { Auth::reject() }
    }
}

struct Process {
    channel: Channel<Msg>,
    handle: server::Handle,
    sessions: Arc<AtomicUsize>,
}

impl Process {
    async fn run(mut self, command: String, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Out(bytes) => self.channel.data(&bytes[..]).await.unwrap(),
                Act::Err(bytes) => self.channel.extended_data(1, &bytes[..]).await.unwrap(),
                Act::Flood(bytes, times) => {
                    for _ in 0..times {
                        if self.channel.data(&bytes[..]).await.is_err() {
                            return;
                        }
                    }
                }
                Act::FloodErr(bytes, times) => {
                    for _ in 0..times {
                        if self.channel.extended_data(1, &bytes[..]).await.is_err() {
                            return;
                        }
                    }
                }
                Act::Echo => self.echo().await,
                Act::Take(bytes) => self.take(bytes).await,
                Act::Status(status) => self.channel.exit_status(status).await.unwrap(),
                Act::Signal(signal) => {
                    let id = self.channel.id();
                    let none = String::new;
                    let sent = self
                        .handle
                        .exit_signal_request(id, signal, false, none(), none());
                    sent.await.unwrap();
                }
                Act::Stall => self.stall().await,
                Act::Until(said) => said.notified().await,
                Act::Disconnect(reason) => return self.disconnect(reason).await,
                Act::Shell => {
                    let mut shell = Command::new("sh");
                    self.shell(shell.arg("-c").arg(&command), usize::MAX).await;
                }
                Act::ShellAt(home, most) => {
                    let path = std::env::var("PATH").unwrap();
                    let path = format!("{}/bin:{path}", home.display());
                    let mut shell = Command::new("sh");
                    shell.args(["-c", &command]).env("HOME", &home);
                    shell.env_remove("XDG_CACHE_HOME").env("PATH", path);
                    if self.shell(&mut shell, most).await {
                        return self.disconnect("cut").await;
                    }
                }
                Act::Refuse => {}
            }
        }
        let _ = self.channel.eof().await;
        self.sessions.fetch_sub(1, Ordering::SeqCst);
        let _ = self.channel.close().await;
    }

    async fn echo(&mut self) {
        while let Some(message) = self.channel.wait().await {
            match message {
                ChannelMsg::Data { data } => self.channel.data(&data[..]).await.unwrap(),
                ChannelMsg::Eof => return,
                _ => {}
            }
        }
    }

    async fn take(&mut self, wanted: usize) {
        let mut taken = 0;
        while taken < wanted {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => taken += data.len(),
                Some(ChannelMsg::Eof) | None => return,
                Some(_) => {}
            }
        }
    }

    /// Until the client closes the channel, as sshd keeps a session until then.
    async fn stall(&mut self) {
        while let Some(message) = self.channel.wait().await {
            if matches!(message, ChannelMsg::Close) {
                return;
            }
        }
    }

    async fn disconnect(&self, reason: &str) {
        let reason = reason.to_owned();
        let sent = self
            .handle
            .disconnect(Disconnect::ByApplication, reason, String::new());
        let _ = sent.await;
    }

    /// Runs it with no more standard input than `most` bytes. Whether that was not all, so that it heard of no end.
    async fn shell(&mut self, command: &mut Command, most: usize) -> bool {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take();
        let mut left = most;
        while let Some(pipe) = &mut stdin {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => {
                    let taken = data.len().min(left);
                    left -= taken;
                    if pipe.write_all(&data[..taken]).await.is_err() || left == 0 {
                        stdin = None;
                    }
                }
                Some(ChannelMsg::Eof) | None => stdin = None,
                Some(_) => {}
            }
        }
        let mut stdout = Vec::new();
        let mut stderr = Vec::new();
        let mut pipe = child.stdout.take().unwrap();
        pipe.read_to_end(&mut stdout).await.unwrap();
        let mut pipe = child.stderr.take().unwrap();
        pipe.read_to_end(&mut stderr).await.unwrap();
        let status = child.wait().await.unwrap().code().unwrap();
        if left == 0 {
            return true;
        }
        self.channel.data(&stdout[..]).await.unwrap();
        self.channel.extended_data(1, &stderr[..]).await.unwrap();
        self.channel
            .exit_status(u32::try_from(status).unwrap())
            .await
            .unwrap();
        false
    }
}
