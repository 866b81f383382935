use std::time::Duration;

use hyper::Method;
use tokio::net::TcpStream;

use super::{
    Tls, Trust,
    testing::{Authority, ServerOf},
};
use crate::{
    http::{Question, Wanted, ask},
    text,
};

const BOTH: &[&str] = &["h2", "http/1.1"];

/// What is answered to a request by somebody who trusts so and means `host`; the error with its causes.
async fn asked(port: u16, trust: &Trust, host: &str) -> Result<String, String> {
    let tls = Tls::new(trust, host).map_err(|error| error.to_string())?;
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("it listens");
    let question = Question {
        method: Method::GET,
        authority: format!("{host}:8443"),
        path: "/health".to_owned(),
        headers: vec![("x-tenant".to_owned(), "acme".to_owned())],
        body: String::new(),
    };
    let deadline = Duration::from_secs(30);
    let answer = ask(stream, &question, Some(&tls), Wanted::All, deadline).await;
    let answer = answer.map_err(|error| text::chain(&error).join(": "))?;
    Ok(answer.body)
}

fn trusting(authority: &Authority) -> Trust {
    Trust {
        ca_file: Some(authority.file()),
        ..Trust::default()
    }
}

#[tokio::test]
async fn http2_is_spoken_where_the_server_chooses_it() {
    let authority = Authority::new();
    for (speaks, version) in [
        (BOTH, "HTTP/2.0"),
        (&["http/1.1"][..], "HTTP/1.1"),
        (&[][..], "HTTP/1.1"),
    ] {
        let server = ServerOf {
            name: "app.example",
            expires: 2100,
            speaks,
        };
        let port = authority.serves(server).await;
        let answer = asked(port, &trusting(&authority), "app.example").await;
        let said = format!("GET /health {version} for app.example:8443, x-tenant acme");
        assert_eq!(answer, Ok(said));
    }
}

#[tokio::test]
async fn who_is_not_trusted_is_told_apart() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = |expires| ServerOf {
        name: "app.example",
        expires,
        speaks: BOTH,
    };
    let port = authority.serves(server(2100)).await;
    let trust = trusting(&authority);

    let wrong_name = asked(port, &trust, "lb.example").await;
    assert_eq!(
        wrong_name,
        Err("no TLS connection: its certificate is for `app.example`, not for `lb.example`; `server_name` names \
             another one"
            .to_owned())
    );
    let named = Trust {
        server_name: Some("app.example".to_owned()),
        ..trust.clone()
    };
    assert!(asked(port, &named, "10.0.0.3").await.is_ok());

    let unknown = asked(port, &trusting(&other), "app.example").await;
    assert_eq!(
        unknown,
        Err("no TLS connection: the authority of its certificate is not trusted here; `ca_file` names another one"
            .to_owned())
    );
    let insecure = Trust {
        insecure: true,
        ..Trust::default()
    };
    assert!(asked(port, &insecure, "lb.example").await.is_ok());

    let port = authority.serves(server(2020)).await;
    let expired = asked(port, &trust, "app.example").await;
    assert_eq!(
        expired,
        Err("no TLS connection: its certificate expired at 2020-01-01 00:00 UTC".to_owned())
    );
}

#[tokio::test]
async fn a_server_without_tls_and_one_that_ends_the_connection() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let authority = Authority::new();
    for (said, told) in [
        (
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "no TLS connection: what it answers is not TLS",
        ),
        (
            "",
            "no TLS connection: it ended the connection during the TLS handshake",
        ),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let port = listener.local_addr().expect("its address").port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut hello = [0; 4096];
            let _ = stream.read(&mut hello).await;
            let _ = stream.write_all(said.as_bytes()).await;
        });
        let answer = asked(port, &trusting(&authority), "app.example").await;
        assert_eq!(answer, Err(told.to_owned()));
    }
}

#[test]
fn a_file_of_authorities_that_has_none_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    let told = |why: &str| Some(format!("cannot read `{}`: {why}", file.display()));
    let error = || {
        let trust = Trust {
            ca_file: Some(file.clone()),
            ..Trust::default()
        };
        Tls::new(&trust, "app.example")
            .err()
            .map(|error| error.to_string())
    };
    assert_eq!(error(), told("No such file or directory (os error 2)"));
    std::fs::write(&file, "no certificate").expect("a file");
    assert_eq!(error(), told("it has no certificate (PEM)"));
    let name = Tls::new(&Trust::default(), "not a name").err();
    let name = name.map(|error| error.to_string());
    assert_eq!(
        name.as_deref(),
        Some("`not a name` cannot be the name of a server")
    );
}
