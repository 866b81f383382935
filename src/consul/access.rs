//! How the agents of a run are asked: over what, in which namespace, and as whom.

use std::{fmt::Write as _, sync::Arc};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    http::tls::{Tls, Trust},
    model::{ConsulSettings, HostAndPort, Scheme},
};

/// How the agents of a run are asked. It is put together before the first host is contacted; clones share it.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    address: HostAndPort,
    way: Result<Way, NoAccess>,
}

/// What a request takes beside its path.
pub(super) struct Way {
    pub tls: Option<Tls>,
    pub token: Option<SecretString>,
    /// `ns=…&partition=…`, or nothing.
    pub query: String,
}

/// Why the agents are not asked in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAccess {
    /// The reason.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Access {
    /// As the files say, with the value of their token.
    ///
    /// # Errors
    ///
    /// The authorities that are trusted cannot be read, or the token cannot be in a header.
    pub fn new(settings: &ConsulSettings, token: Option<SecretString>) -> Result<Self, NoAccess> {
        let way = way(settings, token)?;
        Ok(Self::with(settings, Ok(way)))
    }

    /// For a run that reads no token. Where the files name one, the agents are not asked.
    pub fn without_token(settings: &ConsulSettings) -> Self {
        let way = if settings.token.is_some() {
            let why = "this command reads no token".to_owned();
            Err(NoAccess { why, hint: None })
        } else {
            way(settings, None)
        };
        Self::with(settings, way)
    }

    /// For a run in which the agents are not asked.
    pub fn none(settings: &ConsulSettings, why: NoAccess) -> Self {
        Self::with(settings, Err(why))
    }

    fn with(settings: &ConsulSettings, way: Result<Way, NoAccess>) -> Self {
        let address = settings.address.clone();
        Self(Arc::new(Inner { address, way }))
    }

    pub(super) fn address(&self) -> &HostAndPort {
        &self.0.address
    }

    pub(super) fn way(&self) -> Result<&Way, &NoAccess> {
        self.0.way.as_ref()
    }
}

fn way(settings: &ConsulSettings, token: Option<SecretString>) -> Result<Way, NoAccess> {
    let ConsulSettings {
        address,
        scheme,
        ca_file,
        server_name,
        token: _,
        namespace,
        partition,
    } = settings;
    let in_a_header = |token: &SecretString| {
        let bytes = token.expose_secret().bytes();
        { bytes }.all(|byte| byte.is_ascii_graphic())
    };
    // An empty one stands for none, as in Consul itself.
    let token = token.filter(|token| !token.expose_secret().is_empty());
    if token.as_ref().is_some_and(|token| !in_a_header(token)) {
        return Err(NoAccess {
            why: "the value of `consul.token` has a space, a line break or something else that no token has"
                .to_owned(),
            hint: Some("its value is the SecretID alone, as `consul acl token read` shows it".to_owned()),
        });
    }
    let tls = match scheme {
        Scheme::Http => None,
        Scheme::Https => {
            let trust = Trust {
                ca_file: ca_file.clone(),
                server_name: server_name.clone(),
                insecure: false,
            };
            let tls = Tls::new(&trust, &address.host).map_err(|error| NoAccess {
                why: error.to_string(),
                hint: Some("see `ca_file` and `server_name` under [consul]".to_owned()),
            })?;
            Some(tls)
        }
    };
    let mut query = String::new();
    for (key, value) in [("ns", namespace), ("partition", partition)] {
        if let Some(value) = value {
            let separator = if query.is_empty() { "" } else { "&" };
            let _ = write!(query, "{separator}{key}={}", percent_encode(value));
        }
    }
    Ok(Way { tls, token, query })
}

/// Encodes one segment of a path or value of a query (RFC 3986, section 2.3: what is unreserved stays).
pub(super) fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_ids_keep_their_colons_encoded() {
        assert_eq!(
            percent_encode("host-1:web-r42:5000"),
            "host-1%3Aweb-r42%3A5000"
        );
        assert_eq!(percent_encode("a b/é"), "a%20b%2F%C3%A9");
    }
}
