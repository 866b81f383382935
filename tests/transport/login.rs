//! Logging in: which keys are offered, and what is said when none is taken.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures::future::join_all;
use russh::keys::{
    PrivateKey, PublicKey, agent,
    key::safe_rng,
    ssh_key::{
        Cipher, Kdf,
        certificate::{Builder, CertType},
    },
};
use shipit::{
    command::RemoteCommand,
    transport::{ConnectError, Connector, Paths, Prompt, Tried},
};
use tokio::net::UnixListener;

use super::{
    home::{Home, Typist, host},
    server::{Act, Behaviour, ed25519, out},
};

/// With one round of bcrypt, as the usual sixteen take seconds in an unoptimized build.
fn encrypted(key: &PrivateKey) -> PrivateKey {
    let kdf = Kdf::Bcrypt {
        salt: b"sixteen bytes...".to_vec(),
        rounds: 1,
    };
    key.encrypt_with(Cipher::Aes256Ctr, kdf, 7, "open sesame")
        .unwrap()
}

fn tried(error: ConnectError) -> Vec<Tried> {
    match error {
        ConnectError::AuthenticationRefused { tried, .. } => tried,
        other => panic!("{other:?}"),
    }
}

/// An agent with these keys.
async fn agent(home: &Home, keys: &[&PrivateKey]) -> Paths {
    agent_of((), home, keys, &[]).await
}

async fn agent_of(
    owner: impl agent::server::Agent + Sync,
    home: &Home,
    keys: &[&PrivateKey],
    constraints: &[agent::Constraint],
) -> Paths {
    let socket = home.path("agent");
    let listener = UnixListener::bind(&socket).unwrap();
    let streams = futures::stream::unfold(listener, |listener| async {
        let stream = listener.accept().await.map(|(stream, _)| stream);
        Some((stream, listener))
    });
    tokio::spawn(agent::server::serve(Box::pin(streams), owner));
    let mut client = agent::client::AgentClient::connect_uds(&socket)
        .await
        .unwrap();
    for key in keys {
        client.add_identity(key, constraints).await.unwrap();
    }
    Paths {
        agent: Some(socket),
        ..home.paths()
    }
}

fn connector(prompt: &Arc<Typist>, paths: Paths) -> Connector {
    let prompt: Arc<dyn Prompt> = Arc::clone(prompt) as _;
    Connector::with_paths(prompt, paths)
}

