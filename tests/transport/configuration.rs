//! OpenSSH's client configuration, as people have it.

use std::fs;

use shipit::transport::ConnectError;

use super::{
    home::{Home, host},
    server::{Behaviour, ed25519},
};

#[tokio::test]
async fn a_real_configuration_leads_to_the_host() {
    let home = Home::new();
    let key = ed25519();
    home.write_key("work.pem", &key);
    let server = Behaviour::new(&key).start().await;
    home.write(
        "known",
        &format!("prod-web {}\n", server.host_key.to_openssh().unwrap()),
    );
    fs::create_dir(home.path(".ssh/config.d")).unwrap();
    home.write(
        ".ssh/config",
        "# mine\n\
         AddKeysToAgent confirm\n\
         Include config.d/*\n\
         Match exec \"test -e /vpn\"\n\
         \tForwardAgent $SOCKET\n\
         Host *\n\
         \tUser nobody\n\
         \tSendEnv LANG LC_*\n\
         \tIdentityFile ~/missing\n",
    );
    home.write(
        ".ssh/config.d/work",
        &format!(
            "Host web-? !web-9\n\
             \tHostName 127.0.0.1\n\
             \tPort={}\n\
             \tUser \"deployer\"  # the account\n\
             \tIdentityFile %d/work.pem\n\
             \tHostKeyAlias prod-web\n\
             \tUserKnownHostsFile ~/known /dev/null\n\
             \tRemoteCommand none\n",
            server.port
        ),
    );
    let mut host = host(&server);
    host.address = "web-1".to_owned();
    host.ssh.port = None;

    home.connect(&host).await.unwrap();

    // The inventory goes before it.
    host.ssh.user = Some("root".to_owned());
    host.ssh.port = Some(1);
    let error = home.connect(&host).await.unwrap_err();
    let ConnectError::Connect { endpoint, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(endpoint.to_string(), "root@127.0.0.1:1");
}

#[tokio::test]
async fn a_configuration_that_is_named_must_be_there_and_be_one() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    home.know(&server);
    let mut host = host(&server);
    host.ssh.config_file = Some("~/mine".into());
    let error = home.connect(&host).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Config { line: 0, .. }),
        "{error:?}"
    );

    home.write("mine", "Host *\n  ProxyCommand nc -X 5 %h %p\n");
    let error = home.connect(&host).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}:2: `ProxyCommand` is not supported; `ProxyJump` is",
            home.path("mine").display()
        )
    );

    // What the inventory says itself, the file does not decide.
    host.ssh.proxy_jump = Some(Vec::new());
    home.connect(&host).await.unwrap();
}
