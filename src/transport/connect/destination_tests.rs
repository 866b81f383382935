use std::fs;

use super::*;

fn home(config: &str) -> (tempfile::TempDir, Paths) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join(".ssh")).expect("created");
    fs::write(folder.path().join(".ssh/config"), config).expect("written");
    let paths = Paths {
        home: folder.path().to_owned(),
        user: "me".to_owned(),
        agent: Some(PathBuf::from("/agent")),
        system_config: folder.path().join("system"),
        system_known_hosts: vec![PathBuf::from("/etc/known")],
    };
    (folder, paths)
}

fn resolve(config: &str, settings: &SshSettings) -> Result<Destination, ConnectError> {
    let (_folder, paths) = home(config);
    Destination::resolve("web", settings, &paths)
}

#[test]
fn with_nothing_said_openssh_s_defaults_hold() {
    let (folder, paths) = home("");
    let destination =
        Destination::resolve("Web.example.com", &SshSettings::default(), &paths).expect("resolved");
    assert_eq!(destination.endpoint.to_string(), "me@web.example.com:22");
    assert_eq!(destination.names.entry, "web.example.com");
    assert!(!destination.accept_new && !destination.identities_only);
    assert_eq!(destination.agent, Some(PathBuf::from("/agent")));
    assert_eq!(destination.timeout, Duration::from_secs(10));
    let ssh = |name: &str| folder.path().join(".ssh").join(name);
    assert_eq!(
        destination.known_hosts,
        [ssh("known_hosts"), ssh("known_hosts2"), "/etc/known".into()]
    );
    let files: Vec<_> = destination
        .identity_files
        .iter()
        .map(|file| &file.path)
        .collect();
    assert_eq!(
        files,
        [&ssh("id_ed25519"), &ssh("id_ecdsa"), &ssh("id_rsa")]
    );
}

#[test]
fn the_inventory_goes_before_the_configuration() {
    let config = "User their\nPort 1\nIdentityFile ~/their\nProxyJump their\nConnectTimeout 1m\n\
                  StrictHostKeyChecking no\nUserKnownHostsFile none\nIdentityAgent ~/sock\n";
    let theirs = resolve(config, &SshSettings::default()).expect("resolved");
    assert_eq!(theirs.endpoint.ssh_command(), "ssh -J their -p 1 their@web");
    assert!(theirs.accept_new);
    assert_eq!(theirs.known_hosts, [PathBuf::from("/etc/known")]);
    assert_eq!(theirs.first_known_hosts, PathBuf::from("/dev/null"));
    assert_eq!(theirs.timeout, Duration::from_secs(60));
    assert!(theirs.agent.is_some_and(|agent| agent.ends_with("sock")));

    let settings = SshSettings {
        user: Some("my".to_owned()),
        port: Some(2),
        identity_files: vec!["~/my".into()],
        proxy_jump: Some(Vec::new()),
        connect_timeout: Some(Duration::from_secs(10)),
        host_keys: Some(HostKeyPolicy::Strict),
        known_hosts_files: vec!["/my/known".into()],
        ..SshSettings::default()
    };
    let mine = resolve(config, &settings).expect("resolved");
    assert_eq!(mine.endpoint.ssh_command(), "ssh -p 2 my@web");
    assert_eq!(mine.timeout, Duration::from_secs(10));
    assert!(!mine.accept_new);
    assert_eq!(mine.known_hosts, [PathBuf::from("/my/known")]);
    let origins: Vec<_> = mine.identity_files.iter().map(|file| file.origin).collect();
    assert_eq!(origins, [Origin::Inventory, Origin::SshConfig]);
}

#[test]
fn the_ways_to_check_host_keys_are_openssh_s() {
    for (word, accept_new) in [
        ("yes", false),
        ("True", false),
        ("ask", false),
        ("No", true),
        ("FALSE", true),
        ("off", true),
        ("Accept-New", true),
    ] {
        let config = format!("StrictHostKeyChecking {word}\n");
        let destination = resolve(&config, &SshSettings::default()).expect("resolved");
        assert_eq!(destination.accept_new, accept_new, "{word}");
    }
}

