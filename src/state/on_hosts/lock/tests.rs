//! The script on this machine, in folders of the test's, and what is made of its answers.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::{Answer, HOLD, read};

/// A host's folders: one that only root would have made, if there is one, and one for everybody.
struct Host {
    root: TempDir,
}

/// The script, which runs until this is dropped.
struct Holding {
    child: Child,
    said: String,
}

impl Drop for Holding {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Host {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let shared = root.path().join("tmp");
        fs::create_dir(&shared).expect("made");
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).expect("set");
        Self { root }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn lock(&self) -> PathBuf {
        self.path("tmp/shipit-staging.lock")
    }

    fn with_folder(self) -> Self {
        fs::create_dir(self.path("run")).expect("made");
        self
    }

    /// Takes the lock as a deployer's shell would. Without the folder nobody makes it: its own folder is not there.
    fn hold(&self, name: &str) -> Holding {
        let folder = if self.path("run").exists() {
            self.path("run")
        } else {
            self.path("nowhere/run")
        };
        let mut child = Command::new("sh")
            .args(["-c", HOLD, "shipit"])
            .args([folder, self.path("tmp")])
            .args(["staging", name, "60"])
            .arg(self.path("no-docker.sock"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("sh");
        let mut said = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        let line = BufReader::new(stdout).read_line(&mut said);
        line.expect("what it says");
        let root = format!("{}/", self.root.path().display());
        Holding {
            child,
            said: said.trim_end().replace(&root, ""),
        }
    }
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).expect("it is there").ino()
}

#[test]
fn one_at_a_time_and_the_next_one_after_its_end() {
    for host in [Host::new(), Host::new().with_folder()] {
        let first = host.hold("alice@laptop (deploy)");
        assert!(first.said.starts_with("held "), "{}", first.said);
        let second = host.hold("bob@desk (deploy)");
        let account = Command::new("id").arg("-un").output().expect("id").stdout;
        let account = String::from_utf8(account).expect("a name");
        let process = first.child.id();
        let expected = format!("busy {} {process} alice@laptop (deploy)", account.trim());
        assert_eq!(second.said, expected);
        let inode_before = inode(&host.lock());
        drop(first);
        let third = host.hold("carol@ci (deploy)");
        assert!(third.said.starts_with("held "), "{}", third.said);
        assert_eq!(inode(&host.lock()), inode_before, "the file stays");
    }
}

#[test]
fn a_kill_frees_it() {
    let host = Host::new();
    let mut first = host.hold("alice");
    first.child.kill().expect("killed");
    first.child.wait().expect("its end");
    assert!(host.hold("bob").said.starts_with("held "));
}

#[test]
fn an_older_shipit_and_a_newer_one_exclude_each_other() {
    /// What 0.1 ran, but for the heartbeat.
    const OLD: &str = r#"
        [ ! -L "$1" ] || { echo "refuse $1 is a symbolic link"; exit 1; }
        [ -e "$1" ] || (umask 000; : >>"$1") || exit
        exec 9<"$1" || exit
        flock -n 9 || { echo "busy $(head -n 1 "$1")"; exit 0; }
        printf '%s\n' "$2" 9<&- | dd of="$1" conv=nocreat 2>/dev/null 9<&- || printf '%s\n' "$2" >"$1"
        echo held
        cat >/dev/null 9<&-"#;
    let old = |host: &Host| {
        let mut child = Command::new("sh")
            .args(["-c", OLD, "shipit"])
            .arg(host.lock())
            .arg("old")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        let mut said = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut said).expect("said");
        let said = said.trim_end().to_owned();
        Holding { child, said }
    };
    for host in [Host::new(), Host::new().with_folder()] {
        let new = host.hold("new");
        assert_eq!(old(&host).said, "busy new");
        drop(new);
        let before = old(&host);
        assert_eq!(before.said, "held");
        let said = host.hold("new").said.clone();
        assert!(
            said.starts_with("busy ") && said.ends_with(" old"),
            "{said}"
        );
    }
}

