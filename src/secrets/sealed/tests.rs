//! Values that are sealed and opened again, by whom, and what nobody is asked for.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use secrecy::SecretString;
use tempfile::TempDir;

use super::*;
use crate::{
    diagnostic::SourceFile,
    model::Name,
    transport::{Connector, Prompt},
};

const ALICE: (&str, &str) = (
    include_str!("../../../tests/cli/keys/open"),
    include_str!("../../../tests/cli/keys/open.pub"),
);

/// Its passphrase is `correct horse`.
const BOB: (&str, &str) = (
    include_str!("../../../tests/cli/keys/locked"),
    include_str!("../../../tests/cli/keys/locked.pub"),
);

const CAROL: (&str, &str) = (
    include_str!("../../../tests/transport/keys/rsa"),
    include_str!("../../../tests/transport/keys/rsa.pub"),
);

/// Somebody who types a passphrase, and how often they were asked.
struct Person {
    types: Option<&'static str>,
    asked: AtomicUsize,
}

impl Prompt for Person {
    fn passphrase(&self, _: &Path) -> Option<SecretString> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.types.map(SecretString::from)
    }
}

/// A project, the home of one account, and who sits there.
struct Desk {
    folder: TempDir,
    person: Arc<Person>,
    connector: Connector,
}

impl Desk {
    fn new(types: Option<&'static str>) -> Self {
        let asked = AtomicUsize::new(0);
        let person = Arc::new(Person { types, asked });
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            connector: Connector::new(person.clone()),
            person,
        }
    }

    fn home(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn seal(&self, name: &str, value: &str, recipients: &str) {
        let root = self.folder.path();
        write_recipients(root, recipients).expect("written");
        let recipients = read_recipients(root).expect("no mistakes").expect("there");
        let sealed = seal(value, &recipients).expect("sealed");
        assert!(!sealed.contains(value));
        write(root, &named(name), &sealed).expect("written");
    }

    fn keys(&self) -> Keys<'_> {
        Keys::in_home(self.folder.path(), Some(&self.connector))
    }

    async fn open(&self, name: &str) -> Result<String, Failure> {
        let keys = self.keys();
        keys.value(self.folder.path(), &named(name), true).await
    }

    fn was_asked(&self) -> usize {
        self.person.asked.load(Ordering::SeqCst)
    }
}

fn named(name: &str) -> Name {
    name.parse().expect("a name")
}

