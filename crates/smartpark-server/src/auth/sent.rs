//! The key in the head of a request, in whichever way it is sent.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::API_KEY;

/// Whether cameras and camera programs post to this path.
pub(super) fn is_of_devices(path: &str) -> bool {
    let is_heartbeat = || path.starts_with("/cameras/") && path.ends_with("/heartbeat");
    path == "/events" || takes_basic(path) || is_heartbeat()
}

/// Whether a key may come as the password of HTTP Basic: many devices know nothing else. Elsewhere
/// Basic is that of a proxy in front.
pub(super) fn takes_basic(path: &str) -> bool {
    path.starts_with("/inputs/")
}

/// The key in a request's headers. What is no text is a key that nobody has. Other schemes of
/// Authorization are those of a proxy in front.
pub(super) fn sent_key<'h>(headers: &'h HeaderMap, path: &str) -> Option<Cow<'h, str>> {
    let authorization =
        headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or(""));
    let sent = |wanted: &str| {
        let (scheme, value) = authorization?.split_once(' ')?;
        scheme.eq_ignore_ascii_case(wanted).then_some(value.trim())
    };
    let bearer = sent("bearer").map(Cow::Borrowed);
    let named = || headers.get(API_KEY).map(|value| Cow::Borrowed(value.to_str().unwrap_or("")));
    let basic = || {
        let encoded = sent("basic").filter(|_| takes_basic(path))?;
        Some(Cow::Owned(password(encoded).unwrap_or_default()))
    };
    bearer.or_else(named).or_else(basic)
}

/// The password in the credentials of HTTP Basic.
fn password(encoded: &str) -> Option<String> {
    let credentials = String::from_utf8(BASE64.decode(encoded).ok()?).ok()?;
    credentials.split_once(':').map(|(_, password)| password.to_owned())
}