#[test]
fn nothing_that_is_no_plain_file_is_opened_or_written_to() {
    let host = Host::new();
    let secret = host.path("secret");
    fs::write(&secret, "what root keeps").expect("written");
    symlink(&secret, host.lock()).expect("linked");
    let said = host.hold("alice").said.clone();
    assert!(said.starts_with("squat "), "{said}");
    fs::remove_file(host.lock()).expect("removed");
    symlink(host.path("nothing"), host.lock()).expect("linked");
    assert!(host.hold("alice").said.starts_with("squat "));
    assert!(!host.path("nothing").exists(), "made through a link");
    fs::remove_file(host.lock()).expect("removed");
    let made = Command::new("mkfifo").arg(host.lock()).status();
    assert!(made.expect("mkfifo").success());
    assert!(host.hold("alice").said.starts_with("squat "));
    assert_eq!(
        fs::read_to_string(&secret).expect("read"),
        "what root keeps"
    );
    // A hard link cannot be told from the file; no lock has such a mode.
    fs::remove_file(host.lock()).expect("removed");
    fs::hard_link(&secret, host.lock()).expect("linked");
    let said = host.hold("alice").said.clone();
    assert_eq!(said, "shut tmp/shipit-staging.lock");
    assert_eq!(
        fs::read_to_string(&secret).expect("read"),
        "what root keeps"
    );
    // In a folder that others cannot write to it does not matter what lies in the other one.
    let host = Host::new().with_folder();
    symlink(&secret, host.lock()).expect("linked");
    let held = host.hold("alice");
    assert_eq!(held.said, "held private");
    assert!(host.hold("bob").said.starts_with("busy "));
    assert_eq!(
        fs::read_to_string(&secret).expect("read"),
        "what root keeps"
    );
}

#[test]
fn a_folder_that_anyone_may_clear_is_no_place_for_it() {
    let host = Host::new();
    fs::set_permissions(host.path("tmp"), fs::Permissions::from_mode(0o777)).expect("set");
    assert_eq!(host.hold("alice").said, "unsafe tmp");
}

#[test]
fn who_holds_a_file_that_was_replaced_holds_it_no_longer() {
    let host = Host::new();
    let mut first = host.hold("alice");
    fs::remove_file(host.lock()).expect("removed");
    let second = host.hold("bob");
    assert!(second.said.starts_with("held "), "{}", second.said);
    // It learns so at its next heartbeat.
    let mut stdin = first.child.stdin.take().expect("a pipe");
    stdin.write_all(b".").expect("a heartbeat");
    let status = first.child.wait().expect("its end");
    assert_eq!(status.code(), Some(1));
}

#[test]
fn every_answer_has_its_words() {
    let shown = |answer: &str| match read(answer, "host-1") {
        Answer::Held { weakness: None } => "held".to_owned(),
        Answer::Held { weakness: Some(it) } => format!("held, but {}; {}", it.fact, it.hint),
        Answer::HeldBy(holder) => {
            format!("{}, as {}", holder.name, holder.account.unwrap_or_default())
        }
        Answer::Obstructed(it) => format!("{}; {}", it.fact, it.hint),
        Answer::Unknown => "unknown".to_owned(),
    };
    assert_eq!(shown("held private"), "held");
    assert!(shown("held open").contains("every account of `host-1` can open"));
    assert_eq!(
        shown("busy deploy 123 carol@ci (deploy, since noon)"),
        "carol@ci (deploy, since noon), as `deploy` on `host-1`"
    );
    assert_eq!(shown("busy - - "), ", as ");
    for (answer, fact, hint) in [
        (
            "stranger mallory 123 /tmp/x",
            "the account `mallory` of `host-1`, which may not use docker, keeps /tmp/x locked",
            "`sudo kill 123`",
        ),
        (
            "squat mallory /tmp/x",
            "the account `mallory`",
            "`sudo rm /tmp/x`",
        ),
        (
            "shut /run/shipit",
            "no lock that this account may use",
            "`ls -ld /run/shipit`",
        ),
        ("unsafe /tmp", "out of /tmp", "`sudo chmod 1777 /tmp`"),
    ] {
        let shown = shown(answer);
        assert!(shown.contains(fact) && shown.contains(hint), "{shown}");
    }
    assert_eq!(shown("sh: 1: flock: not found"), "unknown");
}