#[tokio::test]
async fn every_recipient_opens_it_with_the_key_at_home() {
    let age = age::x25519::Identity::generate();
    let secret = secrecy::ExposeSecret::expose_secret(&age.to_string()).to_owned();
    let list = format!("{}{}# ci\n{}\n", ALICE.1, CAROL.1, age.to_public());
    for (path, key) in [
        (".ssh/id_ed25519", ALICE.0),
        (".ssh/id_rsa", CAROL.0),
        (".config/age/keys.txt", secret.as_str()),
    ] {
        let desk = Desk::new(None);
        desk.seal("token", "hunter2\nand more", &list);
        desk.home(path, key);
        assert_eq!(
            desk.open("token").await.as_deref(),
            Ok("hunter2\nand more"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_passphrase_is_asked_for_once_in_a_run_and_serves_every_value() {
    let desk = Desk::new(Some("correct horse"));
    desk.home(".ssh/id_ed25519", BOB.0);
    for name in ["one", "two"] {
        desk.seal(name, "hunter2", BOB.1);
    }
    for name in ["one", "two", "one"] {
        assert_eq!(desk.open(name).await.as_deref(), Ok("hunter2"));
    }
    assert_eq!(desk.was_asked(), 1);
}

#[tokio::test]
async fn nobody_is_asked_while_a_key_without_a_passphrase_fits() {
    let desk = Desk::new(Some("correct horse"));
    desk.home(".ssh/id_ed25519", BOB.0);
    desk.home(".ssh/id_rsa", CAROL.0);
    desk.seal("token", "hunter2", &format!("{}{}", BOB.1, CAROL.1));
    assert_eq!(desk.open("token").await.as_deref(), Ok("hunter2"));
    assert_eq!(desk.was_asked(), 0);
}

#[tokio::test]
async fn nobody_is_asked_for_the_passphrase_of_a_key_that_it_is_not_for() {
    let desk = Desk::new(Some("correct horse"));
    desk.home(".ssh/id_ed25519", BOB.0);
    desk.seal("token", "hunter2", ALICE.1);
    let Failure { cause, hint } = desk.open("token").await.expect_err("no key");
    assert_eq!(
        cause,
        "no key here opens `secrets/token.age`: `~/.config/age/keys.txt` is not there, `~/.ssh/id_ed25519` is none of \
         its recipients, `~/.ssh/id_rsa` is not there; the recipients of today are `alice@laptop`"
    );
    assert!(hint.contains("shipit secret rotate"), "{hint}");
    assert_eq!(desk.was_asked(), 0);
}

#[tokio::test]
async fn where_nobody_can_be_asked_the_error_says_so() {
    let desk = Desk::new(None);
    desk.home(".ssh/id_ed25519", BOB.0);
    desk.seal("token", "hunter2", BOB.1);
    let Failure { cause, hint } = desk.open("token").await.expect_err("nobody to ask");
    assert!(
        cause.contains(
            "`~/.ssh/id_ed25519`: it has a passphrase, and there was nobody to ask for it"
        ),
        "{cause}"
    );
    assert!(hint.contains("SHIPIT_AGE_KEY"), "{hint}");
    // What masks do not know is no reason to ask: that is before any command has begun.
    let asked = desk.was_asked();
    let (keys, name) = (desk.keys(), named("token"));
    let quietly = keys.value(desk.folder.path(), &name, false).await;
    assert!(quietly.is_err());
    assert_eq!(desk.was_asked(), asked);
}

#[tokio::test]
async fn a_file_that_is_missing_or_damaged_says_what_to_type() {
    let desk = Desk::new(None);
    desk.home(".ssh/id_ed25519", ALICE.0);
    let failure = desk.open("token").await.expect_err("not there");
    assert_eq!(failure.cause, "`secrets/token.age` is not there");
    assert_eq!(failure.hint, "seal a value: `shipit secret set token`");

    desk.seal("token", "hunter2", ALICE.1);
    let path = desk.folder.path().join("secrets/token.age");
    let sealed = fs::read_to_string(&path).expect("there");
    let lines: Vec<_> = sealed.lines().collect();
    let without_a_line = [&lines[..lines.len() - 2], &lines[lines.len() - 1..]].concat();
    for damaged in [
        "",
        "hunter2",
        &sealed[..sealed.len() / 2],
        &without_a_line.join("\n"),
    ] {
        fs::write(&path, damaged).expect("written");
        let failure = desk.open("token").await.expect_err("damaged");
        assert!(
            failure.cause.starts_with("`secrets/token.age` "),
            "{}",
            failure.cause
        );
        assert!(
            failure.hint.contains("shipit secret set token"),
            "{}",
            failure.hint
        );
    }
}

#[test]
fn what_anyone_can_see_of_a_sealed_value_is_whom_it_is_for() {
    let age = age::x25519::Identity::generate().to_public();
    let text = format!("{}\n# the CI\n{age}\n{}", ALICE.1, CAROL.1);
    let file = SourceFile::new(RECIPIENTS, text);
    let recipients = Recipients::parse(&file).expect("no mistakes");
    let sealed = seal("hunter2", &recipients).expect("sealed");
    assert!(
        sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"),
        "{sealed}"
    );
    let envelope = Envelope::parse(sealed.as_bytes()).expect("whole");
    let tags = recipients.iter().map(|it| it.tag.clone());
    let expected: Vec<_> = tags
        .map(|tag| tag.map_or(Holder::Age, Holder::Ssh))
        .collect();
    assert_eq!(envelope.holders(), expected);
}

/// What is wrong with a list of recipients, as it is shown.
fn mistakes(text: &str) -> String {
    let file = SourceFile::new(RECIPIENTS, text.to_owned());
    let problems = Recipients::parse(&file).err().expect("mistakes");
    problems.to_string()
}

#[test]
fn each_line_that_names_no_key_is_shown_with_its_place() {
    let ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg= dave";
    let text = format!(
        "# team\n{}sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t erin\n{ecdsa}\nssh-ed25519 AAAA\n\
         alice\nage1nonsense\n",
        ALICE.1
    );
    let shown = mistakes(&text);
    for (fact, line) in [
        (
            "age cannot seal for a key of the kind `sk-ssh-ed25519@openssh.com`",
            3,
        ),
        (
            "age cannot seal for a key of the kind `ecdsa-sha2-nistp256`",
            4,
        ),
        ("this is no `ssh-ed25519` key", 5),
        ("this is no public key", 6),
        ("this is no age key that shipit can seal for", 7),
    ] {
        assert!(shown.contains(fact), "{fact}\n{shown}");
        assert!(
            shown.contains(&format!("[secrets/recipients:{line}:1]")),
            "{line}\n{shown}"
        );
    }
}

#[test]
fn a_secret_key_among_the_recipients_is_not_printed() {
    let key = "AGE-SECRET-KEY-1QQQQQQQQQQ";
    let shown = mistakes(&format!("# team\n{key}\n"));
    assert!(
        shown.contains("secrets/recipients:2 has a secret key"),
        "{shown}"
    );
    assert!(!shown.contains(key), "{shown}");
    assert!(mistakes("# nobody yet\n").contains("secrets/recipients names nobody"));
}

#[tokio::test]
async fn the_first_key_of_an_account_is_what_a_new_list_begins_with() {
    let nobody = Desk::new(None);
    assert!(nobody.keys().own_recipient().await.is_none());
    let desk = Desk::new(None);
    desk.home(".ssh/id_rsa", CAROL.0);
    desk.home(".ssh/id_ed25519", BOB.0);
    desk.home(".ssh/id_ed25519.pub", BOB.1);
    let own = desk.keys().own_recipient().await.expect("a key");
    assert_eq!(format!("{} bob@desk\n", own.line), BOB.1);
    assert_eq!(own.comment.as_deref(), Some("bob@desk"));
    assert_eq!(own.place, "~/.ssh/id_ed25519");
    assert_eq!(desk.was_asked(), 0);
}

#[test]
fn sealed_values_are_files_with_a_name() {
    let desk = Desk::new(None);
    assert_eq!(names(desk.folder.path()).expect("none"), []);
    desk.seal("b.key", "hunter2", ALICE.1);
    desk.seal("a_1", "hunter2", ALICE.1);
    desk.home("secrets/notes.txt", "");
    desk.home("secrets/.hidden.age", "");
    let names = names(desk.folder.path()).expect("read");
    assert_eq!(names, [named("a_1"), named("b.key")]);
    let files = fs::read_dir(desk.folder.path().join("secrets")).expect("read");
    assert_eq!(files.count(), 5, "no temporary file is left");
}
