//! One HTTP request over a stream that someone else opened: a tunnel through SSH, or a socket. HTTP/1.1, and over TLS
//! HTTP/2 where the server chooses it.

pub mod tls;

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request,
    body::{Bytes, Incoming},
    client::conn::{http1, http2},
    header::{CONNECTION, HOST, HeaderName, HeaderValue, USER_AGENT},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};

use self::tls::{Tls, TlsError};

/// The longest body that is read; what is asked for here is a few kilobytes.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// How much of a body is read of which only the beginning is of use.
const BEGINNING: usize = 64 * 1024;

/// How much of an answer's body is of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All of it; too much is an error.
    All,
    /// Its beginning. The rest is not waited for.
    Beginning,
    /// None of it, but it must come to its end.
    Nothing,
}

/// An answer: its status and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body as text; bytes that are not UTF-8 are replaced.
    pub body: String,
}

impl Response {
    /// Whether the status says that it worked: 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The deadline passed first.
    #[error("no answer within {}", crate::text::duration(*.0))]
    Deadline(Duration),
    /// The connection failed or what came was not HTTP.
    #[error("the connection failed")]
    Connection(#[source] hyper::Error),
    /// There is no TLS connection.
    #[error("no TLS connection")]
    Tls(#[source] TlsError),
    /// The request could not be made from its parts.
    #[error("not a request")]
    Request(#[source] hyper::http::Error),
    /// The body broke off.
    #[error("the answer's body could not be read")]
    Body(#[source] hyper::Error),
    /// The body is too long.
    #[error("the answer has more than {} MiB, which is more than shipit reads", BODY_LIMIT / 1024 / 1024)]
    TooLong,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Question {
    /// The method.
    pub method: Method,
    /// `HOST[:PORT]`, for the `Host` header.
    pub authority: String,
    /// Begins with `/`.
    pub path: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// Its body; most have none.
    pub body: String,
}

/// Sends one request over `stream` and reads what is `wanted` of the answer, all within `deadline`.
///
/// `authority` is `HOST[:PORT]` for the `Host` header; `path` begins with `/`.
pub async fn request<S>(
    stream: S,
    authority: &str,
    method: Method,
    path: &str,
    wanted: Wanted,
    deadline: Duration,
) -> Result<Response, HttpError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let question = Question {
        method,
        authority: authority.to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: String::new(),
    };
    ask(stream, &question, None, wanted, deadline).await
}

/// Sends one request over `stream`, below which `tls` shakes hands first, and reads what is `wanted` of the answer, all
/// within `deadline`.
pub async fn ask<S>(
    stream: S,
    question: &Question,
    tls: Option<&Tls>,
    wanted: Wanted,
    deadline: Duration,
) -> Result<Response, HttpError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // Large, with both protocols in it, and part of whatever waits for it.
    let exchange = Box::pin(async {
        let Some(tls) = tls else {
            return by_http1(stream, question, wanted).await;
        };
        let stream = tls.connect(stream).await.map_err(HttpError::Tls)?;
        if tls::chose_http2(&stream) {
            by_http2(stream, question, wanted).await
        } else {
            by_http1(stream, question, wanted).await
        }
    });
    tokio::time::timeout(deadline, exchange)
        .await
        .map_err(|_| HttpError::Deadline(deadline))?
}

async fn by_http1<S>(stream: S, question: &Question, wanted: Wanted) -> Result<Response, HttpError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut request = made(question, question.path.clone()).map_err(HttpError::Request)?;
    let headers = request.headers_mut();
    let authority = HeaderValue::from_str(&question.authority);
    let authority = authority.map_err(|error| HttpError::Request(error.into()))?;
    headers.insert(HOST, authority);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(HttpError::Connection)?;
    let answer = async {
        let response = sender.send_request(request).await;
        answered(response, wanted).await
    };
    while_driven(connection, answer).await
}

async fn by_http2<S>(stream: S, question: &Question, wanted: Wanted) -> Result<Response, HttpError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let uri = format!("https://{}{}", question.authority, question.path);
    let request = made(question, uri).map_err(HttpError::Request)?;
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .map_err(HttpError::Connection)?;
    let answer = async {
        let response = sender.send_request(request).await;
        answered(response, wanted).await
    };
    while_driven(connection, answer).await
}

/// The request as both versions have it.
fn made(question: &Question, uri: String) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let mut headers = HeaderMap::new();
    let agent = concat!("shipit/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    for (name, value) in &question.headers {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        headers.insert(name, HeaderValue::from_str(value)?);
    }
    let mut request = Request::builder()
        .method(question.method.clone())
        .uri(uri)
        .body(Full::from(question.body.clone()))?;
    *request.headers_mut() = headers;
    Ok(request)
}

async fn answered(
    response: Result<hyper::Response<Incoming>, hyper::Error>,
    wanted: Wanted,
) -> Result<Response, HttpError> {
    let response = response.map_err(HttpError::Connection)?;
    let status = response.status().as_u16();
    let body = read(response.into_body(), wanted).await?;
    Ok(Response { status, body })
}

/// Reads a body to its end, or as much of it as is wanted.
async fn read(mut body: Incoming, wanted: Wanted) -> Result<String, HttpError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(HttpError::Body)?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        match wanted {
            Wanted::All if bytes.len() + data.len() > BODY_LIMIT => return Err(HttpError::TooLong),
            Wanted::Beginning if bytes.len() + data.len() > BEGINNING => {
                bytes.extend_from_slice(&data[..BEGINNING - bytes.len()]);
                break;
            }
            Wanted::All | Wanted::Beginning => bytes.extend_from_slice(data),
            Wanted::Nothing => {}
        }
    }
    let text = String::from_utf8(bytes);
    // What is no text is of use to nobody; its beginning shows that.
    let beginning =
        |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(BEGINNING)]).into_owned();
    Ok(text.unwrap_or_else(|error| beginning(error.as_bytes())))
}

/// Waits for `answer` while `connection` is driven beside it. The connection ends with the answer, so nothing
/// outlives the answer's deadline. Why a connection ended early is in the answer.
pub async fn while_driven<T>(connection: impl Future, answer: impl Future<Output = T>) -> T {
    let drive = async {
        let _ = connection.await;
        std::future::pending().await
    };
    tokio::select! {
        answer = answer => answer,
        never = drive => never,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn ask(reply: &'static str) -> Result<Response, HttpError> {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        tokio::spawn(async move {
            let mut seen = [0; 512];
            let _ = theirs.read(&mut seen).await;
            let _ = theirs.write_all(reply.as_bytes()).await;
            if reply.is_empty() {
                std::future::pending::<()>().await;
            }
        });
        request(
            ours,
            "host:1",
            Method::GET,
            "/health",
            Wanted::All,
            Duration::from_secs(5),
        )
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_a_broken_one_and_none() {
        let fine = ask("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy")
            .await
            .expect("an answer");
        assert_eq!(
            fine,
            Response {
                status: 503,
                body: "busy".into()
            }
        );
        assert!(matches!(
            ask("what?\r\n\r\n").await,
            Err(HttpError::Connection(_))
        ));
        assert!(matches!(
            ask("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx").await,
            Err(HttpError::Body(_))
        ));
        let error = ask("").await.expect_err("nothing came");
        assert_eq!(error.to_string(), "no answer within 5s");
    }
}
