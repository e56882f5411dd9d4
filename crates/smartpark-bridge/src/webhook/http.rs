//! One attempt: a POST by ureq on a thread of its own, to an address that the guard permits.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use smartpark_formats::config::Webhook;
use tokio::task::spawn_blocking;
use ureq::{
    Agent,
    config::Config,
    http::Uri,
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

use super::{guard::Guard, schedule::Outcome};
use crate::limits::WEBHOOK_TIMEOUT;

/// Bytes of an answer that are read: nothing in it is needed.
const MAX_ANSWER_BYTES: u64 = 4_096;

/// A message as the transport sends it.
pub(super) struct Request {
    pub(super) content_type: &'static str,
    pub(super) headers: [(&'static str, String); 3],
    pub(super) body: Vec<u8>,
}

/// The way to one receiver.
#[derive(Clone, Debug)]
pub(super) struct Http {
    agent: Agent,
    url: String,
}

impl Http {
    pub(super) fn new(webhook: &Webhook) -> Self {
        let url = &webhook.url;
        let host =
            if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
        let path =
            if url.path.starts_with('/') { url.path.clone() } else { format!("/{}", url.path) };
        let roots = rustls_native_certs::load_native_certs().certs;
        let roots = roots.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // A connection that is kept would not be checked again.
            .max_idle_connections(0)
            .proxy(None)
            .timeout_global(Some(WEBHOOK_TIMEOUT))
            .user_agent(concat!("smartpark/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        let guard = Guard::new(webhook.allow.clone(), url.scheme == "http");
        let agent = Agent::with_parts(config, DefaultConnector::default(), Checked(guard));
        Self { agent, url: format!("{}://{host}:{}{path}", url.scheme, url.port) }
    }

    pub(super) async fn send(&self, request: Request, now: Timestamp) -> Outcome {
        let (agent, url) = (self.agent.clone(), self.url.clone());
        let sent = spawn_blocking(move || post(&agent, &url, &request, now)).await;
        sent.unwrap_or_else(|_| failed("the attempt broke off"))
    }
}

fn failed(why: impl Into<String>) -> Outcome {
    Outcome::Failed { why: why.into(), retry_after: None }
}

fn post(agent: &Agent, url: &str, request: &Request, now: Timestamp) -> Outcome {
    let mut builder = agent.post(url).header("content-type", request.content_type);
    for (name, value) in &request.headers {
        builder = builder.header(*name, value);
    }
    let mut answer = match builder.send(&request.body[..]) {
        Ok(answer) => answer,
        Err(ureq::Error::Other(error)) => return failed(error.to_string()),
        Err(error) => return failed(error.to_string()),
    };
    let status = answer.status().as_u16();
    let asked = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let retry_after = asked.and_then(|text| retry_after(text, now));
    // Reading a little lets the receiver finish; what it says is not needed.
    drop(answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec());
    match status {
        200..300 => Outcome::Taken,
        410 => Outcome::Gone,
        300..400 => failed(format!(
            "it answered {status}: redirects are not followed; give the address that it names"
        )),
        _ => Outcome::Failed { why: format!("it answered {status}"), retry_after },
    }
}

/// How long an answer asks to wait: seconds, or a date.
fn retry_after(text: &str, now: Timestamp) -> Option<SignedDuration> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(SignedDuration::from_secs(seconds.into()));
    }
    let at = rfc2822::parse(text.trim()).ok()?.timestamp();
    Some(at.duration_since(now))
}

/// Resolves a name and leaves only the addresses that the guard permits; the connection goes to one
/// of these.
#[derive(Debug)]
struct Checked(Guard);

#[derive(Debug, thiserror::Error)]
#[error(
    "{host} is at {address}, which is not on the public internet (or http:// leads out of the \
     networks in allow); name its network in allow if it is right"
)]
struct Inside {
    host: String,
    address: String,
}

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let mut permitted = self.empty();
        for address in found.iter().filter(|address| self.0.permits(address.ip())) {
            permitted.push(*address);
        }
        if permitted.is_empty() {
            let address = found.iter().next().map(|it| it.ip().to_string()).unwrap_or_default();
            let host = uri.host().unwrap_or_default().to_owned();
            return Err(ureq::Error::Other(Box::new(Inside { host, address })));
        }
        Ok(permitted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_asks_for_a_pause_in_seconds_or_by_a_date() {
        let now = "2026-12-01T08:05:00Z".parse().unwrap();
        let table = [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Tue, 01 Dec 2026 08:06:00 GMT", Some(60)),
            ("-5", None),
            ("soon", None),
        ];
        for (text, wanted) in table {
            assert_eq!(retry_after(text, now).map(|it| it.as_secs()), wanted, "{text}");
        }
    }
}
