//! Where values come from, and what is refused.

use std::sync::Mutex;

use secrecy::ExposeSecret as _;

use super::*;

#[tokio::test]
async fn each_source_is_read_once_and_its_value_masked_first() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("token"), "from a file\n").expect("written");
    let masked = Mutex::new(Vec::new());
    let mask = |value: &str| masked.lock().expect("not poisoned").push(value.to_owned());
    let secrets = Secrets::new(folder.path(), &mask, None);
    let counted = SecretSource::Command("echo x >>count; printf 'two\\nlines\\n'".into());
    let sources = BTreeMap::from([
        ("A".to_owned(), SecretSource::File("token".into())),
        ("B".to_owned(), counted.clone()),
        ("C".to_owned(), counted),
    ]);
    let values = secrets.of(&sources).await.expect("values");
    let shown: Vec<_> = values
        .values()
        .map(|value| value.expose_secret().to_owned())
        .collect();
    assert_eq!(shown, ["from a file", "two\nlines", "two\nlines"]);
    assert_eq!(
        std::fs::read_to_string(folder.path().join("count")).expect("counted"),
        "x\n"
    );
    assert_eq!(
        *masked.lock().expect("not poisoned"),
        ["from a file", "two\nlines"]
    );
}

#[tokio::test]
async fn a_secret_without_a_value_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let secrets = Secrets::new(folder.path(), &|_| {}, None);
    let source = SecretSource::Command("echo no vault >&2; exit 3".into());
    let stop = secrets.value("TOKEN", &source).await.expect_err("it fails");
    assert_eq!(stop.report.message, "the secret `TOKEN` has no value");
    assert_eq!(
        stop.report.causes,
        ["`echo no vault >&2; exit 3` failed (exit status: 3): no vault"]
    );
    let stop = secrets
        .value("TOKEN", &SecretSource::Env("SHIPIT_NO_SUCH".into()))
        .await
        .expect_err("unset");
    assert_eq!(stop.report.hint.as_deref(), Some("export SHIPIT_NO_SUCH=…"));
}

/// Why a secret has no value that can be used: the fact, its cause, and what to do.
async fn refused(source: SecretSource) -> [String; 3] {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("long"), "x".repeat(read::LONGEST)).expect("written");
    let long = "x".repeat(read::LONGEST - "TOKEN=\0".len() + 1);
    std::fs::write(folder.path().join("a-byte-too-long"), long).expect("written");
    std::fs::write(folder.path().join("nul"), "a\0b").expect("written");
    let secrets = Secrets::new(folder.path(), &|_| {}, None);
    let stop = secrets.value("TOKEN", &source).await.expect_err("refused");
    assert_eq!(stop.outcome, Outcome::Usage);
    let report = stop.report;
    let cause = report.causes.join(": ");
    let cause = cause.replace(&folder.path().display().to_string(), "");
    [report.message, cause, report.hint.unwrap_or_default()]
}

#[tokio::test]
async fn a_value_that_no_container_can_be_given_is_refused_before_anything_starts() {
    let too_long = "with its name it has more than 128 KiB, the most that a variable can hold";
    let cannot = "the secret `TOKEN` cannot be used";
    for file in ["long", "a-byte-too-long"] {
        let [fact, cause, _] = refused(SecretSource::File(file.into())).await;
        assert_eq!((fact.as_str(), cause.as_str()), (cannot, too_long));
    }
    let [fact, cause, hint] = refused(SecretSource::File("nul".into())).await;
    assert_eq!(fact, cannot);
    assert_eq!(cause, "its value has a NUL byte, which ends a variable");
    assert!(hint.contains("base64"), "{hint}");
    let [_, cause, _] = refused(SecretSource::Command("yes".into())).await;
    assert_eq!(
        cause,
        "`yes` printed more than 128 KiB, the most that a variable can hold"
    );
}

#[tokio::test]
async fn a_pipe_that_nobody_writes_to_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    let waited = read::file(&pipe, Some(std::time::Duration::from_millis(10))).await;
    let why = waited.expect_err("nobody writes");
    assert!(
        why.ends_with("within 10ms; is it a pipe that nobody writes to?"),
        "{why}"
    );
    assert_eq!(read::plain_file(&pipe).await, None, "it is not even opened");
    let writer = pipe.clone();
    let opened = std::thread::spawn(move || std::fs::write(writer, "value\n"));
    let _ = opened.join();
}

#[tokio::test]
async fn a_failing_command_does_not_show_what_it_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let masked = Mutex::new(String::new());
    let mask = |value: &str| masked.lock().expect("not poisoned").push_str(value);
    let secrets = Secrets::new(folder.path(), &mask, None);
    let script = "echo hunter2; echo wrong code for hunter2 >&2; exit 1";
    let source = SecretSource::Command(script.into());
    let stop = secrets.value("TOKEN", &source).await.expect_err("it fails");
    let cause = &stop.report.causes[0];
    assert!(cause.ends_with("wrong code for hunter2"), "{cause}");
    assert_eq!(
        *masked.lock().expect("not poisoned"),
        "hunter2\n",
        "what is shown goes through the masks"
    );
}

#[tokio::test]
async fn an_empty_value_is_warned_about_once() {
    let (events, mut sent) = Events::channel();
    let secrets = Secrets::new(Path::new("/"), &|_| {}, None).warning(&events);
    let source = SecretSource::Command("echo".into());
    for _ in 0..2 {
        secrets.value("TOKEN", &source).await.expect("a value");
    }
    let kinds: Vec<_> = std::iter::from_fn(|| sent.try_next())
        .map(|event| event.kind)
        .collect();
    let [EventKind::Warning { message, .. }] = &kinds[..] else {
        panic!("{kinds:?}")
    };
    assert_eq!(message, "the secret `TOKEN` is empty");
}

struct Nobody;

impl crate::transport::Prompt for Nobody {
    fn passphrase(&self, _: &Path) -> Option<SecretString> {
        None
    }
}

#[tokio::test]
async fn what_is_at_hand_is_masked_with_the_key_of_the_records() {
    let project = crate::model::testing::TestProject::new();
    let write = |path: &str, text: &str| project.write(path, text);
    write(
        "inventory/staging.toml",
        "recipes = [\"web\"]\n[hosts]\nweb-1 = { address = \"192.0.2.1\" }\n[state]\nkey = { file = \"key\" }\n\
         [registries.\"registry.example\"]\nusername = \"deploy\"\npassword = { file = \"password\" }\n",
    );
    write(
        "recipes/web.toml",
        "hosts = \"all\"\n[container]\nimage = \"web\"\nsecrets = { TOKEN = { file = \"token\" } }\n",
    );
    for name in ["key", "password", "token"] {
        write(name, &format!("the {name}\n"));
    }
    let environment = project.environment();
    let masked = Mutex::new(Vec::new());
    let mask = |value: &str| masked.lock().expect("not poisoned").push(value.to_owned());
    let connector = Connector::new(Arc::new(Nobody));
    mask_at_hand(&environment, project.path(), &mask, &connector).await;
    assert_eq!(
        *masked.lock().expect("not poisoned"),
        ["the token", "the password", "the key"]
    );
}
