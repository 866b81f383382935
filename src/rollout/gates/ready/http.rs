//! `ready.http`: a request is answered as it should be.

use super::container::CheckedContainer;
use crate::{
    hosts::HostError,
    http::Wanted,
    model::{HostAndPort, HttpReady},
    rollout::{
        gates::observation::{LOOK, holds, never, not_yet},
        machine::Observation,
        request::{Fault, HttpRequest},
    },
    text,
};

/// Sends one request through the host.
pub(super) async fn check(
    checked: &CheckedContainer<'_>,
) -> Result<Option<Observation>, HostError> {
    match &checked.placement.host_recipe.ready.http {
        None => Ok(None),
        Some(check) => Ok(Some(get(checked, check).await)),
    }
}

async fn get(checked: &CheckedContainer<'_>, check: &HttpReady) -> Observation {
    let Some(target) = checked.dial(check.port) else {
        let name = &checked.container.name;
        return never(match check.port {
            Some(port) => format!("port {port} of `{name}` is not published"),
            None => {
                format!("`{name}` does not publish exactly one port: `ready.http` needs `port`")
            }
        });
    };
    let reached = &checked.placement.reached;
    let address = HostAndPort::new(&*reached.host.address, target.port);
    let details = check.details();
    let request = HttpRequest::new(
        check.scheme,
        &address,
        &check.path,
        check.status,
        &details,
        Wanted::Beginning,
    );
    let request = match request {
        Ok(request) => request,
        Err(why) => return never(format!("`ready.http`: {why}")),
    };
    let line = request.line();
    let failed = |error: &dyn std::error::Error| {
        let chain = text::chain(error).join(": ");
        not_yet(format!("{line}: {chain}"))
    };
    let tunnel = match reached
        .session
        .tunnel(&target.host, target.port, LOOK)
        .await
    {
        Ok(tunnel) => tunnel,
        Err(error) => return failed(&error),
    };
    match request.send(tunnel, LOOK).await {
        Ok(()) => holds(""),
        Err(Fault::NoAnswer(error)) => failed(&error),
        Err(fault) => {
            // Bad request, or misdirected: what an app answers whose list of hosts lacks the one of the request.
            let is_refused = fault.status().is_some_and(|it| [400, 421].contains(&it));
            let hint = if check.host.is_none() && is_refused {
                format!(
                    " (the request names the host {}; `host` in [ready] http sets another for an app that checks it)",
                    request.authority()
                )
            } else {
                String::new()
            };
            not_yet(format!("{line} {fault}{hint}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::{
        http::tls::testing::{Authority, ServerOf},
        rollout::{
            machine::{Side, Verdict},
            testing::{FakeHost, TestSlot},
        },
    };

    /// What a look at an app sees that answers one `Host` alone, and the hosts that it was asked for.
    async fn seen(ready: &str) -> (Observation, Vec<String>) {
        seen_of(ready, "hi".to_owned()).await
    }

    async fn seen_of(ready: &str, body: String) -> (Observation, Vec<String>) {
        let app = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = app.local_addr().expect("an address").port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let hosts = asked.clone();
        tokio::spawn(async move {
            let (mut stream, _) = app.accept().await.expect("a request");
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.expect("its bytes");
            let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
            let mut lines = request.lines();
            let host = lines.find_map(|line| line.strip_prefix("host: "));
            let host = host.unwrap_or_default().to_owned();
            let status = if host == "app.example" {
                "200 OK"
            } else {
                "400 Bad Request"
            };
            hosts.lock().expect("not poisoned").push(host);
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        let seen = look(ready, port).await;
        let asked = asked.lock().expect("not poisoned").clone();
        (seen, asked)
    }

    /// What a look at an app at this port sees.
    async fn look(ready: &str, port: u16) -> Observation {
        let host = FakeHost::default().has("web-r2", true).at_port(port);
        let slot = TestSlot::new(ready, vec![host.behaviour()]).await;
        let container = slot.placement.inspect("web-r2").await.expect("docker");
        let checked = CheckedContainer {
            placement: &slot.placement,
            side: Side::New,
            container: &container.expect("a container"),
        };
        check(&checked).await.expect("a look").expect("a check")
    }

    #[tokio::test]
    async fn an_app_that_speaks_tls_is_asked_over_it() {
        let (authority, other) = (Authority::new(), Authority::new());
        let server = ServerOf {
            name: "app.example",
            expires: 2100,
            speaks: &["h2"],
        };
        let port = authority.serves(server).await;
        let look = async |ca_file: &Authority, keys: &str| {
            let ca_file = ca_file.file();
            let ready = format!(
                "publish_all = true\n[ready.http]\nscheme = \"https\"\nhost = \"app.example\"\n\
                 ca_file = '{}'\n{keys}",
                ca_file.display()
            );
            let seen = look(&ready, port).await;
            (seen.verdict, seen.detail)
        };
        let keys = "path = \"/health\"\nheaders = { X-Tenant = \"acme\" }\nmethod = \"POST\"\n";
        let body =
            format!("{keys}body = \"POST /health HTTP/2.0 for app.example, x-tenant acme\"\n");
        let fine = look(&authority, &body).await;
        assert_eq!(fine, (Verdict::Holds, String::new()));

        let body = format!("{keys}body = \"ready\"\n");
        let lacks = "POST /health answered 200, but the body lacks \"ready\": POST /health HTTP/2.0 for app.example, \
                     x-tenant acme";
        let seen = look(&authority, &body).await;
        assert_eq!(seen, (Verdict::NotYet, lacks.to_owned()));

        let moved = "path = \"/moved\"\nstatus = 200\n";
        let answered = "GET /moved answered 302: GET /moved HTTP/2.0 for app.example, x-tenant";
        let seen = look(&authority, moved).await;
        assert_eq!(seen, (Verdict::NotYet, answered.to_owned()));

        let unknown = "POST /health: no TLS connection: the authority of its certificate is not trusted here; \
                       `ca_file` names another one";
        let seen = look(&other, keys).await;
        assert_eq!(seen, (Verdict::NotYet, unknown.to_owned()));
    }

    #[tokio::test]
    async fn the_host_header_is_the_one_that_the_app_wants() {
        let ready =
            "publish_all = true\n[ready]\nhttp = { path = \"/health\", host = \"app.example\" }\n";
        let (seen, asked) = seen(ready).await;
        assert_eq!(
            (seen.verdict, asked),
            (Verdict::Holds, vec!["app.example".to_owned()])
        );
    }

    #[tokio::test]
    async fn an_app_that_refuses_the_host_is_told_apart() {
        let (seen, asked) = seen("publish_all = true\n[ready]\nhttp = \"/health\"\n").await;
        assert_eq!(seen.verdict, Verdict::NotYet);
        let told = format!(
            "GET /health answered 400: hi (the request names the host {}; `host` in [ready] http sets another for an app that checks it)",
            asked[0]
        );
        assert_eq!(seen.detail, told);
    }

    #[tokio::test]
    async fn an_answer_is_cut_with_a_mark_by_which_masks_know_the_rest_of_a_secret() {
        let ready = "publish_all = true\n[ready]\nhttp = { path = \"/\", status = 201 }\n";
        let (seen, _) = seen_of(ready, format!("no login with {}", "x".repeat(300))).await;
        let cut = format!(
            "GET / answered 400: no login with {}… (the request",
            "x".repeat(186)
        );
        assert!(seen.detail.starts_with(&cut), "{}", seen.detail);
    }
}
