//! A server on this machine that speaks HTTP over TLS, and the authority of its certificate.

use std::{convert::Infallible, path::PathBuf, sync::Arc};

use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority, its certificate in a file.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

/// What a server is like.
pub(crate) struct ServerOf {
    /// The name that its certificate is for.
    pub name: &'static str,
    /// The year in which the certificate expires.
    pub expires: i32,
    /// What it can speak, by ALPN's names.
    pub speaks: &'static [&'static str],
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate");
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).expect("a file");
        Self {
            issuer: Issuer::new(params, key),
            folder,
        }
    }

    /// The file of its certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Starts a server with a certificate of this authority, and returns its port. It answers what it was asked.
    pub async fn serves(&self, server: ServerOf) -> u16 {
        let ServerOf {
            name,
            expires,
            speaks,
        } = server;
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.not_after = date_time_ymd(expires, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate with its key");
        config.alpn_protocols = speaks.iter().map(|it| it.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    let stream = TokioIo::new(stream);
                    if is_http2 {
                        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                        let _ = server.serve_connection(stream, service_fn(answer)).await;
                    } else {
                        let server = hyper::server::conn::http1::Builder::new();
                        let _ = server.serve_connection(stream, service_fn(answer)).await;
                    }
                });
            }
        });
        port
    }
}

/// Says what it was asked.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let header = |name: &str| {
        let value = request.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let host = request.uri().authority().map(ToString::to_string);
    let host = host.or_else(|| header("host")).unwrap_or_default();
    let asked = format!(
        "{} {} {:?} for {host}, x-tenant {}",
        request.method(),
        request.uri().path(),
        request.version(),
        header("x-tenant").unwrap_or_default()
    );
    // In JSON to who asks it as Consul.
    let asked = match header("x-consul-token") {
        None => asked,
        Some(token) => serde_json::json!([asked, token]).to_string(),
    };
    let mut response = Response::new(Full::new(Bytes::from(asked)));
    if request.uri().path() == "/moved" {
        *response.status_mut() = hyper::StatusCode::FOUND;
    }
    Ok(response)
}
