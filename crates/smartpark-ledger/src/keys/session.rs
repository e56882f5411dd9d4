//! Sessions: what a browser keeps after somebody signed in with a key.
//!
//! A session is the text `prefix.end.token`: the public part of the key, the second at which it
//! ends, and 64 digits (32 random bytes) that only the browser has. The database keeps the SHA-256
//! of the whole text. So no part of it can be changed, and whoever reads the database, a backup or
//! the sums of keys cannot make a session: there is no secret that signs them.

use std::fmt;

use jiff::Timestamp;

use super::secret::{Sha256Sum, hex};
use crate::{
    Error, Result,
    limits::{SESSION_LIFE, SESSION_SKEW},
};

/// Bytes of the part that only the browser has.
const TOKEN_BYTES: usize = 32;

/// A session as a browser sends it, whether it holds or not.
#[derive(Clone)]
pub struct Session {
    text: String,
    /// How long the part in front of the first dot is.
    prefix_length: usize,
    /// Seconds since 1970 UTC.
    end: i64,
    sum: Sha256Sum,
}

/// What is kept of a session.
#[derive(Clone, Debug)]
pub(crate) struct SealedSession {
    pub(crate) sum: Sha256Sum,
    pub(crate) key_prefix: String,
    /// Microseconds since 1970 UTC.
    pub(crate) ends_at: i64,
}

impl Session {
    /// A new session with the key of this prefix, which begins at `now`.
    ///
    /// # Errors
    /// [`Error::Internal`] if the system gives no random bytes.
    pub(crate) fn draw(prefix: &str, now: Timestamp) -> Result<Self> {
        let mut token = [0; TOKEN_BYTES];
        getrandom::fill(&mut token)
            .map_err(|error| Error::Internal(format!("no random bytes: {error}")))?;
        let end = now.as_second().saturating_add(seconds(SESSION_LIFE));
        let text = format!("{prefix}.{end}.{}", hex(&token));
        Ok(Self { sum: Sha256Sum::of(&text), text, prefix_length: prefix.len(), end })
    }

    /// The session that a text has the form of.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (prefix, rest) = text.split_once('.')?;
        let (end, token) = rest.split_once('.')?;
        let end = end.parse().ok()?;
        let is_token = token.len() == 2 * TOKEN_BYTES;
        is_token.then(|| Self {
            text: text.to_owned(),
            prefix_length: prefix.len(),
            end,
            sum: Sha256Sum::of(text),
        })
    }

    /// The text that the browser keeps.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The public part of the key that it says it was begun with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.text[..self.prefix_length]
    }

    /// What the database keeps of it.
    #[must_use]
    pub fn sum(&self) -> Sha256Sum {
        self.sum
    }

    /// The same with what else it is kept by.
    pub(crate) fn seal(&self) -> SealedSession {
        let ends_at = self.end.saturating_mul(1_000_000);
        SealedSession { sum: self.sum, key_prefix: self.prefix().to_owned(), ends_at }
    }

    /// Whether it has not ended, and ends as soon as every session does: one that lasts longer was
    /// begun by a server with a wrong clock.
    #[must_use]
    pub fn is_in_time(&self, now: Timestamp) -> bool {
        let latest = now.as_second().saturating_add(seconds(SESSION_LIFE + SESSION_SKEW));
        now.as_second() < self.end && self.end <= latest
    }

    /// Whether more than half of its life is over.
    #[must_use]
    pub fn is_aged(&self, now: Timestamp) -> bool {
        self.end.saturating_sub(now.as_second()) < seconds(SESSION_LIFE) / 2
    }
}

/// Shows nothing that could be sent.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("prefix", &self.prefix()).finish_non_exhaustive()
    }
}

fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_new_each_time_and_read_back() {
        let now: Timestamp = "2026-02-12T12:00:00Z".parse().unwrap();
        let first = Session::draw("sp_00000001", now).unwrap();
        let second = Session::draw("sp_00000001", now).unwrap();
        assert_ne!(first.sum(), second.sum());
        let read = Session::read(first.expose()).unwrap();
        assert_eq!((read.prefix(), read.sum()), ("sp_00000001", first.sum()));
        assert!(!format!("{first:?}").contains(&first.expose()[30..40]));
    }

    #[test]
    fn what_has_not_the_form_of_a_session_is_none() {
        let token = "0".repeat(64);
        let bad = [String::new(), "..".into(), format!("a.{token}"), format!("a.x.{token}")];
        for text in bad.into_iter().chain([format!("a.1.{token}0"), format!("a.1.0.{token}")]) {
            assert!(Session::read(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_session_ends_within_its_life_whatever_it_says() {
        let now: Timestamp = "2026-02-12T12:00:00Z".parse().unwrap();
        let life = seconds(SESSION_LIFE);
        let skew = seconds(SESSION_SKEW);
        let table = [
            (life, true),
            (life + skew, true),
            (life + skew + 1, false),
            (life / 2, true),
            (1, true),
            (0, false),
            (-1, false),
            (i64::MAX - now.as_second(), false),
        ];
        for (left, expected) in table {
            let text = format!("sp_00000001.{}.{}", now.as_second() + left, "0".repeat(64));
            let session = Session::read(&text).unwrap();
            assert_eq!(session.is_in_time(now), expected, "{left} s left");
            assert_eq!(session.is_aged(now), left < life / 2, "{left} s left");
        }
    }
}
