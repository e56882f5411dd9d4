//! A GET to a device whose answer may never end, with Basic or Digest as the device asks.

use std::{fmt::Write as _, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    client::conn::http1,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, WWW_AUTHENTICATE},
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use smartpark_formats::config::Endpoint;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::digest::Challenge;
use crate::limits::DEVICE_ANSWER;

/// A device, and its user with password.
#[derive(Clone)]
pub(super) struct Device {
    pub(super) url: Endpoint,
    pub(super) user: Option<(String, String)>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("url", &self.url).finish_non_exhaustive()
    }
}

/// An answer that is read while it comes.
pub(super) struct Answer(Response<Incoming>);

impl Answer {
    pub(super) fn content_type(&self) -> Option<String> {
        Some(self.0.headers().get(CONTENT_TYPE)?.to_str().ok()?.to_owned())
    }

    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, String>> {
        loop {
            match self.0.frame().await? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) => return Some(Ok(data)),
                    Err(_) => continue,
                },
                Err(error) => return Some(Err(error.to_string())),
            }
        }
    }
}

impl Device {
    /// Asks for `path` below the device's address. An answer of 401 is asked again with the user
    /// and the password.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, String> {
        let path = format!("{}{path}", self.url.path.trim_end_matches('/'));
        let first = self.ask(&path, None).await?;
        if first.status() != StatusCode::UNAUTHORIZED {
            return fitting(first);
        }
        let (name, password) = self.user.as_ref().ok_or("it wants a user and a password")?;
        let user = (name.as_str(), password.as_str());
        let asked = first.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenge = asked.filter_map(|it| Challenge::read(it.to_str().ok()?)).next();
        let authorization = match challenge {
            Some(challenge) => challenge.answer(user, &path, &random()?),
            None => format!("Basic {}", BASE64.encode(format!("{name}:{password}"))),
        };
        let second = self.ask(&path, Some(&authorization)).await?;
        if second.status() == StatusCode::UNAUTHORIZED {
            return Err("it does not accept the user or the password".to_owned());
        }
        fitting(second)
    }

    async fn ask(
        &self,
        path: &str,
        authorization: Option<&str>,
    ) -> Result<Response<Incoming>, String> {
        let mut request =
            Request::get(path).header(HOST, format!("{}:{}", self.url.host, self.url.port));
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Empty::new()).map_err(|error| error.to_string())?;
        let answer = timeout(DEVICE_ANSWER, self.send(request)).await;
        answer.map_err(|_| "it did not answer in time".to_owned())?
    }

    async fn send(&self, request: Request<Empty<Bytes>>) -> Result<Response<Incoming>, String> {
        let address = (self.url.host.as_str(), self.url.port);
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        if self.url.scheme != "https" {
            return exchange(stream, request).await;
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(self.url.host.clone()).map_err(|it| it.to_string())?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        exchange(stream.map_err(|error| error.to_string())?, request).await
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
) -> Result<Response<Incoming>, String> {
    let text = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
    // It ends with the answer, or when the answer is dropped.
    tokio::spawn(async move { drop(connection.await) });
    sender.send_request(request).await.map_err(text)
}

fn fitting(answer: Response<Incoming>) -> Result<Answer, String> {
    if answer.status() == StatusCode::OK {
        return Ok(Answer(answer));
    }
    Err(format!("it answered {}", answer.status().as_u16()))
}

/// A number of the client's own, in hexadecimal digits.
fn random() -> Result<String, String> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}
