//! `ready.http`: a GET is answered as it should be.

use hyper::Method;

use super::container::CheckedContainer;
use crate::{
    hosts::HostError,
    http::{self, Wanted},
    model::{HostAndPort, HttpReady},
    rollout::{
        gates::observation::{LOOK, holds, never, not_yet},
        machine::Observation,
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
    let failed = |error: &dyn std::error::Error| {
        let chain = text::chain(error).join(": ");
        not_yet(format!("GET {}: {chain}", check.path))
    };
    let tunnel = match reached
        .session
        .tunnel(&target.host, target.port, LOOK)
        .await
    {
        Ok(tunnel) => tunnel,
        Err(error) => return failed(&error),
    };
    let authority = check
        .host
        .clone()
        .unwrap_or_else(|| HostAndPort::new(&*reached.host.address, target.port).to_string());
    let asked = http::request(
        tunnel,
        &authority,
        Method::GET,
        &check.path,
        Wanted::Beginning,
        LOOK,
    );
    let answer = match asked.await {
        Ok(answer) => answer,
        Err(error) => return failed(&error),
    };
    let is_fine = check
        .status
        .map_or((200..400).contains(&answer.status), |status| {
            status == answer.status
        });
    if is_fine {
        return holds("");
    }
    // Bad request, or misdirected: what an app answers whose list of hosts lacks the one of the request.
    let hint = if check.host.is_none() && [400, 421].contains(&answer.status) {
        format!(
            " (the request names the host {authority}; `host` in [ready] http sets another for an app that checks it)"
        )
    } else {
        String::new()
    };
    not_yet(format!(
        "GET {} answered {}: {}{hint}",
        check.path,
        answer.status,
        text::first_line(&answer.body)
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::rollout::{
        machine::{Side, Verdict},
        testing::{FakeHost, TestSlot},
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
        let host = FakeHost::default().has("web-r2", true).at_port(port);
        let slot = TestSlot::new(ready, vec![host.behaviour()]).await;
        let container = slot.placement.inspect("web-r2").await.expect("docker");
        let checked = CheckedContainer {
            placement: &slot.placement,
            side: Side::New,
            container: &container.expect("a container"),
        };
        let seen = check(&checked).await.expect("a look").expect("a check");
        let asked = asked.lock().expect("not poisoned").clone();
        (seen, asked)
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
