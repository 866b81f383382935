//! `ready.grpc`: the gRPC health service says that the server serves.
//!
//! The protocol is <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>. Its two messages are so
//! small that they are written and read by hand.

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    HeaderMap, Request,
    body::{Bytes, Incoming},
    client::conn::http2,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};

use super::container::CheckedContainer;
use crate::{
    hosts::HostError,
    http::while_driven,
    model::HostAndPort,
    rollout::{
        gates::observation::{LOOK, holds, never, not_yet},
        machine::Observation,
    },
    text,
};

/// What is asked, as gRPC frames it: not compressed, four bytes of length, and a `HealthCheckRequest` without a
/// service, which is empty.
const REQUEST: &[u8] = &[0, 0, 0, 0, 0];

/// The longest answer that is read; a health service's has seven bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// gRPC's status `UNIMPLEMENTED`: the server has no health service.
const UNIMPLEMENTED: u32 = 12;

/// Asks the health service through the host.
pub(super) async fn check(
    checked: &CheckedContainer<'_>,
) -> Result<Option<Observation>, HostError> {
    match checked.placement.host_recipe.ready.grpc {
        None => Ok(None),
        Some(port) => Ok(Some(look(checked, port).await)),
    }
}

async fn look(checked: &CheckedContainer<'_>, port: u16) -> Observation {
    let Some(target) = checked.dial(Some(port)) else {
        let name = &checked.container.name;
        return never(format!("port {port} of `{name}` is not published"));
    };
    let reached = &checked.placement.reached;
    let failed = |error: &dyn std::error::Error| {
        let chain = text::chain(error).join(": ");
        not_yet(format!("gRPC health at port {port}: {chain}"))
    };
    let tunnel = match reached
        .session
        .tunnel(&target.host, target.port, LOOK)
        .await
    {
        Ok(tunnel) => tunnel,
        Err(error) => return failed(&error),
    };
    let authority = HostAndPort::new(&*reached.host.address, target.port).to_string();
    match tokio::time::timeout(LOOK, ask(tunnel, &authority)).await {
        Ok(Ok(health)) => health.observed(port),
        Ok(Err(error)) => failed(&error),
        Err(_) => not_yet(format!(
            "gRPC health at port {port}: no answer within {}",
            text::duration(LOOK)
        )),
    }
}

/// Why there was no answer of gRPC's.
#[derive(Debug, thiserror::Error)]
enum GrpcError {
    #[error("the connection failed")]
    Connection(#[source] hyper::Error),
    #[error("not a request")]
    Request(#[source] hyper::http::Error),
    #[error("the answer's body could not be read")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("HTTP status {0}")]
    Http(u16),
    #[error("the answer is not gRPC's")]
    NotGrpc,
}

/// What the health service answers.
#[derive(Debug, PartialEq, Eq)]
enum Health {
    /// The status of the server, as the protocol numbers them.
    Status(u64),
    /// A call that failed: gRPC's code and message.
    Failed(u32, String),
}

impl Health {
    fn observed(&self, port: u16) -> Observation {
        match self {
            Self::Status(1) => holds(""),
            Self::Status(status) => {
                let name = match status {
                    0 => "UNKNOWN",
                    2 => "NOT_SERVING",
                    3 => "SERVICE_UNKNOWN",
                    _ => "a status that the protocol does not have",
                };
                not_yet(format!("gRPC health at port {port} says {name}"))
            }
            Self::Failed(UNIMPLEMENTED, _) => never(format!(
                "`ready.grpc` is set, but the server at port {port} has no `grpc.health.v1.Health`"
            )),
            Self::Failed(code, message) => not_yet(format!(
                "gRPC health at port {port} fails with status {code}: {}",
                text::first_line(message)
            )),
        }
    }
}

/// One call of `Check` over a stream that someone else opened.
async fn ask<S>(stream: S, authority: &str) -> Result<Health, GrpcError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let request = Request::builder()
        .method("POST")
        .uri(format!("http://{authority}/grpc.health.v1.Health/Check"))
        .header("te", "trailers")
        .header("content-type", "application/grpc")
        .header("user-agent", concat!("shipit/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::from_static(REQUEST)))
        .map_err(GrpcError::Request)?;
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .map_err(GrpcError::Connection)?;
    let answer = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(GrpcError::Connection)?;
        read(response).await
    };
    while_driven(connection, answer).await
}

async fn read(response: hyper::Response<Incoming>) -> Result<Health, GrpcError> {
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        return Err(GrpcError::Http(head.status.as_u16()));
    }
    // A call that fails at once has its status among the headers, any other among the trailers.
    if let Some(failed) = failure(&head.headers) {
        return Ok(failed);
    }
    let body = Limited::new(body, ANSWER_LIMIT);
    let body = body.collect().await.map_err(GrpcError::Body)?;
    if let Some(failed) = body.trailers().and_then(failure) {
        return Ok(failed);
    }
    status(&body.to_bytes())
        .map(Health::Status)
        .ok_or(GrpcError::NotGrpc)
}

/// What `grpc-status` says, unless it says OK.
fn failure(headers: &HeaderMap) -> Option<Health> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let code = text("grpc-status")?
        .parse()
        .ok()
        .filter(|code| *code != 0)?;
    let message = text("grpc-message").unwrap_or_default();
    Some(Health::Failed(code, message.to_owned()))
}

