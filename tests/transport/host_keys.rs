//! Whether the server is the one we mean.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    time::{SystemTime, UNIX_EPOCH},
};

use futures::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::{
    Algorithm, Certificate, EcdsaCurve, HashAlg, PrivateKey, PublicKey,
    key::safe_rng,
    ssh_key::{
        certificate::{Builder, CertType},
        known_hosts::HostPatterns,
    },
};
use sha1::Sha1;
use shipit::{
    model::{Host, HostKeyPolicy},
    transport::ConnectError,
};

use super::{
    home::{Home, host},
    server::{Behaviour, Server, ed25519},
};

fn text(key: &PublicKey) -> String {
    key.to_openssh().unwrap()
}

fn accept_new(server: &Server) -> Host {
    let mut host = host(server);
    host.ssh.host_keys = Some(HostKeyPolicy::AcceptNew);
    host
}

fn ecdsa() -> PrivateKey {
    let curve = EcdsaCurve::NistP256;
    PrivateKey::random(&mut safe_rng(), Algorithm::Ecdsa { curve }).unwrap()
}

#[tokio::test]
async fn an_unknown_key_is_refused_with_its_fingerprint() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;

    let error = home.connect(&host(&server)).await.unwrap_err();

    let fingerprint = server.host_key.fingerprint(HashAlg::Sha256);
    assert_eq!(
        error.to_string(),
        format!(
            "the ssh-ed25519 host key of deployer@127.0.0.1:{} is not known: {fingerprint}",
            server.port
        )
    );
    let hint = error.hint().unwrap();
    let command = format!("`ssh -p {} deployer@127.0.0.1`", server.port);
    assert!(hint.contains(&command), "{hint}");
    assert!(!home.path(".ssh/known_hosts").exists());
}

#[tokio::test]
async fn accept_new_adds_the_key_once_and_for_all() {
    let home = Home::new();
    fs::remove_dir_all(home.path(".ssh")).unwrap();
    let mut behaviour = Behaviour::new(&home.key);
    let key = home.write_key("key", &home.key);
    let server = behaviour.clone().start().await;
    let mut host = accept_new(&server);
    host.ssh.identity_files = vec![key.clone()];

    let connector = home.connector();
    for session in join_all((0..10).map(|_| connector.connect(&host))).await {
        session.unwrap();
    }

    let line = format!("[127.0.0.1]:{} {}\n", server.port, text(&server.host_key));
    assert_eq!(home.read(".ssh/known_hosts"), line);
    let mode = |path| fs::metadata(home.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(".ssh"), mode(".ssh/known_hosts")), (0o700, 0o600));

    // A file without a newline at its end does not spoil the new line.
    home.write(".ssh/known_hosts", line.trim_end());
    behaviour.host_keys = vec![ed25519()];
    let other = behaviour.start().await;
    let mut host = accept_new(&other);
    host.ssh.identity_files = vec![key];
    connector.connect(&host).await.unwrap();
    assert!(home.read(".ssh/known_hosts").starts_with(&line));
    assert_eq!(home.read(".ssh/known_hosts").lines().count(), 2);
}

#[tokio::test]
async fn accept_new_goes_on_when_the_key_cannot_be_added() {
    let home = Home::new();
    let mut behaviour = Behaviour::new(&home.key);
    behaviour.host_keys = vec![ed25519()];
    let server = behaviour.clone().start().await;
    let mut host = accept_new(&server);
    // Nobody can create a file there, not even root.
    host.ssh.known_hosts_files = vec!["/proc/known_hosts".into()];
    let connector = home.connector();

    for session in join_all((0..3).map(|_| connector.connect(&host))).await {
        session.unwrap();
    }

    let [not_added] = &connector.host_keys_not_added()[..] else {
        panic!("one warning");
    };
    assert_eq!(not_added.hosts, [format!("[127.0.0.1]:{}", server.port)]);
    assert_eq!(not_added.file.to_str(), Some("/proc/known_hosts"));
    assert!(!not_added.reason.is_empty());
    assert_eq!(connector.host_keys_not_added(), []);
}

