//! The secret of a key: drawn, shown once, and from then on only recognised.
//!
//! A key is `sp_`, 8 digits that are public, `_`, and 64 digits (32 random bytes) that are not.
//! With so many random bytes one round of SHA-256 is as hard to turn around as any slow hash, and
//! costs a server nothing: nobody can tire it with keys that are wrong.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{Error, Result, model::KEY_MARK};

/// Digits of the public part.
const PUBLIC_DIGITS: usize = 8;
/// Where the public part ends.
const PREFIX_LENGTH: usize = KEY_MARK.len() + PUBLIC_DIGITS;
/// Digits of the secret part.
const SECRET_DIGITS: usize = 64;

/// A key as its holder sends it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The key in plain text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A new key, and what is to be kept of it.
    pub(super) fn draw() -> Result<(Self, Sealed)> {
        let mut bytes = [0; (PUBLIC_DIGITS + SECRET_DIGITS) / 2];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::Internal(format!("no random bytes: {error}")))?;
        let (public, secret) = bytes.split_at(PUBLIC_DIGITS / 2);
        let prefix = format!("{KEY_MARK}{}", hex(public));
        let text = format!("{prefix}_{}", hex(secret));
        let sha256 = Sha256Sum::of(&text);
        Ok((Self(text), Sealed { prefix, sha256 }))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is kept of a key.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    /// Its public part.
    pub(crate) prefix: String,
    /// What all of it comes to.
    pub(crate) sha256: Sha256Sum,
}

/// The SHA-256 of a key or a session: enough to recognise it, and not enough to send it.
#[derive(Clone, Copy)]
pub struct Sha256Sum(pub [u8; 32]);

impl Sha256Sum {
    /// The sum of a key or a session in plain text.
    pub(crate) fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

/// How long it takes says nothing about where two differ.
impl PartialEq for Sha256Sum {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Sha256Sum {}

impl fmt::Debug for Sha256Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha256Sum(…)")
    }
}

/// The public part of what has the form of a key.
pub(crate) fn prefix_of(text: &str) -> Option<&str> {
    let (prefix, secret) = text.split_at_checked(PREFIX_LENGTH)?;
    let (public, secret) = (prefix.strip_prefix(KEY_MARK)?, secret.strip_prefix('_')?);
    let digits = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (secret.len() == SECRET_DIGITS && digits(public) && digits(secret)).then_some(prefix)
}

/// Bytes as digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_new_each_time_and_known_by_its_sum() {
        let (first, sealed) = Secret::draw().unwrap();
        let (second, other) = Secret::draw().unwrap();
        assert_ne!(first, second);
        assert_eq!(first.expose().len(), 76);
        assert_eq!(prefix_of(first.expose()), Some(sealed.prefix.as_str()));
        assert_eq!(sealed.sha256, Sha256Sum::of(first.expose()));
        assert_ne!(sealed.sha256, other.sha256);
    }

    #[test]
    fn what_has_not_the_form_of_a_key_has_no_prefix() {
        let (secret, _) = Secret::draw().unwrap();
        let good = secret.expose();
        let upper = good.to_uppercase();
        let table = [
            &good[..75],
            &good[1..],
            &format!("{good}0"),
            &good.replace("sp_", "sk_"),
            &upper,
            &good.replacen('_', "-", 2),
            "",
            "sp_",
            "sp_é2345678_",
        ];
        for text in table {
            assert_eq!(prefix_of(text), None, "{text}");
        }
    }

    #[test]
    fn no_secret_is_shown_by_accident() {
        let (secret, sealed) = Secret::draw().unwrap();
        let shown = format!("{secret:?} {sealed:?}");
        assert!(!shown.contains(&secret.expose()[12..20]), "{shown}");
        assert!(!shown.contains(&hex(&sealed.sha256.0)[..8]), "{shown}");
        assert!(!shown.contains(&format!("{}, ", sealed.sha256.0[0])), "{shown}");
    }
}
