//! `[ready]`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::{Spanned, de::DeValue};

use super::super::{
    from_toml::{FromToml, Section},
    reader::Reader,
    section::section,
    values::{
        CaFile, ConsulCheck, HostHeader, HttpHeaders, HttpMethod, Line, Scheme, Script, UrlPath,
    },
};

/// The keys of `[ready]`. `ReadySection` and `Ready` are both made from this list; how a check is made is
/// said in `rollout/gates/ready/`, and which port it names in `Ready::port`; the compiler asks for both.
macro_rules! ready_keys {
    ($make:ident $name:ident $($more:tt)*) => {
        $make! {
            /// When a new container counts as ready. Every check that is set must pass; without any, it is enough
            /// that the container runs.
            "`[ready]`" $name {
                /// An HTTP request to the published port must be answered. Redirects are not followed.
                http: HttpCheck => Option<HttpReady>,
                /// A container port (with `network = "host"` the host's) that accepts TCP connections.
                #[range(1..=65535, "port 0")]
                tcp: u16 => Option<u16>,
                /// A container port (with `network = "host"` the host's) whose gRPC health service
                /// (`grpc.health.v1.Health`, without TLS) must answer `SERVING` for the server as a whole.
                #[range(1..=65535, "port 0")]
                grpc: u16 => Option<u16>,
                /// A service that Consul's agent must report passing for this very container, or `leader`: the
                /// container is a Consul server, and its cluster has a leader and all its peers.
                consul: ConsulCheck => Option<ConsulReady>,
                /// Whether docker's own healthcheck must say `healthy`.
                #[default(false)]
                healthcheck: bool => bool,
                /// A command on the host that must exit 0.
                run: Script => Option<Template>,
            }
            $($more)*
        }
    };
}
pub(crate) use ready_keys;

ready_keys!(section ReadySection);

/// The keys of `[ready] http`.
macro_rules! http_keys {
    ($make:ident $name:ident $($more:tt)*) => {
        $make! {
            /// An HTTP check.
            "`http`" $name {
                /// The path of the request.
                #[needed = "needed"]
                path: UrlPath => String,
                /// The container's port; needed only when it publishes several.
                #[range(1..=65535, "port 0")]
                port: u16 => Option<u16>,
                /// `https` for an app that speaks TLS itself; HTTP/2 where the app chooses it.
                #[default(Scheme::Http)]
                scheme: Scheme => Scheme,
                /// The `Host` header of the request, for an app that answers no other: `HOST[:PORT]`.
                #[default = "the host's address and port"]
                host: HostHeader => Option<String>,
                /// The status that it must answer.
                #[default = "any from 200 to 399"]
                #[range(100..=599, "`{}` is not an HTTP status")]
                status: u16 => Option<u16>,
                /// Further headers of the request, as a table.
                headers: HttpHeaders => BTreeMap<String, String>,
                /// The method of the request.
                #[default = "`GET`"]
                method: HttpMethod => Option<String>,
                /// A text that the body of the answer must have in it.
                body: Line => Option<String>,
                /// A file (PEM) with the authorities that are trusted, instead of those of the deployer's machine.
                ca_file: CaFile => Option<PathBuf>,
                /// The name that the server's certificate must have.
                #[default = "the name in `host`, else the host's address"]
                server_name: Line => Option<String>,
                /// Whether any certificate will do. Then nobody knows who answers.
                #[default(false)]
                insecure: bool => bool,
            }
            $($more)*
        }
    };
}
pub(crate) use http_keys;

http_keys!(section HttpSection);

/// An HTTP check: its path alone, or a table.
#[derive(Debug, Clone)]
pub struct HttpCheck(pub HttpSection);

impl FromToml for HttpCheck {
    fn kind() -> String {
        let keys: Vec<_> = HttpSection::table()
            .keys
            .iter()
            .map(|key| key.name)
            .collect();
        format!("path, or `{{ {} }}`", keys.join(", "))
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
        if value.get_ref().is_str() {
            let path = UrlPath::located(value, reader)?;
            return Some(Self(HttpSection {
                path: Some(path),
                ..HttpSection::default()
            }));
        }
        HttpSection::from_toml(value, reader).map(Self)
    }
}

impl JsonSchema for HttpCheck {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "HttpCheck".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<HttpSection>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}
