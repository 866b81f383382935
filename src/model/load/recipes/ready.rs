//! `[ready]` for one host: what the kinds of checks mean.

use super::super::scope::{Resolve, Resolver, resolved};
use crate::{
    config::{
        recipe::{HttpCheck, HttpSection, ReadySection, http_keys, ready_keys},
        values::{ConsulCheck, HostHeader, UrlPath},
    },
    diagnostic::{Place, Problem},
    model::{ConsulReady, HttpReady, Ready, Template},
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
        self.0.resolve(place, resolver)
    }
}

impl Resolve<String> for UrlPath {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> String {
        let path = resolver.line(&self.0, place);
        if !path.starts_with('/') {
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
        if host.is_empty() || !host.chars().all(may_be_in_it) {
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
