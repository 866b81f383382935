//! Hosts behind jump hosts.

use std::{sync::atomic::Ordering, time::Duration};

use futures::future::join_all;
use shipit::{
    command::RemoteCommand,
    model::{Host, JumpHost},
    transport::ConnectError,
};

use super::{
    home::{Home, host},
    server::{Act, Behaviour, Server, ed25519, out},
};

const LONG: Duration = Duration::from_secs(20);

fn behind(jump: &Server, server: &Server) -> Host {
    let mut host = host(server);
    host.ssh.proxy_jump = JumpHost::parse_list(&format!("jumper@127.0.0.1:{}", jump.port)).ok();
    host
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_hosts_behind_a_jump_host_share_its_session() {
    let home = Home::new();
    let jump = Behaviour::new(&home.key).start().await;
    let behaviour = Behaviour::new(&home.key).script(|_| vec![out("inside"), Act::Status(0)]);
    let server = behaviour.start().await;
    home.know(&jump);
    home.know(&server);
    let host = behind(&jump, &server);
    let connector = home.connector();

    let sessions = join_all((0..20).map(|_| connector.connect(&host))).await;

    let command = RemoteCommand::new("whoami");
    for session in sessions {
        let output = session.unwrap().run(&command, LONG).await.unwrap();
        assert_eq!(output.stdout, "inside");
    }
    assert_eq!(jump.seen.connections.load(Ordering::SeqCst), 1);
    assert_eq!(server.seen.connections.load(Ordering::SeqCst), 20);
}

#[tokio::test]
async fn jump_hosts_are_chained_and_each_has_its_host_key_checked() {
    let home = Home::new();
    let first = Behaviour::new(&home.key).start().await;
    let second = Behaviour::new(&home.key).start().await;
    let server = Behaviour::new(&home.key).start().await;
    let mut host = host(&server);
    host.ssh.proxy_jump = JumpHost::parse_list(&format!(
        "127.0.0.1:{},127.0.0.1:{}",
        first.port, second.port
    ))
    .ok();

    for next in [&first, &second, &server] {
        let mut error = home.connect(&host).await.unwrap_err();
        let mut hops = 0;
        while let ConnectError::Jump { source, .. } = &error {
            hops += 1;
            if let ConnectError::Jump { .. } = **source {
                error = home.connect(&behind(&first, &second)).await.unwrap_err();
                continue;
            }
            break;
        }
        let port = format!(":{} is not known", next.port);
        let mut chain = error.to_string();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            chain = format!("{chain}: {source}");
            cause = source;
        }
        assert!(chain.contains(&port), "{hops} {chain}");
        home.know(next);
    }
    home.connect(&host).await.unwrap();
    assert!(first.seen.connections.load(Ordering::SeqCst) >= 1);
}

#[tokio::test]
async fn a_jump_host_that_refuses_fails_all_behind_it_with_one_attempt() {
    let home = Home::new();
    let jump = Behaviour::new(&ed25519()).start().await;
    let server = Behaviour::new(&home.key).start().await;
    home.know(&jump);
    home.know(&server);
    let host = behind(&jump, &server);
    let connector = home.connector();

    for result in join_all((0..5).map(|_| connector.connect(&host))).await {
        let error = result.unwrap_err();
        assert!(matches!(error, ConnectError::Jump { .. }), "{error:?}");
        let hint = error.hint().unwrap();
        assert!(
            hint.contains(&format!("-p {} jumper@127.0.0.1", jump.port)),
            "{hint}"
        );
    }
    assert_eq!(jump.seen.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_the_jump_host_cannot_reach_is_said_so() {
    let home = Home::new();
    let jump = Behaviour::new(&home.key).start().await;
    home.know(&jump);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut host = behind(&jump, &jump);
    host.ssh.port = Some(listener.local_addr().unwrap().port());
    drop(listener);

    let error = home.connect(&host).await.unwrap_err();

    assert!(matches!(error, ConnectError::Connect { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("ssh -J jumper@127.0.0.1:"));
}

#[tokio::test]
async fn jump_hosts_without_an_end_are_an_error_with_their_line() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    home.know(&server);
    let config = home.path(".ssh/config");
    for (jump, reason) in [
        ("bastion", "lead back to deployer@bastion:22"),
        ("a,bastion", "lead back to"),
        ("next-%h", "are more than 16, one behind the other"),
        ("127.0.0.1", "lead back to"),
    ] {
        home.write(".ssh/config", &format!("Host *\n  ProxyJump {jump}\n"));

        let error = home.connect(&host(&server)).await.unwrap_err();

        let said = error.to_string();
        assert!(
            said.starts_with(&format!("{}:2: ", config.display())),
            "{said}"
        );
        assert!(said.contains(reason), "{said}");
        assert!(error.hint().unwrap().contains("`ProxyJump none`"));
    }

    // OpenSSH's own remedy.
    home.write(
        ".ssh/config",
        "Host 127.0.0.1\n  ProxyJump none\nHost *\n  ProxyJump next-%h\n",
    );
    home.connect(&host(&server)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_on_both_sides_of_a_circle_do_not_wait_for_each_other() {
    let home = Home::new();
    let server = Behaviour::new(&home.key).start().await;
    home.know(&server);
    home.write(
        ".ssh/config",
        "Host left\n  ProxyJump right\nHost right\n  ProxyJump left\n",
    );
    let connector = home.connector();
    let hosts = ["left", "right"].map(|jump| {
        let mut host = host(&server);
        host.ssh.proxy_jump = JumpHost::parse_list(jump).ok();
        host
    });

    let connect = join_all((0..20).map(|at| connector.connect(&hosts[at % 2])));
    let sessions = tokio::time::timeout(LONG, connect).await.unwrap();

    for session in sessions {
        let error = session.unwrap_err();
        assert!(
            matches!(error, ConnectError::EndlessJumps { .. }),
            "{error:?}"
        );
    }
}
