//! The cookie in which a browser keeps a session.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::BasePath;
use smartpark_ledger::{keys::Session, limits::SESSION_LIFE};

/// The cookie's name.
pub(crate) const COOKIE: &str = "smartpark_session";

/// The session in a request's cookies, whether it holds or not.
pub(super) fn sent_session(headers: &HeaderMap) -> Option<Session> {
    let values = headers.get_all(header::COOKIE).iter();
    let mut pairs =
        values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let value = pairs.find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (name.trim() == COOKIE).then_some(value.trim())
    })?;
    Session::read(value)
}

/// What tells a browser to keep a session.
pub(crate) fn keep(session: &Session, base: &BasePath, is_encrypted: bool) -> Option<HeaderValue> {
    set_cookie(session.expose(), SESSION_LIFE.as_secs(), base, is_encrypted)
}

/// What tells a browser to forget its session.
pub(crate) fn forget(base: &BasePath, is_encrypted: bool) -> Option<HeaderValue> {
    set_cookie("", 0, base, is_encrypted)
}

/// Sent back only below the path of the server: another server may have another path of the host.
fn set_cookie(
    value: &str,
    seconds: u64,
    base: &BasePath,
    is_encrypted: bool,
) -> Option<HeaderValue> {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let text = format!(
        "{COOKIE}={value}; HttpOnly; SameSite=Strict; Path={base}/; Max-Age={seconds}{secure}"
    );
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}
