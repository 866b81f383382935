//! A session whose connection is lost: what was under way fails, and what comes next has a new connection.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use shipit::{
    command::RemoteCommand,
    model::JumpHost,
    transport::{HeldEnd, SessionError},
};

use tokio::io::AsyncReadExt;

use super::{
    home::{Home, host},
    server::{Act, Behaviour, Server, out},
};

const LONG: Duration = Duration::from_secs(20);
/// Long enough for a server to begin, on the slowest machine.
const SHORT: Duration = Duration::from_secs(1);

fn command(name: &str) -> RemoteCommand {
    RemoteCommand::new(name)
}

/// A server that drops its connection when it is told to `drop`, and waits when it is told to `wait`.
fn droppable(home: &Home) -> Behaviour {
    Behaviour::new(&home.key).script(|command| match command {
        "drop" => vec![Act::Disconnect("restarted")],
        "wait" => vec![Act::Stall],
        _ => vec![out("done"), Act::Status(0)],
    })
}

fn connections(server: &Server) -> usize {
    server.seen.connections.load(Ordering::SeqCst)
}

fn ran(server: &Server) -> Vec<String> {
    server.seen.commands.lock().unwrap().clone()
}

#[tokio::test]
async fn the_next_command_has_a_new_connection_and_the_lost_one_is_not_run_again() {
    let home = Home::new();
    let (server, session) = home.session(droppable(&home)).await;

    let lost = session.run(&command("drop"), LONG).await.unwrap_err();
    assert!(
        matches!(lost, SessionError::Disconnected { .. }),
        "{lost:?}"
    );
    assert!(lost.is_unreachable() && session.is_lost());

    for next in ["one", "two"] {
        let output = session.clone().run(&command(next), LONG).await.unwrap();
        assert_eq!(output.stdout, "done");
    }
    assert!(!session.is_lost());
    assert_eq!(connections(&server), 2);
    assert_eq!(ran(&server), ["drop", "one", "two"]);
}

#[tokio::test]
async fn all_that_share_a_session_share_its_new_connection() {
    let home = Home::new();
    let (server, session) = home.session(droppable(&home)).await;
    session.run(&command("drop"), LONG).await.unwrap_err();

    let next = command("next");
    let outputs = join_all((0..8).map(|_| session.run(&next, LONG))).await;

    assert!(outputs.iter().all(Result::is_ok), "{outputs:?}");
    assert_eq!(connections(&server), 2);
}

#[tokio::test]
async fn a_host_that_takes_no_connection_any_more_is_asked_once_and_named() {
    let home = Home::new();
    let behaviour = Behaviour {
        most_connections: 1,
        ..droppable(&home)
    };
    let (server, session) = home.session(behaviour).await;
    session.run(&command("drop"), LONG).await.unwrap_err();

    let next = command("next");
    let results = join_all((0..8).map(|_| session.run(&next, LONG))).await;

    for result in results {
        let error = result.unwrap_err();
        let told = "lost the connection to `host-1` (the server said: restarted) and could not connect again";
        assert_eq!(error.to_string(), told);
        assert!(error.is_unreachable() && error.source().is_some());
    }
    assert_eq!(connections(&server), 2);
    // Whoever comes later tries for himself.
    session.run(&next, LONG).await.unwrap_err();
    assert_eq!(connections(&server), 3);
}

#[tokio::test]
async fn a_connection_that_does_not_answer_is_replaced_as_well() {
    let home = Home::new();
    let behaviour = Behaviour {
        no_channels: 1,
        ..droppable(&home)
    };
    let (server, session) = home.session(behaviour).await;

    let stalled = session.run(&command("one"), SHORT).await.unwrap_err();
    assert!(stalled.is_unreachable() && session.is_lost(), "{stalled:?}");

    session.run(&command("two"), LONG).await.unwrap();
    assert_eq!(
        (connections(&server), ran(&server)),
        (2, vec!["two".into()])
    );
}

#[tokio::test]
async fn one_that_was_only_silent_is_used_further_where_no_other_comes() {
    let home = Home::new();
    let stalls = Arc::new(AtomicBool::new(true));
    let begins = Arc::clone(&stalls);
    let behaviour = Behaviour {
        most_connections: 1,
        is_stalled: Arc::new(move || begins.load(Ordering::SeqCst)),
        ..droppable(&home)
    };
    let (_server, session) = home.session(behaviour).await;

    session.run(&command("one"), SHORT).await.unwrap_err();
    stalls.store(false, Ordering::SeqCst);

    assert!(session.is_lost());
    session.run(&command("two"), LONG).await.unwrap();
    assert!(!session.is_lost());
}

#[tokio::test]
async fn what_is_read_from_a_command_has_a_new_connection_as_well() {
    let home = Home::new();
    let (_server, session) = home.session(droppable(&home)).await;
    session.run(&command("drop"), LONG).await.unwrap_err();

    let mut printed = String::new();
    let mut stdout = session.stdout(command("next"), LONG);
    stdout.read_to_string(&mut printed).await.unwrap();

    assert_eq!(printed, "done");
}

#[tokio::test]
async fn a_held_command_ends_with_its_connection() {
    let home = Home::new();
    let (server, session) = home.session(droppable(&home)).await;
    let held = session.hold(&command("wait"), LONG).await.unwrap();

    session.run(&command("drop"), LONG).await.unwrap_err();
    session.run(&command("next"), LONG).await.unwrap();

    let end = held.ended().await;
    assert!(matches!(end, HeldEnd::Disconnected(_)), "{end:?}");
    assert_eq!(ran(&server), ["wait", "drop", "next"]);
}

#[tokio::test]
async fn after_a_goodbye_nobody_connects_again() {
    let home = Home::new();
    let (server, session) = home.session(droppable(&home)).await;

    session.close().await;

    session.run(&command("next"), LONG).await.unwrap_err();
    assert_eq!(connections(&server), 1);
}

#[tokio::test]
async fn a_host_behind_a_jump_host_is_connected_to_again_through_it() {
    let home = Home::new();
    let jump = droppable(&home).start().await;
    let behind = droppable(&home).start().await;
    home.know(&jump);
    home.know(&behind);
    let mut host = host(&behind);
    host.ssh.proxy_jump = JumpHost::parse_list(&format!("127.0.0.1:{}", jump.port)).ok();
    let session = home.connect(&host).await.unwrap();

    session.run(&command("drop"), LONG).await.unwrap_err();
    session.run(&command("next"), LONG).await.unwrap();

    assert_eq!((connections(&jump), connections(&behind)), (1, 2));
}
