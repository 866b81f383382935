//! TLS below a request: whom it trusts, and why it does not trust a server.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{files, text};

/// Whom a request over TLS trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// The authorities in this file (PEM), instead of those of this machine.
    pub ca_file: Option<PathBuf>,
    /// The name that the certificate must have, instead of the one that was connected to.
    pub server_name: Option<String>,
    /// Whoever answers is trusted.
    pub insecure: bool,
}

/// Why there is no TLS connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of authorities cannot be read.
    #[error("cannot read `{}`: {reason}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// This machine has no authorities.
    #[error("this machine has no certificates of authorities{0}; `ca_file` names a file of them")]
    NoAuthorities(String),
    /// The name is neither a host's name nor an address.
    #[error("`{0}` cannot be the name of a server")]
    Name(String),
    /// The server's certificate is not trusted, or it speaks no TLS.
    #[error("{0}")]
    Handshake(String),
}

/// What is needed to connect to one server by TLS.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads the certificates of the authorities. `host` is whom the certificate must be for, unless `trust` names
    /// another.
    pub fn new(trust: &Trust, host: &str) -> Result<Self, TlsError> {
        let name = trust.server_name.as_deref().unwrap_or(host);
        let name =
            ServerName::try_from(name.to_owned()).map_err(|_| TlsError::Name(name.to_owned()))?;
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Handshake(error.to_string()))?;
        let mut config = if trust.insecure {
            let anybody = Arc::new(Anybody { provider });
            let builder = builder.dangerous();
            builder
                .with_custom_certificate_verifier(anybody)
                .with_no_client_auth()
        } else {
            let authorities = match &trust.ca_file {
                Some(path) => of_file(path)?,
                None => of_this_machine()?,
            };
            builder
                .with_root_certificates(authorities)
                .with_no_client_auth()
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name,
        })
    }

    /// Shakes hands over a stream.
    pub async fn connect<S>(&self, stream: S) -> Result<TlsStream<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connected = self.connector.connect(self.name.clone(), stream).await;
        connected.map_err(|error| TlsError::Handshake(self.because(&error)))
    }

    fn because(&self, error: &io::Error) -> String {
        let inner = error.get_ref();
        match inner.and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(error) => because(error, &self.name.to_str()),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                "it ended the connection during the TLS handshake".to_owned()
            }
            None => error.to_string(),
        }
    }
}

/// Whether the server chose HTTP/2.
pub fn chose_http2<S>(stream: &TlsStream<S>) -> bool {
    let (_, connection) = stream.get_ref();
    connection.alpn_protocol() == Some(b"h2")
}

/// Why a handshake failed, as somebody says it who wants to mend it.
fn because(error: &Error, name: &str) -> String {
    let certificate = match error {
        Error::InvalidCertificate(certificate) => certificate,
        Error::InvalidMessage(_) => return "what it answers is not TLS".to_owned(),
        Error::AlertReceived(alert) => return format!("it refused the TLS handshake: {alert:?}"),
        other => return other.to_string(),
    };
    let day = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let at = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        at.strftime("%Y-%m-%d %H:%M UTC").to_string()
    };
    match certificate {
        // Another authority of the same name has signed it: one that was made anew, with another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the authority of its certificate is not trusted here; `ca_file` names another one"
                .to_owned()
        }
        CertificateError::NotValidForName => format!("its certificate is not for `{name}`"),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = presented.iter().map(|name| plain(name));
            format!(
                "its certificate is for {}, not for `{name}`; `server_name` names another one",
                text::list(names)
            )
        }
        CertificateError::Expired => "its certificate has expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("its certificate expired at {}", day(not_after))
        }
        CertificateError::NotValidYet => "its certificate is not valid yet".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("its certificate is valid only from {}", day(not_before))
        }
        other if other.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is an authority's own, and not one that an authority issued".to_owned()
        }
        other => format!("its certificate is refused: {other}"),
    }
}

/// `DnsName("a.example")` as a name.
fn plain(name: &str) -> String {
    let inside = name.split_once('(').map_or(name, |(_, inside)| inside);
    let inside = inside.trim_end_matches(')').trim_matches('"');
    text::visible(inside).into_owned()
}

/// The authorities of a file.
fn of_file(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let failed = |reason: String| TlsError::CaFile {
        path: path.to_owned(),
        reason,
    };
    let bytes =
        files::read_bytes(path, files::LARGEST).map_err(|error| failed(error.to_string()))?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        store
            .add(certificate)
            .map_err(|error| failed(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(failed("it has no certificate (PEM)".to_owned()));
    }
    Ok(Arc::new(store))
}

/// The authorities of this machine, read once: a rollout asks many times.
fn of_this_machine() -> Result<Arc<RootCertStore>, TlsError> {
    static STORE: OnceLock<(Arc<RootCertStore>, String)> = OnceLock::new();
    let (store, errors) = STORE.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(found.certs);
        let errors = found.errors.iter();
        let errors = errors.fold(String::new(), |errors, error| {
            errors + ": " + &error.to_string()
        });
        (Arc::new(store), errors)
    });
    if store.is_empty() {
        return Err(TlsError::NoAuthorities(errors.clone()));
    }
    Ok(Arc::clone(store))
}

/// Trusts whoever answers, as `insecure = true` says. The signature is checked all the same.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
