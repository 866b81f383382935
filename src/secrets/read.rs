//! Reads one value. Each way has a deadline and a limit: a pipe may have nobody at its other end, and a command may
//! print for ever.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Command,
    sync::oneshot,
};

use crate::text::{self, Tail};

/// The most that a variable of a container may have, with its name: Linux gives a program no longer one
/// (`MAX_ARG_STRLEN`).
pub const LONGEST: usize = 128 * 1024;

/// The deadline of a secret's command, which may ask a vault over the network, and of a file, which may be a pipe.
const DEADLINE: Duration = Duration::from_secs(60);

/// The deadline of a file that is only read to know what must not be shown.
const SOON: Duration = Duration::from_secs(2);

/// Why there is no value.
pub struct Failure {
    /// The fact.
    pub cause: String,
    /// What came before it failed, and may be a part of the value.
    pub came: String,
}

impl From<String> for Failure {
    fn from(cause: String) -> Self {
        let came = String::new();
        Self { cause, came }
    }
}

/// What a file has, or who writes to a pipe.
pub async fn file(path: &Path, deadline: Option<Duration>) -> Result<String, String> {
    let deadline = deadline.unwrap_or(DEADLINE);
    let shown = path.display();
    let read = on_a_thread(path.to_owned(), read);
    let read = tokio::time::timeout(deadline, read).await;
    let bytes = read.map_err(|_| {
        let deadline = text::duration(deadline);
        format!("nothing came from {shown} within {deadline}; is it a pipe that nobody writes to?")
    })?;
    let bytes = bytes.map_err(|error| format!("cannot read {shown}: {error}"))?;
    if bytes.len() > LONGEST {
        return Err(format!("{shown} has more than {}", limit()));
    }
    String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8"))
}

/// What a file has that can be read at once, without anybody at its other end.
pub async fn plain_file(path: &Path) -> Option<String> {
    let is_file = |path: &Path| std::fs::metadata(path).is_ok_and(|it| it.is_file());
    let read = on_a_thread(path.to_owned(), move |path| {
        is_file(path).then(|| read(path)).transpose()
    });
    let bytes = tokio::time::timeout(SOON, read).await.ok()?.ok()??;
    String::from_utf8(bytes).ok()
}

/// What a script prints.
pub async fn command(script: &str, folder: &Path) -> Result<String, Failure> {
    let mut child = Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("could not be run: {error}"))?;
    let (mut printed, mut said) = (Vec::new(), Tail::default());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = async {
        tokio::join!(value(stdout, &mut printed), all(stderr, &mut said));
        if printed.len() > LONGEST {
            return Ok(None);
        }
        child.wait().await.map(Some)
    };
    let ended = tokio::time::timeout(DEADLINE, ended).await;
    let came = || String::from_utf8_lossy(&printed).into_owned();
    let failed = |cause: String| Failure {
        cause,
        came: came(),
    };
    let status = ended
        .map_err(|_| failed(format!("did not end within {}", text::duration(DEADLINE))))?
        .map_err(|error| failed(format!("could not be run: {error}")))?
        .ok_or_else(|| failed(format!("printed more than {}", limit())))?;
    if !status.success() {
        let said = said.into_text();
        let said = text::complaint(&said);
        let said = said.as_deref().unwrap_or("no output");
        return Err(failed(format!("failed ({status}): {said}")));
    }
    String::from_utf8(printed).map_err(|_| "printed something that is not UTF-8".to_owned().into())
}

/// What a message calls the limit.
pub fn limit() -> String {
    format!("{} KiB, the most that a variable can hold", LONGEST / 1024)
}

/// Reads on a thread of its own, which nobody waits for when it hangs: whoever opens a pipe waits for its writer.
async fn on_a_thread<T: Send + 'static>(
    path: PathBuf,
    read: impl FnOnce(&Path) -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new().spawn(move || {
        let _ = sender.send(read(&path));
    })?;
    receiver.await.map_err(std::io::Error::other)?
}

/// The first bytes of a file: enough to know that it has too many.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = LONGEST as u64 + 1;
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

async fn value(stream: Option<impl AsyncRead + Unpin>, printed: &mut Vec<u8>) {
    if let Some(stream) = stream {
        // What cannot be read any more is over; the exit status says whether it is whole.
        let _ = stream.take(LONGEST as u64 + 1).read_to_end(printed).await;
    }
}

async fn all(stream: Option<impl AsyncRead + Unpin>, said: &mut Tail) {
    let Some(mut stream) = stream else { return };
    let mut block = vec![0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut block).await {
        said.add(&block[..read]);
    }
}
