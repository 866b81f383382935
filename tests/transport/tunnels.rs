//! Tunnels to what only the host can reach.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use shipit::{
    command::RemoteCommand,
    transport::{Refusal, SessionError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

use super::{home::Home, server::Behaviour};

const LONG: Duration = Duration::from_secs(20);

/// Something like Consul: one answer a connection.
async fn consul(body: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /v1/status/leader HTTP/1.1\r\n"));
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    port
}

#[tokio::test]
async fn http_goes_through_a_tunnel() {
    let home = Home::new();
    let (_server, session) = home.session(Behaviour::new(&home.key)).await;
    let body = "192.168.50.101:8300".repeat(100_000);
    let port = consul(body.clone()).await;

    for _ in 0..12 {
        let tunnel = session.tunnel("127.0.0.1", port, LONG).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(tunnel)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("/v1/status/leader")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let got = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(got == body.as_bytes());
    }
}

#[tokio::test]
async fn a_tunnel_carries_both_ways_until_either_side_ends() {
    let home = Home::new();
    let (_server, session) = home.session(Behaviour::new(&home.key)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let echo = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap()
    });
    let sent: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();

    let tunnel = session.tunnel("127.0.0.1", port, LONG).await.unwrap();
    let (mut read, mut write) = tokio::io::split(tunnel);
    let mut got = Vec::new();
    let writing = async {
        write.write_all(&sent).await.unwrap();
        write.shutdown().await.unwrap();
    };
    tokio::join!(writing, async { read.read_to_end(&mut got).await.unwrap() });

    assert!(got == sent);
    assert_eq!(echo.await.unwrap(), 1_000_000);
}

#[tokio::test]
async fn refused_tunnels_say_on_what_ground() {
    let home = Home::new();
    let behaviour = Behaviour {
        forwarding: false,
        ..Behaviour::new(&home.key)
    };
    let (_server, session) = home.session(behaviour).await;
    let error = session.tunnel("127.0.0.1", 8500, LONG).await.unwrap_err();
    assert!(error.hint().unwrap().contains("AllowTcpForwarding"));
    assert!(!error.is_unreachable());

    let (_server, session) = home.session(Behaviour::new(&home.key)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = session.tunnel("127.0.0.1", port, LONG).await.unwrap_err();
    let SessionError::Refused { refusal, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*refusal, Refusal::Unreachable(format!("127.0.0.1:{port}")));
}

#[tokio::test]
async fn a_tunnel_takes_a_place_for_as_long_as_it_lives() {
    let home = Home::new();
    let (_server, session) = home.session(Behaviour::new(&home.key)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();

    let mut tunnels = Vec::new();
    for _ in 0..9 {
        tunnels.push(session.tunnel("127.0.0.1", port, LONG).await.unwrap());
    }
    let full = session
        .tunnel("127.0.0.1", port, Duration::from_millis(100))
        .await;
    assert!(
        matches!(
            full,
            Err(SessionError::Timeout {
                connection: false,
                ..
            })
        ),
        "{full:?}"
    );
    tunnels.pop();
    session.tunnel("127.0.0.1", port, LONG).await.unwrap();
}

#[tokio::test]
async fn a_stream_of_requests_keeps_nobody_else_waiting() {
    let home = Home::new();
    let (_server, session) = home.session(Behaviour::new(&home.key)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();

    let mut beside = Vec::new();
    for _ in 0..64 {
        let tunnel = session.tunnel_beside("127.0.0.1", port, LONG).await;
        beside.push(tunnel.unwrap());
    }
    let mut own = Vec::new();
    for _ in 0..8 {
        own.push(session.tunnel("127.0.0.1", port, LONG).await.unwrap());
    }
    let command = session.run(&RemoteCommand::new("docker"), LONG).await;
    assert!(command.unwrap().success());
}

/// Two connections over one jump host would wait for each other: the inner one reads nothing while what it writes waits
/// for the outer one, and the outer one reads nothing while what it has for the inner one is not taken.
#[tokio::test]
async fn a_tunnel_that_is_not_read_stops_nothing_else() {
    let home = Home::new();
    let (_server, session) = home.session(Behaviour::new(&home.key)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let sent: Vec<u8> = (0..=255).cycle().take(6 * 1024 * 1024).collect();
    let all = sent.clone();
    let far_end = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&all).await.unwrap();
    });

    let mut tunnel = session.tunnel("127.0.0.1", port, LONG).await.unwrap();
    timeout(LONG, far_end).await.expect("all is taken").unwrap();
    let output = session.run(&RemoteCommand::new("true"), LONG).await;
    assert_eq!(output.expect("it runs").status, 0);

    let mut got = Vec::new();
    tunnel.read_to_end(&mut got).await.unwrap();
    assert!(got == sent);
}
