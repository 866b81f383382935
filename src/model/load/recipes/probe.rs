//! `[probe]`.

use super::{
    super::{
        hosts::Members,
        scope::{Resolver, Settle, meaning},
    },
    ready::{TlsKeys, check_body},
};
use crate::{
    config::{
        recipe::{ProbeSection, Recipe as Raw},
        suggest::did_you_mean_or_all,
    },
    diagnostic::{Located, Problem, Problems},
    model::{HostName, HttpDetails, Probe, Scheme, Url},
};

/// `[probe]`, which is about no single host.
pub(super) fn resolve(raw: &Raw, members: &Members, resolver: &mut Resolver<'_>) -> Option<Probe> {
    let section = raw.probe.as_ref()?;
    let ProbeSection {
        url,
        rate,
        status,
        host,
        headers,
        method,
        body,
        ca_file,
        server_name,
        insecure,
        budget,
        max_error_rate,
        timeout,
        through,
    } = &section.value;
    let Some(url) = url else {
        resolver
            .problems
            .push(Problem::error("`[probe]` has no url").at(&section.place, "`url` is missing"));
        return None;
    };
    let errors_before = resolver.problems.iter().count();
    let address: String = meaning(url, resolver);
    let has_rendered = resolver.problems.iter().count() == errors_before;
    let parsed = Url::parse(&address);
    let is_secure = parsed.as_ref().is_ok_and(|url| url.scheme == Scheme::Https);
    let tls = TlsKeys {
        ca_file: ca_file.as_ref().map(|it| &it.place),
        server_name: server_name.as_ref().map(|it| &it.place),
        insecure: insecure.written().filter(|it| it.value).map(|it| &it.place),
    };
    tls.check(
        is_secure,
        "the URL begins with `https://`",
        resolver.problems,
    );
    if let Err(why) = &parsed
        && has_rendered
    {
        resolver
            .problems
            .push(Problem::error(why).at(&url.place, "expected `http://…` or `https://…`"));
    }
    let through = through.as_ref();
    let through = through.and_then(|text| known_host(text, members, resolver.problems));
    let method: Option<String> = method.settle(resolver);
    let body_place = body.as_ref().map(|body| &body.place);
    check_body(method.as_deref(), body_place, resolver.problems);
    Some(Probe {
        url: address,
        rate: *rate.value(),
        status: status.as_ref().map(|status| status.value),
        details: HttpDetails {
            host: host.settle(resolver),
            headers: headers.settle(resolver),
            method,
            body: body.settle(resolver),
            ca_file: ca_file.settle(resolver),
            server_name: server_name.settle(resolver),
            insecure: *insecure.value(),
        },
        budget: *budget.value(),
        max_error_rate: max_error_rate.settle(resolver),
        timeout: timeout.value().0,
        through,
    })
}

/// The host of this name, if the environment has it.
fn known_host(
    text: &Located<String>,
    members: &Members,
    problems: &mut Problems,
) -> Option<HostName> {
    let names = members.hosts.iter().map(|member| &member.host.name);
    let found = names.clone().find(|name| ***name == *text.value).cloned();
    if found.is_none() {
        problems.push(
            Problem::error(format!("unknown host `{}`", text.value))
                .at(&text.place, "not a host of this environment")
                .hint(did_you_mean_or_all(
                    text,
                    "hosts",
                    names.map(|name| &**name).collect(),
                )),
        );
    }
    found
}
