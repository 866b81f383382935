use secrecy::SecretString;

use super::*;
use crate::{
    hosts::testing::{TestFleet, prints},
    http::tls::testing::{Authority, ServerOf},
    model::{ConsulSettings, Scheme},
};

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
