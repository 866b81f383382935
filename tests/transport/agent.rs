//! Consul's agent, asked through a tunnel: what it answers, refuses and leaves unsaid.

use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use shipit::{
    consul::{Access, Agent, AgentService, ConsulError, NoAccess, ServiceInstance},
    model::{ConsulSettings, HostAndPort, SecretSource},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{home::Home, server::Behaviour};

/// A fake agent: answers by the request's first line, and remembers each, with the token if there is one.
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
            let tokens = text
                .lines()
                .filter_map(|line| line.strip_prefix("x-consul-token: "));
            let line = tokens.fold(line, |line, token| format!("{line} by {token}"));
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

fn settings(port: u16) -> ConsulSettings {
    ConsulSettings::at(HostAndPort {
        host: "127.0.0.1".into(),
        port,
    })
}

fn at(port: u16) -> Access {
    Access::without_token(&settings(port))
}

fn service(id: &str) -> AgentService {
    AgentService {
        id: id.to_owned(),
        service: "web".to_owned(),
        address: String::new(),
        port: 0,
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
        .set_maintenance(&services[0].service, true, "shipit r2: a & b")
        .await
        .unwrap();
    consul.deregister(&service("x/y")).await.unwrap();
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

#[tokio::test]
async fn a_token_goes_with_every_request_and_a_namespace_with_those_for_services() {
    let home = Home::new();
    let (_server, session) = home.session(Behaviour::new(&home.key)).await;
    let (port, seen) = agent(|line| {
        let body = match line {
            "GET /v1/status/leader" => r#""10.0.0.1:8300""#,
            _ => "{}",
        };
        (200, body.to_owned())
    })
    .await;
    let settings = ConsulSettings {
        namespace: Some("team a".to_owned()),
        partition: Some("eu".to_owned()),
        ..settings(port)
    };
    let access = |token: &str| Access::new(&settings, Some(SecretString::from(token)));
    let consul = Agent::new(session.clone(), access("s3cret").unwrap());
    assert!(consul.has_token());
    consul.leader().await.unwrap();
    consul.services().await.unwrap();
    consul
        .set_maintenance(&service("w"), false, "")
        .await
        .unwrap();
    consul.deregister(&service("w")).await.unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "GET /v1/status/leader by s3cret",
            "GET /v1/agent/services?ns=team%20a&partition=eu by s3cret",
            "GET /v1/agent/checks?ns=team%20a&partition=eu by s3cret",
            "PUT /v1/agent/service/maintenance/w?enable=false&reason=&ns=team%20a&partition=eu by s3cret",
            "PUT /v1/agent/service/deregister/w?ns=team%20a&partition=eu by s3cret",
        ]
    );
    // An empty value is none, and what no header can have is refused before anybody is asked.
    assert!(!Agent::new(session, access("").unwrap()).has_token());
    for wrong in ["two words", "two\nlines", "ü"] {
        let NoAccess { why, .. } = access(wrong).err().unwrap();
        assert!(why.starts_with("the value of `consul.token` has"), "{why}");
        assert!(!why.contains(wrong));
    }
}

#[tokio::test]
async fn a_refusal_says_which_rule_is_missing() {
    let home = Home::new();
    let (_server, session) = home.session(Behaviour::new(&home.key)).await;
    let (port, _) = agent(|line| match line {
        "GET /v1/agent/services" => (403, "ACL not found".to_owned()),
        "GET /v1/status/leader" => (
            400,
            "Client sent an HTTP request to an HTTPS server.\n".to_owned(),
        ),
        _ => (403, "Permission denied".to_owned()),
    })
    .await;
    let token = |token: &str| Some(SecretString::from(token.to_owned()));
    let asked_as = |value| {
        let access = Access::new(&settings(port), value).unwrap();
        Agent::new(session.clone(), access)
    };
    let (known, nobody) = (asked_as(token("s3cret")), asked_as(None));

    let error = known
        .set_maintenance(&service("h:w:80"), true, "r2")
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Consul's agent on `{}` refused PUT /v1/agent/service/maintenance/h%3Aw%3A80: \
            403 Permission denied",
            session.host()
        )
    );
    let rule = r#"service "web" { policy = "write" }"#;
    assert_eq!(
        error.hint().unwrap(),
        format!(
            "if that service is this project's, the token of [consul] needs the rule `{rule}`: \
            `consul acl policy create -name shipit -rules '{rule}'`, then \
            `consul acl token update -merge-policies -policy-name shipit -id ACCESSOR`"
        )
    );
    let hint = |error: ConsulError| error.hint().unwrap();
    let hinted = hint(known.voters().await.unwrap_err());
    assert!(hinted.contains("rule `operator = \"read\"`"), "{hinted}");
    let hinted = hint(known.members().await.unwrap_err());
    assert!(
        hinted.contains("rule `node_prefix \"\" { policy = \"read\" }`"),
        "{hinted}"
    );
    let hinted = hint(nobody.deregister(&service("w")).await.unwrap_err());
    assert!(
        hinted.contains(rule) && hinted.contains("token = { env"),
        "{hinted}"
    );
    let hinted = hint(known.services().await.unwrap_err());
    assert!(hinted.contains("`consul acl token list`"), "{hinted}");
    let hinted = hint(known.leader().await.unwrap_err());
    assert!(hinted.contains("`scheme = \"https\"`"), "{hinted}");
}

#[tokio::test]
async fn more_services_than_a_port_can_have_are_an_error() {
    let home = Home::new();
    let (_server, session) = home.session(Behaviour::new(&home.key)).await;
    let (port, _) = agent(|line| match line {
        "GET /v1/agent/services" => {
            let service = |at: u16| {
                let port = 8000 + at / 17;
                format!(
                    r#""web-{at}": {{"ID":"web-{at}","Service":"web","Address":"10.0.0.1","Port":{port},"Tags":[]}}"#
                )
            };
            let all: Vec<_> = (0..34).map(service).collect();
            (200, format!("{{{}}}", all.join(",")))
        }
        _ => (200, "{}".to_owned()),
    })
    .await;
    let consul = Agent::new(session, Access::without_token(&settings(port)));
    let at = |port: u16| move |it: &ServiceInstance| it.is_at("10.0.0.1", port);
    let error = consul.services_of(1, at(8000)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("17 of its services are at a container's port"),
        "{error}"
    );
    // A container with two ports may have as many at one of them.
    assert_eq!(consul.services_of(2, at(8001)).await.unwrap().len(), 17);
    assert_eq!(consul.services_of(1, at(80)).await.unwrap().len(), 0);
}

#[tokio::test]
async fn who_was_given_no_token_asks_nobody() {
    let home = Home::new();
    let (_server, session) = home.session(Behaviour::new(&home.key)).await;
    let (port, seen) = agent(|_| (200, "{}".to_owned())).await;
    let settings = ConsulSettings {
        token: Some(SecretSource::Env("CONSUL_HTTP_TOKEN".to_owned())),
        ..settings(port)
    };
    let consul = Agent::new(session, Access::without_token(&settings));
    let error = consul.services().await.unwrap_err();
    assert!(matches!(error, ConsulError::NotAsked { .. }), "{error}");
    assert!(error.to_string().contains("was not asked"), "{error}");
    assert!(seen.lock().unwrap().is_empty());
}
