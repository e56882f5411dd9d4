//! Encryption: with a certificate of an authority of our own, over HTTP/1.1 and HTTP/2, and a new
//! certificate without a break.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::program::{Folder, Server};

/// Runs openssl in a folder.
fn openssl(folder: &Folder, line: &str) {
    let mut command = Command::new("openssl");
    command.args(line.split(' ')).current_dir(folder.path()).stdin(Stdio::null());
    let ran = command.output().expect("openssl is needed: apt-get install openssl");
    assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
}

const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

/// Makes an authority.
fn authority(folder: &Folder) {
    let line = format!("req -x509 {KEY} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority");
    openssl(folder, &line);
}

/// Makes a certificate for this machine, `name.pem` and `name.key`.
fn certificate(folder: &Folder, name: &str) {
    let subject = format!("-subj /CN={name} -addext subjectAltName=IP:127.0.0.1");
    openssl(folder, &format!("req {KEY} -keyout {name}.key -out {name}.csr {subject}"));
    let sign = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy";
    openssl(folder, &format!("x509 -req -in {name}.csr {sign} -out {name}.pem"));
}

/// Puts a certificate where the server looks for it, as tools that renew them do.
fn install(folder: &Folder, name: &str) {
    for ending in ["key", "pem"] {
        std::fs::copy(in_folder(folder, name, ending), in_folder(folder, "new", ending)).unwrap();
        std::fs::rename(in_folder(folder, "new", ending), in_folder(folder, "used", ending))
            .unwrap();
    }
}

fn in_folder(folder: &Folder, name: &str, ending: &str) -> std::path::PathBuf {
    folder.path().join(format!("{name}.{ending}"))
}

fn leaf(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

/// Begins a connection that trusts the authority in the folder; the protocol that was chosen.
async fn connect(folder: &Folder, server: &Server, protocols: &[&str]) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(leaf(&folder.path().join("ca.pem"))).unwrap();
    let mut config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let address: SocketAddr = server.url.strip_prefix("https://").unwrap().parse().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::from(address.ip());
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// Asks for /floors on a connection that is kept; the status line.
async fn ask(stream: &mut TlsStream<TcpStream>, headers: &str) -> String {
    let request = format!("GET /health/live HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"{\"status\":\"ok\"}") {
        answer.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

/// A server that encrypts with the certificate `first`.
fn encrypted(folder: &Folder) -> Server {
    authority(folder);
    certificate(folder, "first");
    install(folder, "first");
    Server::start(folder, &["--tls-cert", "used.pem", "--tls-key", "used.key"])
}

#[tokio::test]
async fn both_versions_of_http_are_served_encrypted_and_nothing_else() {
    let folder = Folder::with_floors(&[("1F", 3)]);
    let server = encrypted(&folder);
    let mut stream = connect(&folder, &server, &["http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let told = ask(&mut stream, "").await;
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
    // Browsers come back encrypted for a year.
    assert!(told.contains("\r\nstrict-transport-security: max-age=31536000\r\n"), "{told}");

    let stream = connect(&folder, &server, &["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (executor, io) =
        (hyper_util::rt::TokioExecutor::new(), hyper_util::rt::TokioIo::new(stream));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    let driven = tokio::spawn(connection);
    let uri = format!("{}/floors", server.url);
    let request = hyper::Request::get(uri).body(axum::body::Body::empty()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, hyper::Version::HTTP_2));
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    drop(sender);
    driven.await.unwrap().unwrap();

    let address = server.url.strip_prefix("https://").unwrap();
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET /floors HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // It ends with an error or with an alert, never with an answer.
    plain.read_to_end(&mut answer).await.ok();
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
}

#[tokio::test]
async fn a_new_certificate_is_taken_up_without_dropping_anybody() {
    let folder = Folder::with_floors(&[("1F", 3)]);
    let server = encrypted(&folder);
    let mut old = connect(&folder, &server, &["http/1.1"]).await;
    assert_eq!(shown(&old), leaf(&folder.path().join("first.pem")));
    // What does not fit is not taken up, and said.
    std::fs::write(folder.path().join("used.key"), "no key").unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !server.log().contains("the old certificate still holds") {
        assert!(Instant::now() < deadline, "{}", server.log());
        assert!(ask(&mut old, "").await.starts_with("HTTP/1.1 200 "));
    }
    let still = connect(&folder, &server, &["http/1.1"]).await;
    assert_eq!(shown(&still), leaf(&folder.path().join("first.pem")));

    certificate(&folder, "second");
    install(&folder, "second");
    let second = leaf(&folder.path().join("second.pem"));
    let deadline = Instant::now() + Duration::from_secs(30);
    while shown(&connect(&folder, &server, &["http/1.1"]).await) != second {
        assert!(Instant::now() < deadline, "{}", server.log());
    }
    assert!(ask(&mut old, "").await.starts_with("HTTP/1.1 200 "), "the old connection was dropped");
}

#[test]
fn files_that_do_not_fit_are_told_before_anything_is_made() {
    let folder = Folder::new();
    authority(&folder);
    certificate(&folder, "first");
    certificate(&folder, "second");
    let before = folder.files();
    let cases = [
        ("first.pem", "second.key", "do not fit"),
        ("first.key", "first.key", "holds none in PEM"),
        ("first.pem", "first.pem", "key holds none in PEM"),
        ("first.pem", "third.key", "third.key cannot be read"),
    ];
    for (cert, key, told) in cases {
        let ran = folder.run(&["serve", "--tls-cert", cert, "--tls-key", key]).ended(1);
        assert!(ran.err.contains(told), "{cert} {key}: {}", ran.err);
        assert_eq!(folder.files(), before, "a refused server must not make a database");
    }
}