/// The status in a framed `HealthCheckResponse`: field 1, a varint; UNKNOWN when it is left out. Further fields,
/// which later versions may add, are skipped.
fn status(frame: &[u8]) -> Option<u64> {
    let (head, message) = frame.split_at_checked(5)?;
    let [0, length @ ..] = head else {
        return None;
    };
    let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
    let mut rest = message.get(..length)?;
    let mut status = 0;
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        match (key >> 3, key & 7) {
            (1, 0) => status = varint(&mut rest)?,
            (_, 0) => {
                varint(&mut rest)?;
            }
            (_, 1) => rest = rest.get(8..)?,
            (_, 2) => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                rest = rest.get(length..)?;
            }
            (_, 5) => rest = rest.get(4..)?,
            _ => return None,
        }
    }
    Some(status)
}

/// Takes one of protobuf's varints off the front: seven bits a byte, the lowest first.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::StreamBody;
    use hyper::{body::Frame, server::conn::http2 as server, service::service_fn};

    use super::*;
    use crate::rollout::machine::Verdict;

    /// What the look says of a server that answers with this body and these trailers.
    async fn seen(
        status: u16,
        body: &'static [u8],
        trailers: &'static [(&'static str, &'static str)],
    ) -> String {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| async move {
                assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
                assert_eq!(request.headers()["content-type"], "application/grpc");
                let asked = request.into_body().collect().await.expect("a body");
                assert_eq!(asked.to_bytes(), REQUEST);
                let mut map = HeaderMap::new();
                for (name, value) in trailers {
                    map.insert(*name, value.parse().expect("a value"));
                }
                let frames = [
                    Ok::<_, Infallible>(Frame::data(Bytes::from_static(body))),
                    Ok(Frame::trailers(map)),
                ];
                let answer = StreamBody::new(futures::stream::iter(frames));
                hyper::Response::builder().status(status).body(answer)
            });
            let server = server::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(theirs), answer).await;
        });
        match ask(ours, "192.0.2.1:9000").await {
            Ok(health) => {
                let observed = health.observed(9000);
                match observed.verdict {
                    Verdict::Holds => "ready".to_owned(),
                    Verdict::NotYet => observed.detail,
                    Verdict::Never => format!("never: {}", observed.detail),
                }
            }
            Err(error) => text::chain(&error).join(": "),
        }
    }

    #[tokio::test]
    async fn a_server_is_ready_when_its_health_service_says_serving() {
        const OK: &[(&str, &str)] = &[("grpc-status", "0")];
        assert_eq!(seen(200, &[0, 0, 0, 0, 2, 8, 1], OK).await, "ready");
        assert_eq!(
            seen(200, &[0, 0, 0, 0, 2, 8, 2], OK).await,
            "gRPC health at port 9000 says NOT_SERVING"
        );
        assert_eq!(
            seen(200, &[0, 0, 0, 0, 0], OK).await,
            "gRPC health at port 9000 says UNKNOWN"
        );
    }

    #[tokio::test]
    async fn a_call_that_fails_is_no_readiness() {
        assert_eq!(
            seen(
                200,
                &[],
                &[("grpc-status", "14"), ("grpc-message", "starting")]
            )
            .await,
            "gRPC health at port 9000 fails with status 14: starting"
        );
        assert_eq!(
            seen(200, &[], &[("grpc-status", "12")]).await,
            "never: `ready.grpc` is set, but the server at port 9000 has no `grpc.health.v1.Health`"
        );
        assert_eq!(seen(404, b"no", &[]).await, "HTTP status 404");
        assert_eq!(seen(200, b"hello", &[]).await, "the answer is not gRPC's");
    }

    #[tokio::test]
    async fn what_is_no_http_2_is_an_error() {
        use tokio::io::AsyncWriteExt;
        let (ours, mut theirs) = tokio::io::duplex(1024);
        theirs
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .expect("written");
        assert!(matches!(
            ask(ours, "192.0.2.1:9000").await,
            Err(GrpcError::Connection(_))
        ));
    }

    #[test]
    fn a_status_is_found_among_other_fields_and_nothing_is_read_past_the_end() {
        for (message, expected) in [
            (&[0, 0, 0, 0, 6, 0x12, 2, b'o', b'k', 8, 1][..], Some(1)),
            (&[0, 0, 0, 0, 3, 8, 0x81, 1], Some(129)),
            (&[1, 0, 0, 0, 2, 8, 1], None),
            (&[0, 0, 0, 0, 9, 8, 1], None),
            (&[0, 0, 0, 0, 1, 8], None),
            (&[0, 0, 0, 0, 2, 0x12, 200], None),
            (&[0, 255, 255, 255, 255], None),
            (&[0, 0], None),
        ] {
            assert_eq!(status(message), expected, "{message:?}");
        }
    }
}
