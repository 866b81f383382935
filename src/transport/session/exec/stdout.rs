//! What a command prints, as something to read from.

use std::{
    collections::VecDeque,
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::io::{AsyncRead, ReadBuf};

use super::{
    exchange::{Deadline, Input, brief, exchange},
    output::Output,
    sink::Pieces,
};
use crate::{
    command::RemoteCommand,
    event::OutputStream,
    text::Tail,
    transport::session::{error::SessionError, link::Link},
};

/// The standard output of a command that runs while this is read. Dropped before its end, it ends the
/// command.
///
/// It takes no more from the host than is read, and holds up the whole connection meanwhile: russh hands all
/// channels of a connection over in turn. So whoever reads must not wait for something slow in between, such
/// as another host.
///
/// It reads to its end only when the command exits with 0; [`Stdout::into_end`] says how else it ended.
pub struct Stdout {
    running: Pin<Box<dyn Future<Output = Result<u32, SessionError>> + Send>>,
    printed: Arc<Mutex<Printed>>,
    end: Option<Result<u32, SessionError>>,
}

#[derive(Default)]
struct Printed {
    /// What has come and was not read yet; as much as one look at the channel gave.
    stdout: VecDeque<u8>,
    stderr: Tail,
}

impl fmt::Debug for Stdout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdout")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl Stdout {
    pub(in crate::transport::session) fn new(
        link: Arc<Link>,
        command: RemoteCommand,
        idle_deadline: Duration,
    ) -> Self {
        let printed = Arc::<Mutex<Printed>>::default();
        let sink = Arc::clone(&printed);
        let running = async move {
            let mut take = Pieces::new(|stream, bytes: &[u8]| {
                let mut printed = lock(&sink);
                match stream {
                    OutputStream::Stdout => printed.stdout.extend(bytes),
                    OutputStream::Stderr => printed.stderr.add(bytes),
                }
            });
            let (input, deadline) = (Input::from_command(&command), Deadline::Idle(idle_deadline));
            let connection = link.connection().await?;
            let ended = exchange(&connection, &command, input, deadline, &mut take).await;
            ended.map_err(|error| waited_for_output(error, &command))
        };
        Self {
            running: Box::pin(running),
            printed,
            end: None,
        }
    }

    /// How the command ended, with what it printed as an error; `None` when it had not ended when reading
    /// did.
    pub fn into_end(self) -> Option<Result<Output, SessionError>> {
        let stderr = std::mem::take(&mut lock(&self.printed).stderr).into_text();
        let output = |status| Output {
            status,
            stdout: String::new(),
            stderr,
        };
        self.end.map(|end| end.map(output))
    }
}

/// What is waited for is said as of a command that is given something; this one gives.
pub(in crate::transport) fn waited_for_output(
    error: SessionError,
    command: &RemoteCommand,
) -> SessionError {
    match error {
        SessionError::Timeout {
            host,
            what: _,
            after,
            connection: false,
        } => SessionError::Timeout {
            host,
            what: format!("`{}` to print more, or to end", brief(command)),
            after,
            connection: false,
        },
        other => other,
    }
}

fn lock(printed: &Mutex<Printed>) -> MutexGuard<'_, Printed> {
    printed.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AsyncRead for Stdout {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut printed = lock(&self.printed);
            if !printed.stdout.is_empty() {
                let (piece, _) = printed.stdout.as_slices();
                let length = piece.len().min(buffer.remaining());
                buffer.put_slice(&piece[..length]);
                printed.stdout.drain(..length);
                return Poll::Ready(Ok(()));
            }
            drop(printed);
            match &self.end {
                Some(Ok(0)) => return Poll::Ready(Ok(())),
                Some(end) => {
                    let why = match end {
                        Ok(status) => format!("the command failed with status {status}"),
                        Err(error) => error.to_string(),
                    };
                    return Poll::Ready(Err(io::Error::other(why)));
                }
                None => {}
            }
            match self.running.as_mut().poll(context) {
                Poll::Ready(end) => self.end = Some(end),
                Poll::Pending if lock(&self.printed).stdout.is_empty() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }
}
