//! Webhooks: Standard Webhooks 1.0.0, with CloudEvents 1.0 as another form of the body.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use sha2::{Digest as _, Sha256};

use crate::limits::MAX_WEBHOOK_BYTES;

/// Characters of an id, without those that people confuse (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of an id behind `msg_`.
const ID_CHARS: usize = 26;
/// Shortest and longest key, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Why a webhook cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookFault {
    /// The secret is not `whsec_` and base64 of 24 to 64 bytes. Never repeats it.
    #[error(
        "the secret must be whsec_ and base64 of 24 to 64 bytes; \
         make one with `smartpark webhooks secret`"
    )]
    Secret,
    /// The type of the event is not made of words of letters, digits and `_`, joined by dots.
    #[error("the type of the event must be words of letters, digits and _, joined by dots")]
    Kind,
    /// The body is too large.
    #[error("the body must be smaller than {MAX_WEBHOOK_BYTES} bytes")]
    TooLarge,
}

/// The key that signs. Shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret")
    }
}

impl WebhookSecret {
    /// Reads `whsec_…`; white space around it is allowed.
    ///
    /// # Errors
    /// [`WebhookFault::Secret`].
    pub fn parse(text: &str) -> Result<Self, WebhookFault> {
        let encoded = text.trim().strip_prefix("whsec_").ok_or(WebhookFault::Secret)?;
        let key = BASE64.decode(encoded).map_err(|_| WebhookFault::Secret)?;
        if KEY_BYTES.contains(&key.len()) { Ok(Self(key)) } else { Err(WebhookFault::Secret) }
    }

    /// Reads a file of secrets, one a line, the newest first; empty lines and what follows `#` are
    /// left out. While two are there both sign, so a receiver can change its secret in between.
    ///
    /// # Errors
    /// [`WebhookFault::Secret`] if a line does not fit or there is none.
    pub fn parse_file(text: &str) -> Result<Vec<Self>, WebhookFault> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let secrets: Vec<Self> =
            lines.filter(|line| !line.is_empty()).map(Self::parse).collect::<Result<_, _>>()?;
        if secrets.is_empty() { Err(WebhookFault::Secret) } else { Ok(secrets) }
    }

    /// Writes a key of random bytes as `whsec_…`.
    #[must_use]
    pub fn written(key: &[u8; 32]) -> String {
        format!("whsec_{}", BASE64.encode(key))
    }

    fn signature(&self, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", BASE64.encode(mac.finalize().into_bytes())))
    }
}

/// Where a message comes from: the same fact always gives the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookOrigin<'a> {
    /// The lineage of the database.
    pub lineage: &'a str,
    /// The site's id.
    pub site: &'a str,
    /// The fact in its site: a text that no other fact there has.
    pub fact: &'a str,
    /// The type of the event.
    pub kind: &'a str,
    /// The webhook: its name.
    pub webhook: &'a str,
}

impl WebhookOrigin<'_> {
    /// `msg_` and 26 characters: the receiver's idempotency key.
    #[must_use]
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        for part in [self.lineage, self.site, self.fact, self.kind, self.webhook] {
            // The length in front keeps ("a", "bc") apart from ("ab", "c").
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let hash = hash.finalize();
        let bit = |at: usize| usize::from(hash[at / 8] >> (7 - at % 8) & 1);
        let character = |at: usize| {
            let index = (at * 5..at * 5 + 5).fold(0, |index, at| index << 1 | bit(at));
            char::from(ALPHABET[index])
        };
        (0..ID_CHARS).fold("msg_".to_owned(), |mut id, at| {
            id.push(character(at));
            id
        })
    }
}

#[derive(Serialize)]
struct Standard<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: String,
    data: &'a RawValue,
}

#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    datacontenttype: &'static str,
    data: &'a RawValue,
}

/// The body of Standard Webhooks. `at` is when the thing happened.
///
/// # Errors
/// [`WebhookFault::Kind`] and [`WebhookFault::TooLarge`].
pub fn standard_webhook(kind: &str, at: Timestamp, data: &Value) -> Result<Vec<u8>, WebhookFault> {
    let data = checked(kind, data)?;
    bounded(super::json(&Standard { kind, timestamp: at.to_string(), data: &data }))
}

/// The body of a structured CloudEvent, for `application/cloudevents+json`. `subject` is what the
/// event is about, as `floor/1`.
///
/// # Errors
/// [`WebhookFault::Kind`] and [`WebhookFault::TooLarge`].
pub fn cloud_event(
    id: &str,
    origin: &WebhookOrigin<'_>,
    at: Timestamp,
    subject: Option<&str>,
    data: &Value,
) -> Result<Vec<u8>, WebhookFault> {
    let data = checked(origin.kind, data)?;
    bounded(super::json(&CloudEvent {
        specversion: "1.0",
        id,
        source: format!("urn:x-smartpark:{}", origin.site),
        kind: format!("org.smartpark.{}", origin.kind),
        time: at.to_string(),
        subject,
        datacontenttype: "application/json",
        data: &data,
    }))
}

fn checked(kind: &str, data: &Value) -> Result<Box<RawValue>, WebhookFault> {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !kind.split('.').all(is_word) {
        return Err(WebhookFault::Kind);
    }
    serde_json::value::to_raw_value(data).map_err(|_| WebhookFault::TooLarge)
}

fn bounded(body: Vec<u8>) -> Result<Vec<u8>, WebhookFault> {
    if body.len() < MAX_WEBHOOK_BYTES { Ok(body) } else { Err(WebhookFault::TooLarge) }
}

/// The headers of one attempt at `now`. During a change of secrets both sign, the new one first.
#[must_use]
pub fn webhook_headers(
    id: &str,
    now: Timestamp,
    body: &[u8],
    secrets: &[WebhookSecret],
) -> [(&'static str, String); 3] {
    let timestamp = now.as_microsecond().div_euclid(1_000_000);
    let signatures: Vec<String> =
        secrets.iter().filter_map(|secret| secret.signature(id, timestamp, body)).collect();
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ]
}
