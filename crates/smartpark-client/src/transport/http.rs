//! HTTP and HTTPS by ureq.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use ureq::{
    Agent,
    http::HeaderMap,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem},
};

use super::{Request, Transport};
use crate::{
    Error, Result,
    limits::{CONNECT_TIMEOUT, MAX_ANSWER_BYTES, REQUEST_TIMEOUT},
    sender::Answer,
};

/// Where the server is, and how to get in.
#[derive(Clone, Debug, Default)]
pub struct ServerConfig {
    /// The address, such as `https://parking.example`.
    pub url: String,
    /// The API key.
    pub key: Option<String>,
    /// A file with the API key, which is read for every request: a new key needs no restart.
    pub key_file: Option<PathBuf>,
    /// A file with certificates (PEM) to be trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// Sends requests to one server.
#[derive(Debug)]
pub struct Http {
    agent: Agent,
    base: String,
    config: ServerConfig,
}

impl Http {
    /// Prepares to send. Does not connect yet.
    ///
    /// # Errors
    /// [`Error::Config`] for an address that is none, and for certificates that cannot be read.
    pub fn new(config: ServerConfig) -> Result<Self> {
        let base = config.url.trim_end_matches('/').to_owned();
        let is_encrypted = base.starts_with("https://");
        let address = base.strip_prefix("http://").or(base.strip_prefix("https://"));
        if address
            .is_none_or(|address| address.is_empty() || address.contains(['?', '#', ' ', '@']))
        {
            let text = "the server's address must look like https://parking.example";
            return Err(Error::Config(format!("{text}; {:?} does not", config.url)));
        }
        let mut builder = Agent::config_builder()
            .http_status_as_error(false)
            // A POST that is sent elsewhere is not what the person configured.
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(REQUEST_TIMEOUT))
            .user_agent(concat!("smartpark-client/", env!("CARGO_PKG_VERSION")));
        if is_encrypted {
            builder = builder.tls_config(tls(&config)?);
        }
        Ok(Self { agent: builder.build().into(), base, config })
    }

    fn try_send(&self, request: &Request, key: Option<&str>) -> Result<Answer, ureq::Error> {
        let uri = format!("{}{}", self.base, request.path);
        let method = if request.body.is_some() { "POST" } else { "GET" };
        let mut builder = ureq::http::Request::builder().method(method).uri(uri);
        if let Some(key) = key {
            builder = builder.header("authorization", format!("Bearer {key}"));
        }
        if request.is_backlog {
            builder = builder.header("backlog", "true");
        }
        let response = match &request.body {
            None => self.agent.run(builder.body(())?),
            Some(body) => {
                let builder = builder.header("content-type", "application/x-ndjson");
                self.agent.run(builder.body(body.as_bytes())?)
            }
        };
        let mut response = response?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec()?;
        Ok(Answer::Response { status, retry_after, body })
    }

    fn key(&self) -> Result<Option<String>, String> {
        let Some(path) = &self.config.key_file else { return Ok(self.config.key.clone()) };
        let text = fs::read_to_string(path);
        let cannot = |error| format!("the key file {} cannot be read: {error}", path.display());
        Ok(Some(text.map_err(cannot)?.trim().to_owned()))
    }
}

impl Transport for Http {
    fn send(&mut self, request: &Request) -> Answer {
        let key = match self.key() {
            Ok(key) => key,
            Err(reason) => return Answer::None { reason, timed_out: false },
        };
        self.try_send(request, key.as_deref()).unwrap_or_else(|error| Answer::None {
            timed_out: matches!(error, ureq::Error::Timeout(_)),
            reason: format!("the server at {} did not answer: {error}", self.base),
        })
    }
}

/// Seconds to wait, if the server says so in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn tls(config: &ServerConfig) -> Result<TlsConfig> {
    let certificates = match &config.ca_file {
        Some(path) => {
            let cannot = |reason: String| {
                Error::Config(format!("the certificates in {}: {reason}", path.display()))
            };
            let text = fs::read(path).map_err(|error| cannot(error.to_string()))?;
            let items = parse_pem(&text).filter_map(Result::ok);
            let certificates: Vec<_> = items
                .filter_map(|item| match item {
                    PemItem::Certificate(certificate) => Some(certificate),
                    _ => None,
                })
                .collect();
            if certificates.is_empty() {
                return Err(cannot("the file holds none (they must be PEM)".into()));
            }
            certificates
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                return Err(Error::Config(
                    "this system has no certificates to check the server by; install the package \
                     ca-certificates, or name a ca_file"
                        .into(),
                ));
            }
            found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
        }
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::Specific(Arc::new(certificates)))
        .unversioned_rustls_crypto_provider(provider)
        .build())
}
