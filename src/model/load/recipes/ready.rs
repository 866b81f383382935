//! `[ready]` for one host: what the kinds of checks mean, and of HTTP requests those of `[probe]`, too.

use std::{collections::BTreeMap, path::PathBuf};

use hyper::http::uri::PathAndQuery;

use super::super::{
    read::expect_file,
    scope::{Resolve, Resolver, meaning, resolved},
};
use crate::{
    config::{
        recipe::{HttpCheck, HttpSection, ReadySection, http_keys, ready_keys},
        values::{self, CaFile, ConsulCheck, HostHeader, HttpHeaders, HttpMethod, UrlPath},
    },
    diagnostic::{Located, Place, Problem, Problems},
    model::{ConsulReady, HttpReady, Ready, Scheme, Template, Url},
};

ready_keys!(resolved ReadySection as Ready);
http_keys!(resolved HttpSection as HttpReady);

impl Resolve<HttpReady> for HttpCheck {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> HttpReady {
        if self.0.path.is_none() {
            resolver.problems.push(
                Problem::error("an HTTP check without a path").at(place, "`path` is missing"),
            );
        }
        let HttpSection {
            scheme,
            ca_file,
            server_name,
            insecure,
            ..
        } = &self.0;
        let tls = TlsKeys {
            ca_file: ca_file.as_ref().map(|it| &it.place),
            server_name: server_name.as_ref().map(|it| &it.place),
            insecure: insecure.written().filter(|it| it.value).map(|it| &it.place),
        };
        let is_secure = *scheme.value() == values::Scheme::Https;
        tls.check(is_secure, "add `scheme = \"https\"`", resolver.problems);
        let check: HttpReady = self.0.resolve(place, resolver);
        let body = self.0.body.as_ref().map(|body| &body.place);
        check_body(check.method.as_deref(), body, resolver.problems);
        check
    }
}

/// An answer to `HEAD` never has a body (RFC 9110, 9.3.2).
pub(super) fn check_body(method: Option<&str>, body: Option<&Place>, problems: &mut Problems) {
    if let Some(place) = body.filter(|_| method == Some("HEAD")) {
        problems.push(
            Problem::error("an answer to `HEAD` has no body")
                .at(place, "cannot be in it")
                .hint("ask with `GET`"),
        );
    }
}

/// Where the keys stand that are about TLS.
pub(super) struct TlsKeys<'a> {
    pub ca_file: Option<&'a Place>,
    pub server_name: Option<&'a Place>,
    pub insecure: Option<&'a Place>,
}

impl TlsKeys<'_> {
    /// Whether they fit together. `hint` says how to have TLS.
    pub(super) fn check(&self, is_secure: bool, hint: &str, problems: &mut Problems) {
        let keys = [
            ("ca_file", self.ca_file),
            ("server_name", self.server_name),
            ("insecure", self.insecure),
        ];
        for (key, place) in keys {
            let Some(place) = place else { continue };
            if !is_secure {
                problems.push(
                    Problem::error(format!("`{key}` without TLS"))
                        .at(place, "about certificates")
                        .hint(hint),
                );
            } else if key != "insecure" && self.insecure.is_some() {
                problems.push(
                    Problem::error(format!("`{key}` and `insecure`"))
                        .at(place, "no certificate is checked")
                        .hint("leave out one of them"),
                );
            }
        }
        if let Some(place) = self.insecure.filter(|_| is_secure) {
            problems.push(
                Problem::warning("any certificate will do, so nobody knows who answers")
                    .at(place, "`insecure`")
                    .hint("`ca_file` names the authority of the certificate"),
            );
        }
    }
}

impl Resolve<String> for HttpMethod {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> String {
        let method = resolver.line(&self.0, place);
        if !method.bytes().all(|byte| byte.is_ascii_uppercase()) || method == "CONNECT" {
            resolver.problems.push(
                Problem::error(format!("`{method}` is not a method"))
                    .at(place, "expected a word such as `HEAD` or `POST`"),
            );
        }
        method
    }
}

impl Resolve<PathBuf> for CaFile {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> PathBuf {
        let text = resolver.line(&self.0, place);
        let at = Located {
            value: (),
            place: place.clone(),
        };
        let path = resolver.project().path_at(&text, &at, resolver.problems);
        if let Some(problem) = expect_file(&text, &path) {
            resolver
                .problems
                .push(problem.at(place, "not a file to read"));
        }
        path
    }
}

impl Resolve<BTreeMap<String, String>> for HttpHeaders {
    fn resolve(&self, _: &Place, resolver: &mut Resolver<'_>) -> BTreeMap<String, String> {
        let mut headers = BTreeMap::new();
        for (name, value) in &self.0.0 {
            let text: String = meaning(value, resolver);
            if let Some((fact, hint)) = wrong_header(name, &text) {
                let problem = Problem::error(fact).at(&name.place, "this header");
                resolver.problems.push(problem.maybe_hint(hint));
            }
            headers.insert(name.to_lowercase(), text);
        }
        headers
    }
}

/// Why a header cannot be sent, and what to do.
fn wrong_header(name: &str, value: &str) -> Option<(String, Option<String>)> {
    /// What a request has by itself; two would contradict each other.
    const TAKEN: [&str; 6] = [
        "connection",
        "content-length",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let lower = name.to_lowercase();
    if lower == "host" {
        let hint = "`host` is a key of its own".to_owned();
        return Some((
            "the `Host` header is not one of `headers`".to_owned(),
            Some(hint),
        ));
    }
    if TAKEN.contains(&&*lower) {
        return Some((
            format!("the header `{name}` is part of the connection"),
            None,
        ));
    }
    if name.is_empty() || !name.chars().all(is_token) {
        return Some((format!("{name:?} is not the name of a header"), None));
    }
    let is_fine = |c: char| c == ' ' || c.is_ascii_graphic();
    let is_wrong = !value.chars().all(is_fine) || value.trim() != value;
    is_wrong.then(|| {
        (
            format!("the value of `{name}` is not one of a header"),
            None,
        )
    })
}

impl Resolve<String> for UrlPath {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> String {
        let path = resolver.line(&self.0, place);
        if !path.starts_with('/') || path.parse::<PathAndQuery>().is_err() {
            resolver.problems.push(
                Problem::error(format!("`{path}` is not a path"))
                    .at(place, "expected `/…`")
                    .hint("the host and the port are the container's own"),
            );
        }
        path
    }
}

impl Resolve<String> for HostHeader {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> String {
        let host = resolver.line(&self.0, place);
        // What may be in the authority of a URL, but for a user.
        let may_be_in_it = |c: char| c.is_ascii_alphanumeric() || "-._~:[]%".contains(c);
        let is_one =
            host.chars().all(may_be_in_it) && Url::parse(&format!("http://{host}")).is_ok();
        if !is_one {
            resolver.problems.push(
                Problem::error(format!("`{host}` is not a host"))
                    .at(place, "expected `HOST` or `HOST:PORT`")
                    .hint("the path goes into `path`; the request itself goes to the container"),
            );
        }
        host
    }
}

impl Resolve<ConsulReady> for ConsulCheck {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> ConsulReady {
        match resolver.line(&self.0, place).as_str() {
            "leader" => ConsulReady::Leader,
            service => ConsulReady::Service(service.to_owned()),
        }
    }
}
