//! A steady stream of requests of four kinds through the balancer, each of which is counted and must be
//! answered as it should.
//!
//! | kind | how many | how |
//! | --- | --- | --- |
//! | fast GETs | 20 a second | each on a connection of its own |
//! | slow GETs | 4 a second, of 2 s each | so 8 are always in flight |
//! | POSTs | 5 a second | with a body of 4 KB |
//! | kept GETs | 20 a second | on 4 connections that are kept open |
//!
//! Nothing is asked twice, with the one exception that RFC 9110 (9.2.2) makes for every client: a kept
//! connection may be closed by the server just as a GET goes out on it. Then, and only if not one byte of
//! an answer came, it is sent once more on a fresh connection. Browsers and libraries do the same.
//!
//! A client that is given several balancers, as by a DNS name with several addresses, takes them in turn, and
//! the next one when one cannot be connected to. A GET of which not one byte of an answer came goes to the
//! next one, too.

use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    thread::JoinHandle,
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::{RwLock, watch},
    task::JoinSet,
    time::{Instant, interval, timeout},
};

/// A request without an answer after this long is lost.
const PATIENCE: Duration = Duration::from_secs(15);

/// A stream ends by itself after this long, so that nothing can leave one running.
const LONGEST: Duration = Duration::from_secs(420);

/// The size of a POST's body.
const BODY: usize = 4096;

/// What became of a stream's requests.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tally {
    /// How many there were.
    pub requests: u64,
    /// How many were lost, by kind and reason.
    pub lost: BTreeMap<String, u64>,
    /// When after the stream's beginning the first one was lost.
    pub first_lost: Option<Duration>,
    /// How many GETs were sent once more.
    pub resent: u64,
}

impl Tally {
    /// How many were lost.
    pub fn lost(&self) -> u64 {
        self.lost.values().sum()
    }
}

/// A stream of requests that runs until it is stopped.
pub struct Load {
    stop: watch::Sender<bool>,
    posts: Arc<RwLock<()>>,
    thread: Option<JoinHandle<Tally>>,
}

impl Load {
    /// Starts the stream to whichever of these balancers, each as `ADDRESS:PORT`, can be connected to.
    pub fn start(balancers: &'static [&'static str]) -> Self {
        let (stop, stopped) = watch::channel(false);
        let posts = Arc::new(RwLock::new(()));
        let gate = posts.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(send_all(balancers, stopped, gate))
        });
        Self {
            stop,
            posts,
            thread: Some(thread),
        }
    }

    /// Does something at a moment when no POST is under way; those that are due wait for it.
    pub fn between_posts<T>(&self, act: impl FnOnce() -> T) -> T {
        let _none = self.posts.blocking_write();
        act()
    }

    /// Stops the stream and waits for the requests that are under way.
    pub fn stop(mut self) -> Tally {
        let _ = self.stop.send(true);
        let thread = self.thread.take().expect("it is stopped once");
        thread.join().expect("the stream")
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Counter {
    began: Instant,
    tally: Mutex<Tally>,
    balancers: &'static [&'static str],
    turn: AtomicUsize,
}

impl Counter {
    fn resend(&self) {
        self.tally.lock().expect("the tally").resent += 1;
    }

    fn count(&self, kind: &str, result: Result<(), String>) {
        let mut tally = self.tally.lock().expect("the tally");
        tally.requests += 1;
        if let Err(reason) = result {
            tally.first_lost.get_or_insert(self.began.elapsed());
            *tally.lost.entry(format!("{kind}: {reason}")).or_default() += 1;
        }
    }
}

async fn send_all(
    balancers: &'static [&'static str],
    stopped: watch::Receiver<bool>,
    posts: Arc<RwLock<()>>,
) -> Tally {
    let counter = Arc::new(Counter {
        began: Instant::now(),
        tally: Mutex::default(),
        balancers,
        turn: AtomicUsize::new(0),
    });
    let fast = every(50, &stopped, |requests| {
        let counter = counter.clone();
        requests.spawn(async move { counter.count("fast GET", get(&counter, "/").await) });
    });
    let slow = every(250, &stopped, |requests| {
        let counter = counter.clone();
        requests.spawn(async move { counter.count("slow GET", get(&counter, "/?sleep=2").await) });
    });
    let post = every(200, &stopped, |requests| {
        let (counter, posts) = (counter.clone(), posts.clone());
        requests.spawn(async move {
            let _under_way = posts.read().await;
            let result = in_time(once(&counter, Method::POST, "/")).await;
            counter.count("POST", result.map_err(|failed| failed.reason));
        });
    });
    let kept = async {
        let mut connections = JoinSet::new();
        for _ in 0..4 {
            connections.spawn(keep_asking(counter.clone(), stopped.clone()));
        }
        while connections.join_next().await.is_some() {}
    };
    tokio::join!(fast, slow, post, kept);
    let tally = counter.tally.lock().expect("the tally");
    tally.clone()
}

/// Calls `send` every so many milliseconds until it is to stop, then waits for all that it has started.
async fn every(
    milliseconds: u64,
    stopped: &watch::Receiver<bool>,
    mut send: impl FnMut(&mut JoinSet<()>),
) {
    let mut stopped = stopped.clone();
    let mut clock = interval(Duration::from_millis(milliseconds));
    let mut requests = JoinSet::new();
    let began = Instant::now();
    while began.elapsed() < LONGEST {
        tokio::select! {
            _ = clock.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => break,
        }
        send(&mut requests);
        while requests.try_join_next().is_some() {}
    }
    while requests.join_next().await.is_some() {}
}

