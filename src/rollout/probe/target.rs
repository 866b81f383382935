//! Where the requests of a probe go, and how one is sent.

use crate::{
    hosts::Reached,
    http::Wanted,
    model::{HostAndPort, Probe, Url},
    rollout::request::{Fault, HttpRequest},
    text,
};

/// Where requests go, and what they ask.
#[derive(Clone)]
pub(super) struct Target {
    address: HostAndPort,
    request: HttpRequest,
}

impl Target {
    /// What a probe asks. The error says what is wrong with its settings.
    pub fn of(probe: &Probe) -> Result<Self, String> {
        let Url {
            scheme,
            address,
            path,
        } = Url::parse(&probe.url)?;
        let request = HttpRequest::new(
            scheme,
            &address,
            &path,
            probe.status,
            &probe.details,
            Wanted::Nothing,
        )?;
        Ok(Self { address, request })
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
        let Self { address, request } = self;
        let HostAndPort { host, port } = address;
        let because = |error: &dyn std::error::Error| text::chain(error).join(": ");
        let sent = async {
            if let Some(reached) = through {
                let stream = reached
                    .session
                    .tunnel_beside(host, *port, probe.timeout)
                    .await
                    .map_err(|error| because(&error))?;
                self.told(request.send(stream, probe.timeout).await)
            } else {
                let stream = tokio::net::TcpStream::connect((host.as_str(), *port))
                    .await
                    .map_err(|error| because(&error))?;
                self.told(request.send(stream, probe.timeout).await)
            }
        };
        tokio::time::timeout(probe.timeout, sent)
            .await
            .unwrap_or_else(|_| {
                Err(format!(
                    "no answer within {}",
                    text::duration(probe.timeout)
                ))
            })
    }

    /// What became of a request, in words.
    fn told(&self, sent: Result<(), Fault>) -> Result<(), String> {
        let line = self.request.line();
        sent.map_err(|fault| match fault {
            Fault::NoAnswer(error) => text::chain(&error).join(": "),
            Fault::Status { status, .. } => format!("{line} answered {status}"),
            Fault::Body { status, wanted, .. } => {
                format!("{line} answered {status}, but the body lacks {wanted:?}")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        http::tls::testing::{Authority, ServerOf},
        model::HttpDetails,
        rollout::testing::{FakeHost, TestSlot},
    };

    #[tokio::test]
    async fn a_service_behind_tls_is_asked_over_it() {
        let authority = Authority::new();
        let server = ServerOf {
            name: "shop.example",
            expires: 2100,
            speaks: &["h2", "http/1.1"],
        };
        let port = authority.serves(server).await;
        let probe = |details| Probe {
            url: format!("https://127.0.0.1:{port}/cart"),
            rate: 1,
            status: Some(200),
            details,
            budget: 0,
            max_error_rate: None,
            timeout: Duration::from_secs(30),
            through: None,
        };
        let details = HttpDetails {
            host: Some("shop.example".to_owned()),
            ca_file: Some(authority.file()),
            body: Some("/cart HTTP/2.0 for shop.example".to_owned()),
            ..HttpDetails::default()
        };
        let asked = async |probe: &Probe| {
            let target = Target::of(probe).expect("a URL");
            target.ask(probe, None).await.expect("it is known")
        };
        assert_eq!(asked(&probe(details.clone())).await, Ok(()));
        let other = HttpDetails {
            body: Some("checkout".to_owned()),
            ..details.clone()
        };
        let lacks = "GET /cart answered 200, but the body lacks \"checkout\"";
        assert_eq!(asked(&probe(other)).await, Err(lacks.to_owned()));
        let wrong = HttpDetails {
            host: None,
            ..details
        };
        let wrong = asked(&probe(wrong)).await.expect_err("another name");
        assert!(
            wrong.contains("its certificate is for `shop.example`, not for `127.0.0.1`"),
            "{wrong}"
        );
    }

    #[tokio::test]
    async fn a_request_that_our_own_connection_lost_is_not_the_services_failure() {
        let slot = TestSlot::new("", vec![FakeHost::default().behaviour()]).await;
        let reached = &slot.placement.reached;
        let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let port = nobody.expect("a port").local_addr().expect("it").port();
        let probe = Probe {
            url: format!("http://127.0.0.1:{port}/"),
            details: HttpDetails::default(),
            rate: 1,
            status: None,
            budget: 0,
            max_error_rate: None,
            timeout: Duration::from_secs(5),
            through: None,
        };
        let target = Target::of(&probe).expect("a URL");
        let refused = target.ask(&probe, Some(reached)).await;
        assert!(matches!(refused, Some(Err(_))), "{refused:?}");

        // All that the session says from here on is that it is closed.
        reached.session.close().await;
        assert_eq!(target.ask(&probe, Some(reached)).await, None);
    }
}