#[tokio::test]
async fn a_key_that_could_not_be_added_still_holds_for_the_run() {
    let home = Home::new();
    let first = Behaviour::new(&home.key).start().await;
    let second = Behaviour::new(&home.key).start().await;
    let connector = home.connector();
    // Both under one name, as one host that shows another key the second time.
    home.write(
        ".ssh/config",
        "HostKeyAlias web\nUserKnownHostsFile /proc/known_hosts\n",
    );

    connector.connect(&accept_new(&first)).await.unwrap();
    let error = connector.connect(&accept_new(&second)).await.unwrap_err();

    assert!(
        matches!(error, ConnectError::HostKeyUnknown { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_changed_key_is_refused_whatever_the_policy() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    let entry = format!("[127.0.0.1]:{}", server.port);
    let before = format!(
        "# a comment\n\nnonsense\n{entry} {}\n",
        text(ed25519().public_key())
    );
    home.write(".ssh/known_hosts", &before);

    for host in [host(&server), accept_new(&server)] {
        let error = home.connect(&host).await.unwrap_err();
        let ConnectError::HostKeyChanged { line, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(*line, 4);
        let hint = error.hint().unwrap();
        assert!(
            hint.contains(&format!("`ssh-keygen -R '{entry}' -f /")),
            "{hint}"
        );
    }
    assert_eq!(home.read(".ssh/known_hosts"), before);
}

#[tokio::test]
async fn accept_new_is_not_for_a_host_known_by_another_type_of_key() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    let entry = format!("[127.0.0.1]:{}", server.port);
    home.write(
        ".ssh/known_hosts",
        &format!("{entry} {}\n", text(ecdsa().public_key())),
    );

    let error = home.connect(&accept_new(&server)).await.unwrap_err();

    let ConnectError::HostKeyUnknown { others, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(others, ["ecdsa-sha2-nistp256"]);
}

#[tokio::test]
async fn a_host_shows_the_key_it_is_known_by() {
    let home = Home::new();
    let known = ecdsa();
    let behaviour = Behaviour {
        host_keys: vec![ed25519(), known.clone()],
        ..Behaviour::new(&home.key)
    };
    let server = behaviour.start().await;
    let entry = format!("[127.0.0.1]:{}", server.port);
    home.write(
        ".ssh/known_hosts",
        &format!("{entry} {}\n", text(known.public_key())),
    );

    home.connect(&host(&server)).await.unwrap();
}

#[tokio::test]
async fn a_revoked_key_is_refused_though_it_is_known() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    home.know(&server);
    home.write(
        "etc-ssh_known_hosts",
        &format!("@revoked * {}\n", text(&server.host_key)),
    );

    let error = home.connect(&accept_new(&server)).await.unwrap_err();

    assert!(
        matches!(error, ConnectError::HostKeyRevoked { line: 1, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn hashed_wildcard_and_portless_entries_count() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    let key = text(&server.host_key);
    let name = format!("[127.0.0.1]:{}", server.port);
    let salt = b"twenty bytes of salt".to_vec();
    let mut code = Hmac::<Sha1>::new_from_slice(&salt).unwrap();
    code.update(name.as_bytes());
    let hash = code.finalize().into_bytes().into();
    let hashed = HostPatterns::HashedName { salt, hash }.to_string();

    for entry in [&hashed[..], "[127.0.*]:*", "127.0.0.1", "a,*,b", &name] {
        home.write(".ssh/known_hosts", &format!("{entry}\t{key} a comment\n"));
        home.connect(&host(&server)).await.unwrap();
    }
    for entry in [
        &format!("*,!{name},!127.*")[..],
        "127.0.0.2",
        "|1|bad|worse",
    ] {
        home.write(".ssh/known_hosts", &format!("{entry} {key}\n"));
        let refused = home.connect(&host(&server)).await;
        assert!(
            matches!(refused, Err(ConnectError::HostKeyUnknown { .. })),
            "{entry}"
        );
    }
}

#[tokio::test]
async fn a_known_hosts_file_that_cannot_be_read_is_an_error() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    fs::create_dir(home.path(".ssh/known_hosts")).unwrap();

    let error = home.connect(&accept_new(&server)).await.unwrap_err();

    assert!(
        matches!(error, ConnectError::KnownHosts { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn files_named_in_the_inventory_stand_alone() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    home.know(&server);
    let mut host = host(&server);
    host.ssh.known_hosts_files = vec!["~/mine".into()];

    let refused = home.connect(&host).await;
    assert!(matches!(refused, Err(ConnectError::HostKeyUnknown { .. })));

    fs::rename(home.path(".ssh/known_hosts"), home.path("mine")).unwrap();
    home.connect(&host).await.unwrap();
}

fn certificate(
    authority: &PrivateKey,
    key: &PrivateKey,
    principal: &str,
    days: u64,
) -> Certificate {
    certificate_with(authority, key, principal, days, |_| {})
}

fn certificate_with(
    authority: &PrivateKey,
    key: &PrivateKey,
    principal: &str,
    days: u64,
    add: impl FnOnce(&mut Builder),
) -> Certificate {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let begin = now - 10 * 86_400;
    let mut builder = Builder::new_with_random_nonce(
        &mut safe_rng(),
        key.public_key(),
        begin,
        begin + days * 86_400,
    )
    .unwrap();
    builder.cert_type(CertType::Host).unwrap();
    builder.valid_principal(principal).unwrap();
    add(&mut builder);
    builder.sign(authority).unwrap()
}

#[tokio::test]
async fn an_authority_vouches_for_hosts() {
    let home = Home::new();
    let authority = ed25519();
    let key = ed25519();
    let line = format!(
        "@cert-authority 127.0.0.1 {}\n",
        text(authority.public_key())
    );
    let unknown = |result: &Result<_, ConnectError>| {
        matches!(result, Err(ConnectError::HostKeyUnknown { .. }))
    };
    for (principal, days, good) in [
        ("127.0.0.1", 20, true),
        ("127.0.0.1", 1, false),
        ("other", 20, false),
    ] {
        let behaviour = Behaviour {
            host_keys: vec![key.clone()],
            certificates: vec![certificate(&authority, &key, principal, days)],
            ..Behaviour::new(&home.key)
        };
        let server = behaviour.start().await;
        home.write(".ssh/known_hosts", &line);
        let result = home.connect(&host(&server)).await;
        assert_eq!(result.is_ok(), good, "{principal} {days} {result:?}");
        assert_eq!(unknown(&result), !good);

        // The authority's own key is not the host's.
        home.write(".ssh/known_hosts", &line.replace("@cert-authority ", ""));
        assert!(home.connect(&host(&server)).await.is_err());

        // A key that is known by itself needs nobody to vouch for it.
        let known = format!("[127.0.0.1]:{} {}\n", server.port, text(key.public_key()));
        home.write(".ssh/known_hosts", &(line.clone() + &known));
        home.connect(&host(&server)).await.unwrap();

        let revoked = line.replace("@cert-authority", "@revoked");
        home.write(".ssh/known_hosts", &(line.clone() + &known + &revoked));
        let result = home.connect(&host(&server)).await;
        assert!(
            matches!(result, Err(ConnectError::HostKeyRevoked { .. })),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_count_says_why() {
    let home = Home::new();
    let (authority, key) = (ed25519(), ed25519());
    let line = format!(
        "@cert-authority 127.0.0.1 {}\n",
        text(authority.public_key())
    );
    home.write(".ssh/known_hosts", &line);
    let option = |builder: &mut Builder| {
        let option = builder.critical_option("only-on-mondays", "");
        option.unwrap();
    };
    let extension = |builder: &mut Builder| {
        builder.extension("unknown-and-harmless", "").unwrap();
    };
    let good = certificate(&authority, &key, "127.0.0.1", 20);
    let cases = [
        (good.clone(), None),
        (
            certificate_with(&authority, &key, "127.0.0.1", 20, extension),
            None,
        ),
        (
            certificate_with(&authority, &key, "127.0.0.1", 20, option),
            Some("it has critical options that are not supported: only-on-mondays"),
        ),
        (
            certificate(&authority, &key, "127.0.0.1", 1),
            Some("it has expired on 20"),
        ),
        (
            certificate(&authority, &key, "other", 20),
            Some("it is issued to other, not to 127.0.0.1"),
        ),
        (
            certificate(&ed25519(), &key, "127.0.0.1", 20),
            Some("its authority SHA256:"),
        ),
    ];
    for (certificate, reason) in cases {
        let behaviour = Behaviour {
            host_keys: vec![key.clone()],
            certificates: vec![certificate],
            ..Behaviour::new(&home.key)
        };
        let server = behaviour.start().await;
        let result = home.connect(&host(&server)).await;
        let Some(reason) = reason else {
            result.unwrap();
            continue;
        };
        let error = result.unwrap_err();
        let expected = format!("; its certificate does not count: {reason}");
        assert!(error.to_string().contains(&expected), "{error}");
        let hint = error.hint().unwrap();
        assert!(hint.contains("@cert-authority"), "{hint}");
    }
}