#[tokio::test]
async fn a_key_file_of_the_inventory_logs_in() {
    let home = Home::new();
    let key = ed25519();
    home.write_key("mine.pem", &key);
    let behaviour = Behaviour::new(&key).script(|_| vec![out("hello"), Act::Status(0)]);
    let server = behaviour.start().await;
    home.know(&server);
    let mut host = host(&server);
    host.ssh.identity_files = vec!["~/mine.pem".into()];
    host.ssh.user = Some("vagrant".to_owned());

    let session = home.connect(&host).await.unwrap();

    let command = RemoteCommand::new("hello");
    let output = session
        .run(&command, Duration::from_secs(20))
        .await
        .unwrap();
    assert_eq!(output.stdout, "hello");
    assert_eq!(server.seen.signatures.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_passphrase_is_asked_for_once_for_all_hosts() {
    let home = Home::new();
    home.write_key(".ssh/id_ed25519", &encrypted(&home.key));
    let server = Behaviour::new(&home.key).start().await;
    home.know(&server);
    let typist = Typist::types(&["a typing error", "open sesame"]);
    let connector = connector(&typist, home.paths());
    let host = host(&server);

    for session in join_all((0..5).map(|_| connector.connect(&host))).await {
        session.unwrap();
    }
    assert_eq!(typist.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_passphrase_is_not_asked_for_when_the_server_does_not_want_the_key() {
    let home = Home::new();
    home.write_key(".ssh/id_ed25519", &encrypted(&home.key));
    let other = ed25519();
    home.write_key(".ssh/id_ecdsa", &other);
    let server = Behaviour::new(&other).start().await;
    home.know(&server);
    let typist = Typist::types(&["open sesame"]);

    connector(&typist, home.paths())
        .connect(&host(&server))
        .await
        .unwrap();

    assert_eq!(typist.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_key_that_stays_locked_is_named() {
    let home = Home::new();
    home.write_key(".ssh/id_ed25519", &encrypted(&home.key));
    let server = Behaviour::new(&home.key).start().await;
    home.know(&server);

    for (answers, reason) in [
        (
            &[][..],
            "it has a passphrase, and there was nobody to ask for it",
        ),
        (&["1", "2", "3", "4"][..], "the passphrase was wrong"),
    ] {
        let typist = Typist::types(answers);
        let error = connector(&typist, home.paths())
            .connect(&host(&server))
            .await;
        let error = error.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "could not unlock the key file `{}`: {reason}",
                home.path(".ssh/id_ed25519").display()
            )
        );
        assert!(error.hint().unwrap().contains("ssh-add"));
    }
}

#[tokio::test]
async fn the_agent_serves_its_own_keys_and_those_of_locked_files() {
    let home = Home::new();
    let locked = ed25519();
    home.write_key(".ssh/id_ed25519", &encrypted(&locked));
    let loose = ed25519();
    let paths = agent(&home, &[&loose, &locked]).await;
    let typist = Typist::types(&[]);
    let connector = connector(&typist, paths);

    let for_loose = Behaviour::new(&loose).start().await;
    let for_locked = Behaviour::new(&locked).start().await;
    home.know(&for_loose);
    home.know(&for_locked);

    for server in [&for_loose, &for_locked] {
        connector.connect(&host(server)).await.unwrap();
    }
    assert_eq!(typist.asked.load(Ordering::SeqCst), 0);
}

/// The owner of an agent, who confirms each signature after so long.
#[derive(Clone)]
struct Owner(Duration);

impl agent::server::Agent for Owner {
    fn confirm(self, _: Arc<PrivateKey>) -> Box<dyn Future<Output = (Self, bool)> + Unpin + Send> {
        Box::new(Box::pin(async move {
            tokio::time::sleep(self.0).await;
            (self, true)
        }))
    }
}

#[tokio::test]
async fn the_connect_timeout_stands_still_while_an_agent_asks_its_owner() {
    let home = Home::new();
    let key = ed25519();
    let limit = Duration::from_secs(2);
    let owner = Owner(limit + Duration::from_millis(200));
    let paths = agent_of(owner, &home, &[&key], &[agent::Constraint::Confirm]).await;
    let server = Behaviour::new(&key).start().await;
    home.know(&server);
    let mut host = host(&server);
    host.ssh.connect_timeout = Some(limit);

    let typist = Typist::types(&[]);
    connector(&typist, paths).connect(&host).await.unwrap();
}

#[tokio::test]
async fn identities_only_leaves_the_agents_other_keys_alone() {
    let home = Home::new();
    let loose = ed25519();
    let paths = agent(&home, &[&loose]).await;
    let server = Behaviour::new(&loose).start().await;
    home.know(&server);
    home.write(
        ".ssh/config",
        "Host *\n IdentitiesOnly yes\n IdentityFile ~/.ssh/id_ed25519\n",
    );
    let typist = Typist::types(&[]);

    let error = connector(&typist, paths.clone())
        .connect(&host(&server))
        .await;

    let tried = tried(error.unwrap_err());
    assert_eq!(tried.len(), 1);
    assert!(tried[0].key.ends_with("id_ed25519"), "{tried:?}");

    // The public half in a file names a key of the agent's.
    let public = loose.public_key().to_openssh().unwrap();
    home.write("loose.pub", &public);
    home.write(
        ".ssh/config",
        "Host *\n IdentitiesOnly yes\n IdentityFile ~/loose.pub\n",
    );
    connector(&typist, paths)
        .connect(&host(&server))
        .await
        .unwrap();
}

/// Writes `KEY-cert.pub` beside a key.
fn certify(home: &Home, path: &str, key: &PublicKey, authority: &PrivateKey) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let (begin, end) = (now.as_secs() - 86_400, now.as_secs() + 86_400);
    let mut builder = Builder::new_with_random_nonce(&mut safe_rng(), key, begin, end).unwrap();
    builder.cert_type(CertType::User).unwrap();
    builder.valid_principal("deployer").unwrap();
    let certificate = builder.sign(authority).unwrap();
    home.write(
        &format!("{path}-cert.pub"),
        &certificate.to_openssh().unwrap(),
    );
}

/// A server that knows no key of a user's, only who signs them.
fn only_certificates(authority: &PrivateKey) -> Behaviour {
    Behaviour {
        users: Vec::new(),
        authorities: vec![authority.public_key().clone()],
        ..Behaviour::new(authority)
    }
}

#[tokio::test]
async fn a_certificate_beside_a_key_logs_in_wherever_the_key_is() {
    let home = Home::new();
    let authority = ed25519();
    let server = only_certificates(&authority).start().await;
    home.know(&server);
    certify(&home, ".ssh/id_ed25519", home.key.public_key(), &authority);

    // In the file.
    home.connect(&host(&server)).await.unwrap();

    // In the file, under a passphrase.
    home.write_key(".ssh/id_ed25519", &encrypted(&home.key));
    let typist = Typist::types(&["open sesame"]);
    let locked = connector(&typist, home.paths());
    locked.connect(&host(&server)).await.unwrap();

    // In the agent.
    let typist = Typist::types(&[]);
    let paths = agent(&home, &[&home.key]).await;
    let in_both = connector(&typist, paths.clone());
    in_both.connect(&host(&server)).await.unwrap();

    // In the agent alone.
    std::fs::remove_file(home.path(".ssh/id_ed25519")).unwrap();
    let in_agent = connector(&typist, paths);
    in_agent.connect(&host(&server)).await.unwrap();

    let signatures = server.seen.signatures.lock().unwrap();
    assert_eq!(*signatures, ["ssh-ed25519 of a certificate"; 4]);
}

#[tokio::test]
async fn a_certificate_that_is_named_logs_in_wherever_the_key_is() {
    let home = Home::new();
    let authority = ed25519();
    let server = only_certificates(&authority).start().await;
    home.know(&server);
    home.write_key("key", &home.key);
    certify(&home, "signed", home.key.public_key(), &authority);
    // Where some are named, this one does not count.
    certify(&home, "key", home.key.public_key(), &ed25519());
    let config = "Host *\n IdentityFile ~/key\n CertificateFile ~/signed-cert.pub\n";
    home.write(".ssh/config", &format!("{config} IdentitiesOnly yes\n"));

    // In the file.
    home.connect(&host(&server)).await.unwrap();

    // In the file, under a passphrase.
    home.write_key("key", &encrypted(&home.key));
    let typist = Typist::types(&["open sesame"]);
    let locked = connector(&typist, home.paths());
    locked.connect(&host(&server)).await.unwrap();

    // In the agent, under a file's name and without one.
    let typist = Typist::types(&[]);
    let paths = agent(&home, &[&home.key]).await;
    let in_both = connector(&typist, paths.clone());
    in_both.connect(&host(&server)).await.unwrap();
    std::fs::remove_file(home.path("key")).unwrap();
    std::fs::remove_file(home.path("key-cert.pub")).unwrap();
    home.write(".ssh/config", config);
    let in_agent = connector(&typist, paths);
    in_agent.connect(&host(&server)).await.unwrap();

    let signatures = server.seen.signatures.lock().unwrap();
    assert_eq!(*signatures, ["ssh-ed25519 of a certificate"; 4]);
    // Nothing was refused; the locked key is shown once before its passphrase is asked for.
    assert_eq!(server.seen.offers.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_noted() {
    let home = Home::new();
    let authority = ed25519();
    let server = only_certificates(&authority).start().await;
    home.know(&server);
    certify(&home, "of-another", ed25519().public_key(), &authority);
    home.write(
        ".ssh/config",
        "CertificateFile ~/of-another-cert.pub\nCertificateFile ~/missing\n",
    );

    let tried = tried(home.connect(&host(&server)).await.unwrap_err());

    let find = |name: &str| {
        let found = tried.iter().find(|tried| tried.key.ends_with(name));
        found.unwrap_or_else(|| panic!("{tried:?}")).outcome.clone()
    };
    assert_eq!(
        find("of-another-cert.pub"),
        "it is a certificate for another key than those to try"
    );
    assert!(find("missing").contains("no certificate that shipit can read"));
    assert_eq!(find("id_ed25519"), "refused");
}

#[tokio::test]
async fn a_certificate_of_an_rsa_key_signs_with_sha_2() {
    let home = Home::new();
    let authority = ed25519();
    let server = only_certificates(&authority).start().await;
    home.know(&server);
    std::fs::remove_file(home.path(".ssh/id_ed25519")).unwrap();
    home.write(".ssh/id_rsa", include_str!("keys/rsa"));
    let public = PublicKey::from_openssh(include_str!("keys/rsa.pub")).unwrap();
    certify(&home, ".ssh/id_rsa", &public, &authority);

    home.connect(&host(&server)).await.unwrap();

    assert_eq!(*server.seen.offers.lock().unwrap(), ["rsa-sha2-512"]);
}

#[tokio::test]
async fn a_dead_agent_is_noted_and_key_files_still_serve() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    home.know(&server);
    let paths = Paths {
        agent: Some(home.path("nowhere")),
        ..home.paths()
    };
    let typist = Typist::types(&[]);

    connector(&typist, paths.clone())
        .connect(&host(&server))
        .await
        .unwrap();

    let strict = Behaviour::new(&ed25519()).start().await;
    home.know(&strict);
    let error = connector(&typist, paths).connect(&host(&strict)).await;
    let tried = tried(error.unwrap_err());
    assert!(tried[0].key.starts_with("agent at "), "{tried:?}");
}

#[tokio::test]
async fn a_refusal_lists_what_was_tried_and_what_to_type() {
    let home = Home::new();
    let server = Behaviour::new(&ed25519()).start().await;
    home.know(&server);

    let error = home.connect(&host(&server)).await.unwrap_err();

    assert_eq!(
        error.to_string(),
        format!(
            "deployer@127.0.0.1:{} refused the login; {}: refused",
            server.port,
            home.path(".ssh/id_ed25519").display()
        )
    );
    let hint = error.hint().unwrap();
    let command = format!("ssh-copy-id -p {} deployer@127.0.0.1", server.port);
    assert!(hint.contains(&command), "{hint}");
}

#[tokio::test]
async fn a_server_that_has_enough_of_refusing_is_not_asked_further() {
    let home = Home::new();
    for number in 0..8 {
        home.write_key(&format!("key-{number}"), &ed25519());
    }
    let behaviour = Behaviour {
        max_attempts: 3,
        ..Behaviour::new(&ed25519())
    };
    let server = behaviour.start().await;
    home.know(&server);
    let mut host = host(&server);
    host.ssh.identity_files = (0..8)
        .map(|number| format!("~/key-{number}").into())
        .collect();

    let error = home.connect(&host).await.unwrap_err();

    let tried = tried(error);
    assert!(tried.len() <= 4, "{tried:?}");
    assert_eq!(
        tried.last().unwrap().outcome,
        "the server closed the connection"
    );
}

#[tokio::test]
async fn without_any_key_the_error_says_so() {
    let home = Home::new();
    std::fs::remove_file(home.path(".ssh/id_ed25519")).unwrap();
    let server = Behaviour::new(&home.key).start().await;
    home.know(&server);

    let error = home.connect(&host(&server)).await.unwrap_err();

    let ConnectError::AuthenticationRefused { methods, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*methods, ["publickey"]);
    assert!(
        error.to_string().ends_with("there was no key to try"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("ssh-add"));
}

#[tokio::test]
async fn a_key_file_of_the_inventory_must_be_there_and_be_one() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    home.know(&server);
    home.write("nonsense", "this is no key\n");
    for (file, reason) in [
        ("~/missing", "there is no such file"),
        ("~/nonsense", "it holds no private key"),
    ] {
        let mut host = host(&server);
        host.ssh.identity_files = vec![file.into()];
        let error = home.connect(&host).await.unwrap_err();
        assert!(matches!(error, ConnectError::KeyFile { .. }), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn rsa_keys_sign_with_sha_2() {
    let home = Home::new();
    home.write(".ssh/id_rsa", include_str!("keys/rsa"));
    let public = PublicKey::from_openssh(include_str!("keys/rsa.pub")).unwrap();
    let behaviour = Behaviour {
        users: vec![public],
        ..Behaviour::new(&home.key)
    };
    let server = behaviour.start().await;
    home.know(&server);

    home.connect(&host(&server)).await.unwrap();

    let signatures = server.seen.signatures.lock().unwrap();
    assert_eq!(*signatures, ["rsa-sha2-512"]);
}

#[tokio::test]
async fn a_server_that_says_nothing_ends_in_a_timeout() {
    let home = Home::new();
    let behaviour = Behaviour {
        mute: true,
        ..Behaviour::new(&home.key)
    };
    let server = behaviour.start().await;
    let mut host = host(&server);
    host.ssh.connect_timeout = Some(Duration::from_millis(300));
    let begun = Instant::now();

    let error = home.connect(&host).await.unwrap_err();

    assert_eq!(
        error.to_string(),
        format!(
            "deployer@127.0.0.1:{}: timed out after 0.3 s waiting for the SSH handshake",
            server.port
        )
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_closed_port_and_a_name_without_an_address_are_told_apart() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    let mut closed = host(&server);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    closed.ssh.port = Some(listener.local_addr().unwrap().port());
    drop(listener);
    let error = home.connect(&closed).await.unwrap_err();
    assert!(matches!(error, ConnectError::Connect { .. }), "{error:?}");

    let mut nameless = host(&server);
    nameless.address = "no such host".to_owned();
    let error = home.connect(&nameless).await.unwrap_err();
    assert!(matches!(error, ConnectError::Resolve { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_no_ssh_server_is_named_as_such() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut host = host(&server);
    host.ssh.port = Some(listener.local_addr().unwrap().port());
    let web = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer)
            .await
            .unwrap();
    });

    let error = home.connect(&host).await.unwrap_err();

    web.await.unwrap();
    assert!(
        matches!(
            error,
            ConnectError::Handshake { .. } | ConnectError::Connect { .. }
        ),
        "{error:?}"
    );
}
