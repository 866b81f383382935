//! Where an HTTP request goes.

use std::borrow::Cow;

use hyper::{Uri, http::uri::Authority};

use super::{HostAndPort, is_ipv6, without_brackets};
use crate::model::Scheme;

/// An `http://` or `https://` URL taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Whether it is asked over TLS.
    pub scheme: Scheme,
    /// The server, with the scheme's port where the URL has none.
    pub address: HostAndPort,
    /// The path, with its query.
    pub path: String,
}

impl Url {
    /// Takes a URL apart.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(url: &str) -> Result<Self, String> {
        let not_one = |why: &str| format!("`{url}` is not an `http://` or `https://` URL{why}");
        let uri: Uri = with_brackets(url)
            .parse()
            .map_err(|error| not_one(&format!(": {error}")))?;
        let (scheme, port) = match uri.scheme_str() {
            Some("http") => (Scheme::Http, 80),
            Some("https") => (Scheme::Https, 443),
            _ => return Err(not_one("")),
        };
        let authority = uri.authority().map_or("", Authority::as_str);
        if authority.contains('@') {
            return Err(not_one(": a name and a password go into `headers`"));
        }
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| not_one(": it names no host"))?;
        let written = authority.strip_prefix(host).unwrap_or_default();
        let port = match uri.port_u16() {
            None if written.is_empty() => port,
            Some(port) if port > 0 => port,
            _ => return Err(not_one(": it has no valid port")),
        };
        let path = uri.path_and_query();
        Ok(Self {
            scheme,
            address: HostAndPort::new(without_brackets(host), port),
            path: path.map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

/// An address of IPv6 as a template puts it into a URL lacks the brackets that it must have there.
fn with_brackets(url: &str) -> Cow<'_, str> {
    let parts = url.split_once("://").map(|(scheme, rest)| {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        (scheme, host, path)
    });
    match parts {
        Some((scheme, host, path)) if is_ipv6(host) => format!("{scheme}://[{host}]{path}").into(),
        _ => url.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let http = |host: &str, port, path: &str| {
            Ok(Url {
                scheme: Scheme::Http,
                address: HostAndPort::new(host, port),
                path: path.into(),
            })
        };
        assert_eq!(Url::parse("http://10.0.0.3/"), http("10.0.0.3", 80, "/"));
        assert_eq!(
            Url::parse("http://lb:8080/health?x=1"),
            http("lb", 8080, "/health?x=1")
        );
        assert_eq!(
            Url::parse("http://[fd88::1]:8080/"),
            http("fd88::1", 8080, "/")
        );
        for url in ["http://fd88::1/", "http://fd88::1"] {
            assert_eq!(Url::parse(url), http("fd88::1", 80, "/"));
        }
        let secure = Url::parse("https://lb/").expect("a URL");
        assert_eq!((secure.scheme, secure.address.port), (Scheme::Https, 443));
        for wrong in [
            "ftp://lb/",
            "lb",
            "http://",
            "",
            "http:///x",
            "http://lb:99999/",
            "http://lb:0/",
            "http://a b/",
            "http://[::1/",
            "http://me:it@lb/",
        ] {
            assert!(Url::parse(wrong).is_err(), "{wrong}");
        }
    }
}