async fn get(counter: &Counter, path: &str) -> Result<(), String> {
    let mut result = in_time(once(counter, Method::GET, path)).await;
    if counter.balancers.len() > 1 && matches!(&result, Err(failed) if failed.nothing_came) {
        counter.resend();
        result = in_time(once(counter, Method::GET, path)).await;
    }
    result.map_err(|failed| failed.reason)
}

/// One request on a connection of its own.
async fn once(counter: &Counter, method: Method, path: &str) -> Result<(), Failed> {
    let mut connection = Connection::open(counter).await?;
    connection.ask(method, path, true).await
}

async fn in_time(request: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    timeout(PATIENCE, request).await.unwrap_or_else(|_| {
        Err(Failed {
            reason: format!("no answer within {PATIENCE:?}"),
            nothing_came: false,
        })
    })
}

/// GETs, one after the other, on one connection for as long as it lasts.
async fn keep_asking(counter: Arc<Counter>, mut stopped: watch::Receiver<bool>) {
    let mut clock = interval(Duration::from_millis(200));
    let mut kept = None::<Connection>;
    while counter.began.elapsed() < LONGEST {
        tokio::select! {
            _ = clock.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        let result = in_time(ask_on(&mut kept, &counter)).await;
        if result.is_err() {
            kept = None;
        }
        counter.count("kept GET", result.map_err(|failed| failed.reason));
    }
}

async fn ask_on(kept: &mut Option<Connection>, counter: &Counter) -> Result<(), Failed> {
    // A connection that was seen closed before anything was sent on it is no longer one.
    if let Some(mut connection) = kept.take().filter(Connection::is_open) {
        match connection.ask(Method::GET, "/", false).await {
            Ok(()) => {
                *kept = Some(connection);
                return Ok(());
            }
            Err(failed) if failed.nothing_came => counter.resend(),
            Err(failed) => return Err(failed),
        }
    }
    let mut connection = Connection::open(counter).await?;
    connection.ask(Method::GET, "/", false).await?;
    *kept = Some(connection);
    Ok(())
}

struct Connection {
    authority: &'static str,
    sender: SendRequest<Full<Bytes>>,
    read: Arc<AtomicU64>,
}

struct Failed {
    reason: String,
    /// Not one byte of an answer came.
    nothing_came: bool,
}

impl Connection {
    /// Opens one to the balancer whose turn it is, or to the next that can be connected to.
    async fn open(counter: &Counter) -> Result<Self, Failed> {
        let first = counter.turn.fetch_add(1, Ordering::Relaxed);
        let mut problem = String::new();
        for number in 0..counter.balancers.len() {
            let authority = counter.balancers[(first + number) % counter.balancers.len()];
            match Self::open_to(authority).await {
                Ok(connection) => return Ok(connection),
                Err(error) => problem = format!("connecting: {error}"),
            }
        }
        Err(Failed {
            reason: problem,
            nothing_came: true,
        })
    }

    /// `ADDRESS:PORT`, with `HOST@` before it for a host that has another name there.
    async fn open_to(to: &'static str) -> Result<Self, String> {
        let (authority, address) = to.split_once('@').unwrap_or((to, to));
        let stream = TcpStream::connect(address)
            .await
            .map_err(|error| error.to_string())?;
        let read = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            stream,
            read: read.clone(),
        };
        let (sender, connection) = http1::handshake(TokioIo::new(counted))
            .await
            .map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(Self {
            authority,
            sender,
            read,
        })
    }

    fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// One request and the whole of its answer.
    async fn ask(&mut self, method: Method, path: &str, last: bool) -> Result<(), Failed> {
        let before = self.read.load(Ordering::SeqCst);
        let result = self.exchange(method, path, last).await;
        let nothing_came = self.read.load(Ordering::SeqCst) == before;
        result.map_err(|reason| Failed {
            reason,
            nothing_came,
        })
    }

    async fn exchange(&mut self, method: Method, path: &str, last: bool) -> Result<(), String> {
        let is_post = method == Method::POST;
        let body = if is_post {
            vec![b'x'; BODY]
        } else {
            Vec::new()
        };
        let wanted = if is_post {
            format!("got {BODY} bytes")
        } else {
            "Hello from ".to_owned()
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.authority);
        if last {
            request = request.header("connection", "close");
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let answer = self
            .sender
            .send_request(request)
            .await
            .map_err(|error| error.to_string())?;
        let status = answer.status();
        let body = answer
            .into_body()
            .collect()
            .await
            .map_err(|error| format!("the answer broke off: {error}"))?
            .to_bytes();
        if status != 200 {
            return Err(format!("answered {status}"));
        }
        let body = String::from_utf8_lossy(&body);
        if body.contains(&wanted) {
            Ok(())
        } else {
            Err(format!("answered `{}`", body.trim()))
        }
    }
}

/// A stream that counts what was read from it.
struct Counted {
    stream: TcpStream,
    read: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let came = buffer.filled().len() - before;
        self.read.fetch_add(came as u64, Ordering::SeqCst);
        polled
    }
}

impl AsyncWrite for Counted {
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
