//! The part of an image that a host has of a transfer which was cut off.

use super::saved::STALL;
use crate::{
    command::RemoteCommand,
    docker::{self, PinnedImage},
    hosts::{HostError, QUICK, Reached},
    model::Reference,
    text,
};

/// An image with less to send goes straight to docker. Sending that again takes no longer than keeping it.
const SMALLEST: u64 = 16 * 1024 * 1024;

/// How much room a host needs, as a multiple of what is sent: docker unpacks an archive beside its images before it
/// takes the layers over, and the part lies beside both.
const ROOM: u64 = 3;

/// What is done on the host.
const SCRIPT: &str = include_str!("partial.sh");

/// A file on a host with the beginning of a compressed image. What is sent is appended to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    /// Its name in the folder of such files.
    file: String,
    /// How much there is.
    pub bytes: u64,
    /// The digest of that, as hexadecimal digits.
    pub sha256: String,
}

impl Partial {
    /// Makes a host keep what it gets of an image. `None` where it cannot, or where that is not worth it.
    pub async fn open(
        reached: &Reached,
        written: &str,
        pin: &PinnedImage,
        total: u64,
    ) -> Result<Option<Self>, HostError> {
        if total < SMALLEST {
            return Ok(None);
        }
        let short = |text: &str| docker::short_hash(text.as_bytes(), 6);
        let slot = short(Reference::parse(written).repository);
        let room = (total * ROOM / 1024).to_string();
        let arguments = ["open", &slot, &short(&pin.digest), &room];
        let command = RemoteCommand::script(SCRIPT, arguments);
        // It copies and hashes what is there.
        let why = match reached.run(command, STALL).await {
            Ok(output) if output.status != 0 => output.stderr.trim().to_owned(),
            Ok(output) => match parse(&output.stdout) {
                // What cannot be compressed becomes a little longer.
                Ok(partial) if partial.bytes > total + total / 100 => {
                    format!("it claims {} bytes of {total}", partial.bytes)
                }
                Ok(partial) => return Ok(Some(partial)),
                Err(why) => why.to_owned(),
            },
            Err(HostError::Session { source, .. }) if source.is_unreachable() => {
                let command = "docker load".to_owned();
                return Err(HostError::Session { command, source });
            }
            Err(error) => text::chain(&error).join(": "),
        };
        tracing::info!(host = %reached.name(), image = written, why, "a cut transfer could not go on");
        Ok(None)
    }

    /// The command that loads the image from the file, of which `bytes` count, and from what is sent.
    pub fn load(&self, bytes: u64) -> RemoteCommand {
        let (bytes, load) = (bytes.to_string(), docker::image_load());
        RemoteCommand::script(SCRIPT, ["load", &self.file, &bytes]).args(load.words())
    }

    /// Removes the file, for docker does not take what is in it.
    pub async fn remove(&self, reached: &Reached) {
        let command = RemoteCommand::script(SCRIPT, ["remove", &self.file]);
        if let Err(error) = reached.expect(command, QUICK).await {
            tracing::info!(host = %reached.name(), file = self.file, %error, "a part of an image stays");
        }
    }
}

