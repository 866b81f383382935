//! Where the requests of a probe go, and how one is sent.

use std::borrow::Cow;

use hyper::{Method, Uri};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    hosts::Reached,
    http::{self, HttpError, Response, Wanted},
    model::{HostAndPort, Probe, is_ipv6, without_brackets},
    text,
};

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    address: HostAndPort,
    path: String,
}

impl Target {
    /// Takes a URL apart; the error says what is wrong with it.
    pub fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = with_brackets(url)
            .parse()
            .map_err(|error| format!("`{url}` is not a URL: {error}"))?;
        if uri.scheme_str() != Some("http") {
            return Err(format!("`{url}` is not an http:// URL"));
        }
        let host = uri.host().ok_or_else(|| format!("`{url}` names no host"))?;
        let path = uri
            .path_and_query()
            .map_or("/", hyper::http::uri::PathAndQuery::as_str)
            .to_owned();
        Ok(Self {
            address: HostAndPort::new(without_brackets(host), uri.port_u16().unwrap_or(80)),
            path,
        })
    }

    /// Sends one request; the error says what became of it. `None` when nothing is known of it, as our own
    /// connection to the host that it goes through was lost.
    pub async fn ask(
        &self,
        probe: &Probe,
        through: Option<&Reached>,
    ) -> Option<Result<(), String>> {
        let asked = self.send(probe, through).await;
        let is_lost = through.is_some_and(|reached| reached.session.is_lost());
        (asked.is_ok() || !is_lost).then_some(asked)
    }

    async fn send(&self, probe: &Probe, through: Option<&Reached>) -> Result<(), String> {
        let Self { address, path } = self;
        let HostAndPort { host, port } = address;
        let authority = address.to_string();
        let request = async {
            let because = |error: &dyn std::error::Error| text::chain(error).join(": ");
            let answer = if let Some(reached) = through {
                let stream = reached
                    .session
                    .tunnel_beside(host, *port, probe.timeout)
                    .await
                    .map_err(|error| because(&error))?;
                get(stream, &authority, path, probe).await
            } else {
                let stream = tokio::net::TcpStream::connect((host.as_str(), *port))
                    .await
                    .map_err(|error| because(&error))?;
                get(stream, &authority, path, probe).await
            };
            let answer = answer.map_err(|error| because(&error))?;
            let fine = probe
                .status
                .map_or((200..400).contains(&answer.status), |status| {
                    status == answer.status
                });
            if fine {
                Ok(())
            } else {
                Err(format!("GET {path} answered {}", answer.status))
            }
        };
        tokio::time::timeout(probe.timeout, request)
            .await
            .unwrap_or_else(|_| {
                Err(format!(
                    "no answer within {}",
                    text::duration(probe.timeout)
                ))
            })
    }
}

async fn get<S>(
    stream: S,
    authority: &str,
    path: &str,
    probe: &Probe,
) -> Result<Response, HttpError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (method, wanted) = (Method::GET, Wanted::Nothing);
    http::request(stream, authority, method, path, wanted, probe.timeout).await
}

/// An address of IPv6 as a template puts it into a URL lacks the brackets that it must have there.
fn with_brackets(url: &str) -> Cow<'_, str> {
    let parts = url.strip_prefix("http://").map(|rest| {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        rest.split_at(end)
    });
    match parts {
        Some((host, path)) if is_ipv6(host) => format!("http://[{host}]{path}").into(),
        _ => url.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::rollout::testing::{FakeHost, TestSlot};

    #[test]
    fn a_url_is_taken_apart() {
        let target = |host: &str, port, path: &str| {
            Ok(Target {
                address: HostAndPort::new(host, port),
                path: path.into(),
            })
        };
        assert_eq!(
            Target::parse("http://10.0.0.3/"),
            target("10.0.0.3", 80, "/")
        );
        assert_eq!(
            Target::parse("http://lb:8080/health?x=1"),
            target("lb", 8080, "/health?x=1")
        );
        assert_eq!(
            Target::parse("http://[fd88::1]:8080/"),
            target("fd88::1", 8080, "/")
        );
        for url in ["http://fd88::1/", "http://fd88::1"] {
            assert_eq!(Target::parse(url), target("fd88::1", 80, "/"));
        }
        for wrong in ["https://lb/", "lb", "http://", ""] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_request_that_our_own_connection_lost_is_not_the_services_failure() {
        let slot = TestSlot::new("", vec![FakeHost::default().behaviour()]).await;
        let reached = &slot.placement.reached;
        let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let port = nobody.expect("a port").local_addr().expect("it").port();
        let target = Target::parse(&format!("http://127.0.0.1:{port}/")).expect("a URL");
        let probe = Probe {
            url: String::new(),
            rate: 1,
            status: None,
            budget: 0,
            timeout: Duration::from_secs(5),
            through: None,
        };
        let refused = target.ask(&probe, Some(reached)).await;
        assert!(matches!(refused, Some(Err(_))), "{refused:?}");

        // All that the session says from here on is that it is closed.
        reached.session.close().await;
        assert_eq!(target.ask(&probe, Some(reached)).await, None);
    }
}
