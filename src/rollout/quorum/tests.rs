use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::{
    consul::{Access, Agent, ConsulError},
    docker,
    facts::HostFacts,
    hosts::testing::{TestFleet, behaviour, prints},
    http::tls::testing::{Authority, ServerOf},
    model::{ConsulSettings, HostAndPort, Scheme},
    rollout::testing::shown,
    text,
};

const WEB: &str = "hosts = \"all\"\ncontainer.image = \"web\"\ncontainer.publish_all = true\n\
    [drain]\nwait = \"1s\"\n";

/// What an agent was asked before a rollout, and what that came to. `web-r1` is registered there.
async fn asked_before(
    runs: bool,
    checks: serde_json::Value,
    may_write: bool,
    token: Option<&str>,
) -> (Vec<String>, Result<(), HostError>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let remembered = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap_or_default();
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            let line = text.lines().next().unwrap_or_default();
            let line = line.trim_end_matches(" HTTP/1.1").to_owned();
            let (status, body) = match &*line {
                "GET /v1/status/leader" => (200, json!("10.0.0.1:8300")),
                "GET /v1/agent/services" => (
                    200,
                    json!({"w": {"ID": "w", "Service": "web", "Address": "127.0.0.1", "Port": 32768}}),
                ),
                "GET /v1/agent/checks" => (200, checks.clone()),
                _ if may_write => (200, json!(null)),
                _ => (403, json!("Permission denied")),
            };
            remembered.lock().expect("not poisoned").push(line);
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    let lab = TestFleet::new(&[("web", WEB)], vec![behaviour().script(|_| prints(""))]).await;
    let settings = ConsulSettings::at(HostAndPort::new("127.0.0.1", port));
    let access = Access::new(&settings, token.map(SecretString::from));
    let access = access.unwrap_or_else(|no| panic!("{no:?}"));
    let fleet = lab.fleet.with_consul(&access);
    let reached = &fleet.hosts()[0];
    let containers = json!([shown("web-r1", runs, 32768)]).to_string();
    let mut facts = Facts::default();
    let here = HostFacts {
        containers: docker::parse_containers(&containers).expect("docker's JSON"),
        ..HostFacts::default()
    };
    facts.hosts.insert(reached.name().clone(), here);
    let recipe = lab.environment.recipe("web").expect("a recipe");
    let result = asked(reached, recipe, &facts, 0).await.map(|_| ());
    let seen = seen.lock().expect("not poisoned").clone();
    (seen, result)
}

#[tokio::test]
async fn a_token_that_may_not_drain_is_found_before_a_rollout() {
    let looks = [
        "GET /v1/status/leader",
        "GET /v1/agent/services",
        "GET /v1/agent/checks",
    ];
    let ends = "PUT /v1/agent/service/maintenance/w?enable=false&reason=";
    let with_token = async |runs, checks, may_write| {
        let (seen, result) = asked_before(runs, checks, may_write, Some("s3cret")).await;
        assert_eq!(seen[..3], looks);
        (seen[3..].to_vec(), result)
    };
    let (changed, result) = with_token(true, json!({}), true).await;
    assert_eq!(changed, [ends]);
    assert!(result.is_ok(), "{result:?}");

    let (changed, result) = with_token(true, json!({}), false).await;
    assert_eq!(changed, [ends]);
    let denied = matches!(result, Err(HostError::Consul(ConsulError::Denied { .. })));
    assert!(denied, "{result:?}");

    // Nobody's maintenance mode is ended by that, and a container that does not run is not to be drained.
    let maintenance = json!({"m": {"CheckID": "_service_maintenance:w", "Status": "critical",
        "Notes": "disk", "ServiceID": "w"}});
    for (runs, checks) in [(true, maintenance), (false, json!({}))] {
        let (changed, result) = with_token(runs, checks, false).await;
        assert_eq!(changed, [""; 0]);
        assert!(result.is_ok(), "{result:?}");
    }
    // Where Consul has no ACLs, there is nothing to find out.
    let (seen, result) = asked_before(true, json!({}), false, None).await;
    assert_eq!(seen, looks[..1]);
    assert!(result.is_ok(), "{result:?}");
}

#[tokio::test]
async fn an_agent_that_speaks_tls_is_asked_with_a_token_through_the_tunnel() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = ServerOf {
        name: "server.dc1.consul",
        expires: 2100,
        speaks: &["h2", "http/1.1"],
    };
    let port = authority.serves(server).await;
    let lab = TestFleet::of_one(|_| prints("")).await;
    let session = &lab.fleet.hosts()[0].session;
    let agent = |ca_file, server_name: Option<&str>| {
        let settings = ConsulSettings {
            scheme: Scheme::Https,
            ca_file: Some(ca_file),
            server_name: server_name.map(str::to_owned),
            ..ConsulSettings::at(HostAndPort::new("127.0.0.1", port))
        };
        let access = Access::new(&settings, Some(SecretString::from("s3cret")));
        Agent::new(
            session.clone(),
            access.unwrap_or_else(|no| panic!("{no:?}")),
        )
    };
    let named = Some("server.dc1.consul");
    let said = agent(authority.file(), named).peers().await;
    let asked = format!("GET /v1/status/peers HTTP/2.0 for 127.0.0.1:{port}, x-tenant ");
    assert_eq!(said.expect("an answer"), [asked, "s3cret".to_owned()]);

    let refused = async |agent: Agent| {
        let error = agent.peers().await.expect_err("not trusted");
        let hint = error.hint().expect("what to do");
        assert!(
            hint.contains("`ca_file`") && hint.contains("8501"),
            "{hint}"
        );
        text::chain(&error).join(": ")
    };
    let wrong_name = refused(agent(authority.file(), None)).await;
    assert!(
        wrong_name.contains(
            "did not answer /v1/status/peers: no TLS connection: its certificate is for \
            `server.dc1.consul`, not for `127.0.0.1`"
        ),
        "{wrong_name}"
    );
    let stranger = refused(agent(other.file(), named)).await;
    assert!(
        stranger.contains("the authority of its certificate is not trusted here"),
        "{stranger}"
    );
}
