//! The HTTP request of a check or of a probe: made from its settings, its answer judged by them.

use std::time::Duration;

use hyper::Method;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    http::{
        self, HttpError, Question, Wanted,
        tls::{Tls, Trust},
    },
    model::{HostAndPort, HttpDetails, Scheme, without_brackets},
    text,
};

/// A request that can be sent again and again.
#[derive(Clone)]
pub(super) struct HttpRequest {
    question: Question,
    tls: Option<Tls>,
    status: Option<u16>,
    body: Option<String>,
    wanted: Wanted,
}

/// What became of a request that was not answered as it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// Nobody answered.
    #[error(transparent)]
    NoAnswer(#[from] HttpError),
    /// The answer has another status.
    #[error("answered {status}: {beginning}")]
    Status {
        /// The status.
        status: u16,
        /// The first line of the body.
        beginning: String,
    },
    /// The answer's body lacks what it must have.
    #[error("answered {status}, but the body lacks {wanted:?}: {beginning}")]
    Body {
        /// The status.
        status: u16,
        /// What was looked for.
        wanted: String,
        /// The first line of the body.
        beginning: String,
    },
}

impl Fault {
    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::NoAnswer(_) => None,
            Self::Status { status, .. } | Self::Body { status, .. } => Some(*status),
        }
    }
}

impl HttpRequest {
    /// Makes it for `address`. `wanted` is how much of the answer's body is read where the settings ask for none of it;
    /// the error says what cannot be used.
    pub fn new(
        scheme: Scheme,
        address: &HostAndPort,
        path: &str,
        status: Option<u16>,
        details: &HttpDetails,
        wanted: Wanted,
    ) -> Result<Self, String> {
        let HttpDetails {
            host,
            headers,
            method,
            body,
            ca_file,
            server_name,
            insecure,
        } = details;
        let authority = host.clone().unwrap_or_else(|| address.to_string());
        let tls = match scheme {
            Scheme::Http => None,
            Scheme::Https => {
                let trust = Trust {
                    ca_file: ca_file.clone(),
                    server_name: server_name.clone(),
                    insecure: *insecure,
                };
                let host = host.as_deref().map_or(&*address.host, without_port);
                Some(Tls::new(&trust, host).map_err(|error| error.to_string())?)
            }
        };
        let method = method.as_deref().unwrap_or("GET");
        Ok(Self {
            question: Question {
                method: Method::from_bytes(method.as_bytes())
                    .map_err(|_| format!("`{method}` is not a method of HTTP"))?,
                authority,
                path: path.to_owned(),
                headers: headers.clone().into_iter().collect(),
                body: String::new(),
            },
            tls,
            status,
            wanted: if body.is_some() { Wanted::All } else { wanted },
            body: body.clone(),
        })
    }

    /// Whom the request names as its host.
    pub fn authority(&self) -> &str {
        &self.question.authority
    }

    /// `GET /health`.
    pub fn line(&self) -> String {
        let Question { method, path, .. } = &self.question;
        format!("{method} {path}")
    }

    /// Sends it over a stream. Redirects are not followed: they are an answer.
    pub async fn send<S>(&self, stream: S, deadline: Duration) -> Result<(), Fault>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let asked = http::ask(
            stream,
            &self.question,
            self.tls.as_ref(),
            self.wanted,
            deadline,
        );
        let answer = asked.await?;
        let status = answer.status;
        let beginning = || text::first_line(&answer.body);
        let is_fine = match self.status {
            Some(wanted) => status == wanted,
            None => (200..400).contains(&status),
        };
        if !is_fine {
            let beginning = beginning();
            return Err(Fault::Status { status, beginning });
        }
        match &self.body {
            Some(wanted) if !answer.body.contains(&**wanted) => Err(Fault::Body {
                status,
                wanted: wanted.clone(),
                beginning: beginning(),
            }),
            _ => Ok(()),
        }
    }
}

/// The host of a `Host` header.
fn without_port(authority: &str) -> &str {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) && (!host.contains(':') || host.ends_with(']')) => {
            without_brackets(host)
        }
        _ => without_brackets(authority),
    }
}