/// Reads what the host says of its file, or why there is none.
fn parse(said: &str) -> Result<Partial, &str> {
    let words: Vec<_> = said.split_whitespace().collect();
    let ["partial", file, bytes, sha256] = words[..] else {
        return Err(said.trim());
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let is_ours = file.starts_with("image-") && file.chars().all(is_plain);
    match bytes.parse() {
        Ok(bytes) if is_ours => Ok(Partial {
            file: file.to_owned(),
            bytes,
            sha256: sha256.to_owned(),
        }),
        _ => Err(said.trim()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::Write as _,
        os::unix::fs::{PermissionsExt, symlink},
        path::{Path, PathBuf},
        process::{Command, Output, Stdio},
    };

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_host_says_which_file_it_has_or_why_it_has_none() {
        let partial = |bytes, sha256: &str| Partial {
            file: "image-0a-1b.XyZ12345".into(),
            bytes,
            sha256: sha256.into(),
        };
        for (said, read) in [
            ("partial image-0a-1b.XyZ12345 0 -\n", Ok(partial(0, "-"))),
            (
                "partial image-0a-1b.XyZ12345 1048576 e3b0\n",
                Ok(partial(1_048_576, "e3b0")),
            ),
            (
                "none only 5 KiB are free\n",
                Err("none only 5 KiB are free"),
            ),
            ("", Err("")),
            (
                "partial image-../x 1 e3b0",
                Err("partial image-../x 1 e3b0"),
            ),
            (
                "partial /etc/shadow 1 e3b0",
                Err("partial /etc/shadow 1 e3b0"),
            ),
            ("partial image-a -1 e3b0", Err("partial image-a -1 e3b0")),
            ("partial image-a 1", Err("partial image-a 1")),
        ] {
            assert_eq!(parse(said), read, "{said}");
        }
    }

    /// The home of an account on a host, where the script runs with this machine's `sh`.
    struct Home(TempDir);

    impl Home {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn folder(&self) -> PathBuf {
            self.0.path().join(".cache/shipit")
        }

        /// Runs the script with these words and this as standard input.
        fn run(&self, words: &[&str], input: &[u8]) -> Output {
            let mut child = Command::new("sh")
                .args(["-c", SCRIPT, "shipit"])
                .args(words)
                .env("HOME", self.0.path())
                .env_remove("XDG_CACHE_HOME")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("sh");
            let mut stdin = child.stdin.take().expect("a pipe");
            let _ = stdin.write_all(input);
            drop(stdin);
            child.wait_with_output().expect("its end")
        }

        fn open(&self, image: &str) -> Result<Partial, String> {
            let output = self.run(&["open", "0a", image, "1"], b"");
            let said = String::from_utf8(output.stdout).expect("text");
            parse(&said).map_err(str::to_owned)
        }

        fn load(&self, partial: &Partial, bytes: u64, sent: &[u8], command: &str) -> Output {
            let words = [
                "load",
                &partial.file,
                &bytes.to_string(),
                "sh",
                "-c",
                command,
            ];
            self.run(&words, sent)
        }

        fn files(&self) -> Vec<String> {
            let entries = fs::read_dir(self.folder()).expect("the folder");
            let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
            entries
                .map(|entry| name(entry.expect("an entry")))
                .collect()
        }
    }

    /// As `docker load` when its input ends too early.
    const CUT: &str = "cat >/dev/null; echo 'unexpected EOF' >&2; exit 1";

    #[test]
    fn what_came_before_a_cut_is_there_for_the_next_transfer() {
        let home = Home::new();
        let first = home.open("1b").expect("a file");
        assert_eq!((first.bytes, &*first.sha256), (0, "-"));
        let cut = home.load(&first, 0, b"the first half, ", CUT);
        assert_eq!(cut.status.code(), Some(1));
        assert_eq!(String::from_utf8_lossy(&cut.stderr), "unexpected EOF\n");

        let second = home.open("1b").expect("a file");
        assert_eq!(second.bytes, 16);
        assert_eq!(second.sha256, docker::short_hash(b"the first half, ", 32));
        assert_ne!(
            second.file, first.file,
            "the lost connection may still write"
        );
        let done = home.load(&second, 16, b"and the second", "cat");
        assert!(done.status.success());
        assert_eq!(done.stdout, b"the first half, and the second");
        assert!(home.files().is_empty(), "nothing is left");
    }

    #[test]
    fn what_is_not_the_same_is_written_from_its_start() {
        let home = Home::new();
        let first = home.open("1b").expect("a file");
        home.load(&first, 0, b"old", CUT);
        let second = home.open("1b").expect("a file");
        let done = home.load(&second, 0, b"new", "cat");
        assert_eq!(done.stdout, b"new");
        // Cut again, it has no more than that.
        let third = home.open("1b").expect("a file");
        home.load(&third, 0, b"newer", CUT);
        assert_eq!(home.open("1b").expect("a file").bytes, 5);
    }

    #[test]
    fn another_version_of_the_image_takes_its_place_and_so_does_a_day() {
        let home = Home::new();
        let first = home.open("1b").expect("a file");
        home.load(&first, 0, b"version 1", CUT);
        let other = home.open("2c").expect("a file");
        assert_eq!((other.bytes, home.files()), (0, vec![other.file.clone()]));
        home.load(&other, 0, b"version 2", CUT);
        let aged = Command::new("touch")
            .args(["-d", "25 hours ago"])
            .arg(home.folder().join(&other.file))
            .status();
        assert!(aged.expect("touch").success());
        assert_eq!(home.open("2c").expect("a file").bytes, 0);
    }

    #[test]
    fn what_was_changed_meanwhile_is_not_loaded() {
        let home = Home::new();
        let first = home.open("1b").expect("a file");
        home.load(&first, 0, b"half", CUT);
        let second = home.open("1b").expect("a file");
        fs::write(home.folder().join(&second.file), "something else").expect("written");
        let refused = home.load(&second, 4, b"", "cat");
        assert_eq!(
            (refused.status.code(), &*refused.stdout),
            (Some(1), &b""[..])
        );
        home.run(&["remove", &second.file], b"");
        assert!(home.files().is_empty());
    }

    #[test]
    fn no_part_is_kept_where_there_is_no_room_or_where_others_may_write() {
        let home = Home::new();
        let first = home.open("1b").expect("a file");
        home.load(&first, 0, b"half", CUT);
        let much = home.run(&["open", "0a", "1b", "1000000000000"], b"");
        let said = String::from_utf8_lossy(&much.stdout).into_owned();
        assert!(
            said.starts_with("none only ") && said.contains(" KiB are free under "),
            "{said}"
        );
        assert!(
            home.files().is_empty(),
            "what there was takes no room either"
        );

        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
        };
        mode(&home.folder(), 0o770);
        let said = home.open("1b").expect_err("a folder of a group");
        assert!(
            said.ends_with("is not a folder that is this account's alone"),
            "{said}"
        );

        let elsewhere = tempfile::tempdir().expect("a folder");
        mode(elsewhere.path(), 0o700);
        fs::remove_dir(home.folder()).expect("it is empty");
        symlink(elsewhere.path(), home.folder()).expect("a link");
        home.open("1b").expect_err("a link");
        assert_eq!(fs::read_dir(elsewhere.path()).expect("it").count(), 0);
    }
}
