//! One hook as a process: with standard input, a deadline, and nothing left of it afterwards.

use std::{path::Path, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
    sync::mpsc,
};

use crate::text::{self, Tail};

/// How many lines of a hook are shown.
const MOST_LINES: usize = 200;

/// The longest line of a hook that is shown, in bytes; what is longer is cut.
const LONGEST_LINE: usize = 4096;

/// How long output is waited for after the end of the script: another process may keep the pipe.
const REST: Duration = Duration::from_secs(1);

/// A hook's process group. Its own, so that Ctrl-C at the terminal is shipit's alone; it is killed with this value.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs a script with `input` on its standard input; each line that it prints goes to `on_line`.
///
/// # Errors
///
/// Why it did not end with 0, as a fact.
pub async fn run(
    script: &str,
    folder: &Path,
    input: &[u8],
    timeout: Duration,
    on_line: &mut (dyn FnMut(String) + Send),
) -> Result<(), String> {
    let mut child = Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("could not be run: {error}"))?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    let _group = Group(pid.and_then(Pid::from_raw));
    let mut said = Tail::default();
    let ended = tokio::time::timeout(timeout, attend(&mut child, input, &mut said, on_line)).await;
    let status = ended
        .map_err(|_| format!("did not end within {}", text::duration(timeout)))?
        .map_err(|error| format!("could not be run: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let said = said.into_text();
    let said = text::complaint(&said).map_or_else(String::new, |line| format!(": {line}"));
    Err(match status.code() {
        Some(code) => format!("failed with status {code}{said}"),
        None => format!("was ended by a signal{said}"),
    })
}

/// Gives a process its input and takes its output, to its end.
async fn attend(
    child: &mut Child,
    input: &[u8],
    said: &mut Tail,
    on_line: &mut (dyn FnMut(String) + Send),
) -> std::io::Result<std::process::ExitStatus> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let give = async {
        if let Some(mut stdin) = stdin {
            // A hook need not read it.
            let _ = stdin.write_all(input).await;
        }
    };
    let (sender, mut lines) = mpsc::channel(16);
    let take = {
        let sender = sender.clone();
        async move {
            tokio::join!(split(stdout, false, &sender), split(stderr, true, &sender));
        }
    };
    drop(sender);
    let show = async {
        let mut number = 0;
        while let Some((is_stderr, line)) = lines.recv().await {
            if is_stderr {
                said.add(line.as_bytes());
                said.add(b"\n");
            }
            number += 1;
            if number <= MOST_LINES {
                on_line(line);
            } else if number == MOST_LINES + 1 {
                on_line("… (more lines are not shown)".to_owned());
            }
        }
    };
    let output = async {
        tokio::join!(take, show);
    };
    tokio::pin!(output);
    let end = async { tokio::join!(give, child.wait()).1 };
    tokio::pin!(end);
    tokio::select! {
        () = &mut output => end.await,
        status = &mut end => {
            let _ = tokio::time::timeout(REST, output).await;
            status
        }
    }
}

/// Sends each line of a stream.
async fn split(
    stream: Option<impl AsyncRead + Unpin>,
    is_stderr: bool,
    lines: &mpsc::Sender<(bool, String)>,
) {
    let Some(mut stream) = stream else { return };
    let (mut block, mut line) = (vec![0; 4096], Line::default());
    while let Ok(read @ 1..) = stream.read(&mut block).await {
        for &byte in &block[..read] {
            if byte == b'\n' {
                // Whoever takes them has ended with the hook.
                let _ = lines.send((is_stderr, line.take())).await;
            } else {
                line.push(byte);
            }
        }
    }
    if !line.bytes.is_empty() {
        let _ = lines.send((is_stderr, line.take())).await;
    }
}

/// A line as it comes. A long one is cut with the mark, by which masks know that a secret may have been cut in two; as
/// two lines it would be shown.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    left_out: u64,
}

impl Line {
    fn push(&mut self, byte: u8) {
        if self.bytes.len() < LONGEST_LINE {
            self.bytes.push(byte);
        } else {
            self.left_out += 1;
        }
    }

    fn take(&mut self) -> String {
        let Self { bytes, left_out } = std::mem::take(self);
        if left_out == 0 {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        let whole = text::without_half_a_character(&bytes);
        let left_out = left_out + (bytes.len() - whole.len()) as u64;
        text::with_left_out(&String::from_utf8_lossy(whole), left_out)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    async fn ran(script: &str, timeout: Duration) -> (Result<(), String>, Vec<String>) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut lines = Vec::new();
        let mut on_line = |line| lines.push(line);
        let input = b"{\"on\":\"started\"}\n";
        let result = run(script, folder.path(), input, timeout, &mut on_line).await;
        (result, lines)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_hook_reads_the_release_and_its_lines_are_shown() {
        let (result, lines) = ran("cat; printf two", LONG).await;
        assert_eq!(result, Ok(()));
        assert_eq!(lines, ["{\"on\":\"started\"}", "two"]);
        // One that reads nothing is none the worse.
        assert_eq!(ran("exec <&-; true", LONG).await.0, Ok(()));
    }

    #[tokio::test]
    async fn a_hook_that_fails_says_why() {
        let (result, _) = ran("echo fine; echo 'no such channel' >&2; exit 22", LONG).await;
        assert_eq!(
            result,
            Err("failed with status 22: no such channel".to_owned())
        );
        let (result, _) = ran("kill -9 $$", LONG).await;
        assert_eq!(result, Err("was ended by a signal".to_owned()));
    }

    #[tokio::test]
    async fn a_hook_is_killed_with_all_that_it_started() {
        let began = Instant::now();
        let script = "sleep 600 & echo $!; wait";
        let (result, lines) = ran(script, Duration::from_millis(300)).await;
        assert_eq!(result, Err("did not end within 300ms".to_owned()));
        assert!(is_gone(&lines[0]).await, "{lines:?}");
        // One that ends and leaves something with its output is not waited for, and what it left ends.
        let (result, lines) = ran("sleep 600 & echo $!", LONG).await;
        assert_eq!(result, Ok(()));
        assert!(is_gone(&lines[0]).await, "{lines:?}");
        assert!(began.elapsed() < LONG);
    }

    /// Whether a process ends soon: the kill is under way. A zombie counts, as nobody may wait for it here.
    async fn is_gone(pid: &str) -> bool {
        for _ in 0..500 {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            if stat.is_err() || stat.is_ok_and(|stat| stat.contains(") Z ")) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    #[tokio::test]
    async fn a_long_line_is_cut_with_the_mark_by_which_masks_know_the_rest_of_a_secret() {
        let script = "head -c 4090 /dev/zero | tr '\\0' x; echo s3cret-and-more; echo next";
        let (result, lines) = ran(script, LONG).await;
        assert_eq!(result, Ok(()));
        let cut = "x".repeat(4090) + "s3cret… (cut: the line has 9 bytes more)";
        assert_eq!(lines, [&*cut, "next"]);
    }

    #[tokio::test]
    async fn a_hook_that_prints_without_end_is_shown_in_part() {
        let (result, lines) = ran("yes | head -n 100000; head -c 10000 /dev/zero", LONG).await;
        assert_eq!(result, Ok(()));
        assert_eq!(lines.len(), MOST_LINES + 1);
    }
}
