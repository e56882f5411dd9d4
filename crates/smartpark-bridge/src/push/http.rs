//! Requests to targets of pushes, by ureq on a thread of its own.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use smartpark_formats::config::Endpoint;
use tokio::task::spawn_blocking;
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
};

use crate::limits::{MAX_PUSH_ANSWER_BYTES, PUSH_TIMEOUT};

/// One POST.
pub(super) struct Request {
    /// Added to the path of the target.
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    /// One more header.
    pub(super) header: Option<(&'static str, String)>,
    /// User and password of HTTP Basic.
    pub(super) basic: Option<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What the target answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// The way to one target.
pub(super) struct Http {
    agent: Agent,
    base: String,
}

impl Http {
    pub(super) fn new(target: &Endpoint) -> Self {
        let Endpoint { scheme, host, port, path } = target;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let base = format!("{scheme}://{host}:{port}{}", path.trim_end_matches('/'));
        let roots = rustls_native_certs::load_native_certs().certs;
        let roots = roots.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A state that is sent elsewhere is not what the person configured.
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(PUSH_TIMEOUT))
            .user_agent(concat!("smartpark/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Self { agent: config.into(), base }
    }

    /// Sends a request and reads the answer; says why that was not possible.
    pub(super) async fn send(&self, request: Request) -> Result<Answer, String> {
        let agent = self.agent.clone();
        let uri = format!("{}{}", self.base, request.path);
        let sent = spawn_blocking(move || post(&agent, &uri, request)).await;
        sent.map_err(|_| "the request broke off".to_owned())?.map_err(|error| error.to_string())
    }
}

fn post(agent: &Agent, uri: &str, request: Request) -> Result<Answer, ureq::Error> {
    let mut builder = agent.post(uri).header("content-type", request.content_type);
    if let Some((name, value)) = &request.header {
        builder = builder.header(*name, value);
    }
    if let Some((user, password)) = &request.basic {
        let encoded = BASE64.encode(format!("{user}:{password}"));
        builder = builder.header("authorization", format!("Basic {encoded}"));
    }
    let mut response = builder.send(&request.body[..])?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(MAX_PUSH_ANSWER_BYTES).read_to_vec();
    // An answer that is too large tells nothing that is needed.
    Ok(Answer { status, body: body.unwrap_or_default() })
}
