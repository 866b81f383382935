use std::{path::Path, sync::Mutex};

use super::*;
use crate::model::HostAndPort;

fn settings(source: SecretSource) -> ConsulSettings {
    ConsulSettings {
        token: Some(source),
        ..ConsulSettings::at(HostAndPort::new("127.0.0.1", 8500))
    }
}

fn command(folder: &Path) -> SecretSource {
    let ran = folder.join("ran");
    SecretSource::Command(format!("touch '{}'; echo s3cret", ran.display()))
}

#[tokio::test]
async fn a_dry_run_reads_only_what_is_at_hand_and_masks_it() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("token"), "s3cret\n").expect("written");
    let masked = Mutex::new(Vec::new());
    let mask = |value: &str| masked.lock().expect("not poisoned").push(value.to_owned());
    let secrets = Secrets::new(folder.path(), &mask, None);
    let why = async |source| {
        let access = access_at_hand(&settings(source), &secrets).await;
        access.err().map(|no_access| no_access.why)
    };

    assert_eq!(why(SecretSource::File("token".into())).await, None);
    assert_eq!(*masked.lock().expect("not poisoned"), ["s3cret"]);
    let told = why(command(folder.path())).await;
    let told = told.expect("nobody runs it");
    assert_eq!(
        told,
        "its token comes from a command, which a dry run does not run"
    );
    assert!(!folder.path().join("ran").exists());
    for (source, part) in [
        (
            SecretSource::Env("SHIPIT_NO_SUCH".into()),
            "`SHIPIT_NO_SUCH`, which is not set",
        ),
        (
            SecretSource::File("none".into()),
            "`none`, which cannot be read",
        ),
        (
            SecretSource::Sealed("none".parse().expect("a name")),
            "sealed as `none`",
        ),
    ] {
        let told = why(source).await.expect("it is not there");
        assert!(told.contains(part), "{told}");
    }
}

#[tokio::test]
async fn what_changes_something_reads_it_from_anywhere_or_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let secrets = Secrets::new(folder.path(), &|_| {}, None);
    let source = command(folder.path());
    assert!(access(&settings(source), &secrets).await.is_ok());
    assert!(folder.path().join("ran").exists());

    let unset = settings(SecretSource::Env("SHIPIT_NO_SUCH".into()));
    let stop = access(&unset, &secrets)
        .await
        .err()
        .expect("it has no value");
    assert_eq!(stop.outcome, Outcome::Usage);
    assert_eq!(
        stop.report.message,
        "the secret `consul.token` has no value"
    );
    let no_file = ConsulSettings {
        scheme: crate::model::Scheme::Https,
        ca_file: Some(folder.path().join("none.pem")),
        token: None,
        ..unset
    };
    let stop = access(&no_file, &secrets).await.err().expect("no file");
    assert_eq!(stop.report.message, "Consul cannot be asked");
    assert!(
        stop.report.causes[0].contains("none.pem"),
        "{:?}",
        stop.report
    );
}
