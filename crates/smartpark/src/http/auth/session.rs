//! Sessions of people on the page: a cookie that says whose it is and until when, signed with what
//! is kept of the key. So every server of a database knows it, nothing is stored, and it ends with
//! its key.

use std::fmt;

use axum::http::{HeaderMap, HeaderValue, header};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::{
    keys::{KnownKey, Sha256Sum},
    limits::SESSION_LIFE,
};

/// The cookie's name.
pub(in crate::http) const COOKIE: &str = "smartpark_session";

/// A session, as the cookie spells it: `prefix.end.signature`.
#[derive(Clone)]
pub(in crate::http) struct Cookie {
    prefix: String,
    /// Seconds since 1970 UTC.
    end: i64,
    signature: [u8; 32],
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Cookie {
    /// A session of the key's holder that begins now.
    pub(in crate::http) fn begin(known: &KnownKey, now: Timestamp) -> Self {
        let life = i64::try_from(SESSION_LIFE.as_secs()).unwrap_or(0);
        let (prefix, end) = (known.key.prefix.clone(), now.as_second().saturating_add(life));
        let signature = signer(&known.sum, &prefix, end).finalize().into_bytes().into();
        Self { prefix, end, signature }
    }

    /// The session in a request's cookies, whoever wrote it.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::COOKIE).iter();
        let mut pairs =
            values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
        let value = pairs.find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            (name.trim() == COOKIE).then_some(value.trim())
        })?;
        let (rest, signature) = value.rsplit_once('.')?;
        let (prefix, end) = rest.split_once('.')?;
        Some(Self {
            prefix: prefix.to_owned(),
            end: end.parse().ok()?,
            signature: from_hex(signature)?,
        })
    }

    /// The public part of the key that it claims to come from.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether it was signed with what is kept of this key.
    pub(super) fn is_signed_by(&self, sum: &Sha256Sum) -> bool {
        // Compares in constant time.
        signer(sum, &self.prefix, self.end).verify_slice(&self.signature).is_ok()
    }

    /// Whether it has not ended.
    pub(super) fn is_before_end(&self, now: Timestamp) -> bool {
        now.as_second() < self.end
    }

    /// Whether more than half of its life is over.
    pub(in crate::http) fn is_aged(&self, now: Timestamp) -> bool {
        let left = u64::try_from(self.end.saturating_sub(now.as_second())).unwrap_or(0);
        left < SESSION_LIFE.as_secs() / 2
    }

    /// What the browser is told.
    pub(in crate::http) fn header(&self, is_encrypted: bool) -> Option<HeaderValue> {
        let signature: String = self.signature.iter().map(|byte| format!("{byte:02x}")).collect();
        let value = format!("{}.{}.{signature}", self.prefix, self.end);
        set_cookie(&value, SESSION_LIFE.as_secs(), is_encrypted)
    }

    /// What the browser is told to forget it.
    pub(in crate::http) fn gone(is_encrypted: bool) -> Option<HeaderValue> {
        set_cookie("", 0, is_encrypted)
    }
}

fn set_cookie(value: &str, seconds: u64, is_encrypted: bool) -> Option<HeaderValue> {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let text =
        format!("{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}");
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn signer(sum: &Sha256Sum, prefix: &str, end: i64) -> Hmac<Sha256> {
    // The text in front keeps the signature from ever standing for anything else.
    let mut signer = Hmac::<Sha256>::new_from_slice(&sum.0).expect("keys of any length are taken");
    signer.update(format!("smartpark session\n{prefix}\n{end}").as_bytes());
    signer
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(bytes)
}
