//! Consul's agent, asked through a tunnel: what it answers, refuses and leaves unsaid.

use std::sync::{Arc, Mutex};

use shipit::{
    consul::{Agent, ConsulError},
    model::HostAndPort,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{home::Home, server::Behaviour};

/// A fake agent: answers by the request's first line, and remembers each.
async fn agent(answer: fn(&str) -> (u16, String)) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let remembered = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            let line = text
                .lines()
                .next()
                .unwrap()
                .trim_end_matches(" HTTP/1.1")
                .to_owned();
            let (status, body) = answer(&line);
            remembered.lock().unwrap().push(line);
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    (port, seen)
}

fn at(port: u16) -> HostAndPort {
    HostAndPort {
        host: "127.0.0.1".into(),
        port,
    }
}

#[tokio::test]
async fn services_come_with_their_checks_and_maintenance_is_asked_for_by_id() {
    let home = Home::new();
    let (_server, session) = home.session(Behaviour::new(&home.key)).await;
    let (port, seen) = agent(|line| {
        let body = match line {
            "GET /v1/status/leader" => r#""10.0.0.1:8300""#,
            "GET /v1/agent/services" => {
                r#"{"host-1:web-r1:5000":{"ID":"host-1:web-r1:5000","Service":"web","Address":"10.0.0.1","Port":32768}}"#
            }
            "GET /v1/agent/checks" => {
                r#"{"m":{"CheckID":"_service_maintenance:host-1:web-r1:5000","Status":"critical","Notes":"shipit r2",
                    "Output":"","ServiceID":"host-1:web-r1:5000"}}"#
            }
            _ => "",
        };
        (200, body.to_owned())
    })
    .await;
    let consul = Agent::new(session, at(port));

    assert_eq!(
        consul.leader().await.unwrap().as_deref(),
        Some("10.0.0.1:8300")
    );
    let services = consul.services().await.unwrap();
    assert_eq!(services.len(), 1);
    assert!(services[0].is_at("10.0.0.1", 32768));
    assert_eq!(services[0].maintenance(), Some("shipit r2"));
    consul
        .set_maintenance(&services[0].service.id, true, "shipit r2: a & b")
        .await
        .unwrap();
    consul.deregister("x/y").await.unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "GET /v1/status/leader",
            "GET /v1/agent/services",
            "GET /v1/agent/checks",
            "PUT /v1/agent/service/maintenance/host-1%3Aweb-r1%3A5000?enable=true&reason=shipit%20r2%3A%20a%20%26%20b",
            "PUT /v1/agent/service/deregister/x%2Fy",
        ]
    );
}

#[tokio::test]
async fn an_agent_that_refuses_talks_nonsense_or_is_not_there() {
    let home = Home::new();
    let (_server, session) = home.session(Behaviour::new(&home.key)).await;
    let (port, _) = agent(|line| match line {
        "GET /v1/status/leader" => (500, "No cluster leader\nmore".to_owned()),
        _ => (200, "<html>".to_owned()),
    })
    .await;
    let consul = Agent::new(session.clone(), at(port));
    let error = consul.leader().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Consul's agent on `{}` answered /v1/status/leader with 500: No cluster leader",
            session.host()
        )
    );
    assert!(matches!(
        consul.peers().await,
        Err(ConsulError::Unexpected { .. })
    ));

    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = Agent::new(session, at(free)).leader().await.unwrap_err();
    assert!(matches!(error, ConsulError::Unreachable { .. }), "{error}");
    assert!(
        !error.is_host_unreachable(),
        "the host is there, only its agent is not"
    );
}