#[test]
fn tokens_are_expanded() {
    let config = "Host web\n HostName %h.example.com\n Port 2222\n User deployer\n\
                  IdentityFile %d/%h-%n-%p-%r-%u-%k-%%\n HostKeyAlias Prod\n ProxyJump jump-%r\n";
    let destination = resolve(config, &SshSettings::default()).expect("resolved");
    assert_eq!(destination.endpoint.address, "web.example.com");
    assert!(
        destination.identity_files[0]
            .path
            .ends_with("web.example.com-web-2222-deployer-me-prod-%")
    );
    assert_eq!(destination.names.entry, "prod");
    assert_eq!(destination.jumps[0].host, "jump-deployer");
}

#[test]
fn a_proxy_command_is_a_jump_or_an_error() {
    for (line, jumps) in [
        ("ProxyCommand none", Some("")),
        ("ProxyCommand ssh -W %h:%p bastion", Some("bastion")),
        (
            "ProxyCommand ssh -q me@bastion -W [%h]:%p",
            Some("me@bastion"),
        ),
        ("ProxyJump a\nProxyCommand nc %h %p", Some("a")),
        (
            "ProxyCommand ssh -qW %h:%p -p 2222 -l me bastion",
            Some("me@bastion:2222"),
        ),
        (
            "ProxyCommand exec /usr/bin/ssh -T bastion -Whp -p2222 2>/dev/null",
            None,
        ),
        (
            "ProxyCommand exec /usr/bin/ssh -Tp2222 bastion -W\"%h:%p\" 2>/dev/null",
            Some("bastion:2222"),
        ),
        (
            "ProxyCommand ssh -J first -W %h:%p %r@second",
            Some("first,me@second"),
        ),
        ("ProxyJump none\nProxyCommand ssh -W %h:%p b", Some("")),
        ("ProxyCommand none\nProxyJump b", Some("")),
        ("ProxyJump none\nProxyJump b", Some("")),
        ("ProxyCommand nc %h %p", None),
        ("ProxyCommand ssh -W %h:%p", None),
        ("ProxyCommand ssh bastion", None),
        ("ProxyCommand ssh bastion nc %h %p", None),
        ("ProxyCommand ssh -W %h:%p -F other bastion", None),
        ("ProxyCommand ssh -i key -W %h:%p bastion", None),
        ("ProxyCommand ssh -W", None),
    ] {
        let resolved = resolve(line, &SshSettings::default());
        let found = resolved
            .ok()
            .map(|destination| destination.endpoint.jumps.unwrap_or_default());
        assert_eq!(found.as_deref(), jumps, "{line}");
    }
}

#[test]
fn what_would_change_our_meaning_is_an_error_with_its_line() {
    for (config, line) in [
        ("Port 0", 1),
        ("\nPort many", 2),
        ("ConnectTimeout soon", 1),
        ("StrictHostKeyChecking perhaps", 1),
        ("RevokedHostKeys /etc/ssh/revoked", 1),
        ("IdentityFile ~/%Z", 1),
        ("IdentityFile ${SHIPIT_TESTS_HAVE_NO_SUCH_VARIABLE}/key", 1),
        ("Match exec true\n User x", 2),
        ("KnownHostsCommand /usr/bin/known %H", 1),
        ("\nCanonicalizeHostname yes", 2),
        ("IdentitiesOnly maybe", 1),
        ("IdentityFile ~root/key", 1),
        ("Include conf-%h", 1),
        ("\u{feff}User me", 1),
        ("User me you", 1),
        ("Host web\n Match host", 2),
        ("Match all host x", 1),
    ] {
        match resolve(config, &SshSettings::default()) {
            Err(ConnectError::Config { line: found, .. }) => assert_eq!(found, line, "{config}"),
            other => panic!("{config}: {other:?}"),
        }
    }
}
