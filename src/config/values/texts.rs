//! Strings by what they are for. All are templates but names.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::{Spanned, de::DeValue};

use super::{
    super::{from_toml::FromToml, key::Shape, reader::Reader},
    Entries, Scalar,
};
use crate::diagnostic::Located;

/// A kind of value that is read as another one, and means something of its own.
macro_rules! kind {
    ($($(#[$meta:meta])* $name:ident($inner:ty) $one:literal $many:literal,)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub struct $name(pub $inner);

        impl FromToml for $name {
            const SHAPE: Shape = <$inner>::SHAPE;

            fn kind() -> String {
                $one.to_owned()
            }

            fn kinds() -> String {
                $many.to_owned()
            }

            fn from_toml(value: &Spanned<DeValue<'_>>, reader: &mut Reader) -> Option<Self> {
                FromToml::from_toml(value, reader).map(Self)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                <$inner>::json_schema(generator)
            }
        }
    )*};
}

kind! {
    /// Any text.
    Text(String) "string" "strings",
    /// One line of text: not empty, no control characters.
    Line(String) "string" "strings",
    /// A command for the host's `sh -c`, which may also name the release, the container and its image.
    Script(String) "string" "strings",
    /// A word of a command without a shell, which may also name what a [`Script`] may.
    Word(String) "string" "strings",
    /// The path of a request: begins with `/`.
    UrlPath(String) "path" "paths",
    /// Whom a request names as its host: `HOST[:PORT]`.
    HostHeader(String) "host" "hosts",
    /// The method of a request.
    HttpMethod(String) "method" "methods",
    /// Headers of a request.
    HttpHeaders(Entries<Scalar>) "table of headers" "tables of headers",
    /// A file of authorities' certificates.
    CaFile(String) "path" "paths",
    /// A service in Consul, or `leader`.
    ConsulCheck(String) "service, or `leader`" "services",
    /// An image: `[REGISTRY/]NAME[:TAG]`.
    Image(String) "string" "strings",
    /// One of docker's restart policies.
    RestartPolicy(String) "string" "strings",
    /// A word for `docker run` that no key stands for.
    RunOption(String) "string" "strings",
    /// Published ports: `[IP:][HOST_PORT:]CONTAINER_PORT[/PROTOCOL]`.
    PublishedPorts(Vec<Located<Scalar>>) "list of ports" "lists of ports",
    /// Environment variables.
    EnvironmentVariables(Entries<Scalar>) "table" "tables",
    /// Labels of a container.
    Labels(Entries<Scalar>) "table" "tables",
}
