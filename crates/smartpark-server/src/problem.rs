//! What went wrong, as an RFC 9457 problem document. The one place that turns an [`Error`] into
//! an answer; no answer repeats what was sent, or shows SQL, a stack or a path.

use std::{borrow::Cow, fmt::Write, num::NonZeroU32, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    kind::{Kind, NOT_BOUND},
    views::{EventView, json_bytes},
};
use smartpark_ledger::{Error, error::FieldError, model::Event};

/// The media type of every error.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// Where the fields of a request are, which decides how a pointer to one is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the body: `#/camera_id`, and `#` for the whole.
    Body,
    /// In the query: `?limit`.
    Query,
}

/// A problem, ready to be answered.
#[derive(Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    errors: Vec<FieldProblem>,
    event: Option<Box<EventView>>,
    allow: Option<HeaderValue>,
    /// Seconds, where they are known better than from the kind.
    retry_after: Option<NonZeroU32>,
    /// Whether nothing else is answered on the connection.
    closes: bool,
    /// Whether a key may come as the password of HTTP Basic, too.
    takes_basic: bool,
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemView<'a> {
    /// A stable name for this kind of problem.
    #[schema(example = "urn:smartpark:problem:invalid-fields")]
    r#type: String,
    /// The kind of problem, for people.
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened and what to do about it.
    detail: &'a str,
    /// The fields at fault, all of them, where fields are.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldProblem],
    /// The event that was recorded all the same (only for `at-limit`).
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a EventView>,
}

/// A field at fault.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct FieldProblem {
    /// Where: `#/camera_id` in the body (`#` for all of it), `?limit` in the query. In a batch
    /// it is relative to the row.
    #[schema(example = "#/floor_id")]
    pub(super) pointer: String,
    /// What is wrong.
    #[schema(example = "must be a whole number, 1 or more")]
    pub(super) detail: Cow<'static, str>,
}

impl Problem {
    /// A problem with the usual words for its kind.
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            detail: Cow::Borrowed(kind.usual_detail()),
            errors: Vec::new(),
            event: None,
            allow: None,
            retry_after: None,
            closes: false,
            takes_basic: false,
        }
    }

    /// What kind of problem it is.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The same problem in other words.
    pub(super) fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Fields that do not fit.
    pub(super) fn invalid(faults: Vec<FieldError>, place: Place) -> Self {
        let (what, outcome) = match place {
            Place::Body => ("field", "; nothing was stored"),
            Place::Query => ("parameter", ""),
        };
        let detail = match faults.len() {
            1 => format!("1 {what} does not fit{outcome}"),
            n => format!("{n} {what}s do not fit{outcome}"),
        };
        let pointed = |fault: FieldError| FieldProblem {
            pointer: pointer(&fault.field, place),
            detail: fault.detail,
        };
        let errors = faults.into_iter().map(pointed).collect();
        Self { errors, ..Self::new(Kind::InvalidFields).detail(detail) }
    }

    /// An event that was recorded, but found its floor at its limit.
    pub(super) fn at_limit(event: Event) -> Self {
        Self { event: Some(Box::new(event.into())), ..Self::new(Kind::AtLimit) }
    }

    /// A camera or a floor that is none that the key may speak for.
    pub(super) fn not_bound(fields: &[&'static str], place: Place) -> Self {
        let pointed = |field: &&'static str| FieldProblem {
            pointer: pointer(field, place),
            detail: Cow::Borrowed(NOT_BOUND),
        };
        let errors = fields.iter().map(pointed).collect();
        Self { errors, ..Self::new(Kind::Forbidden) }
    }

    /// Too many requests of one key or address, until some time has gone by.
    pub(super) fn too_often(wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let retry_after = u32::try_from(seconds).ok().and_then(NonZeroU32::new);
        Self { retry_after, ..Self::new(Kind::TooOften) }
    }

    /// An answer for which there is no memory left. Whoever takes none may have asked for many on
    /// this connection: the others need not be looked at.
    pub(super) fn no_room() -> Self {
        Self { closes: true, ..Self::new(Kind::Overloaded) }
    }

    /// The same, to a device that knows only HTTP Basic: it sends its password when it is asked.
    pub(super) fn asking_for_basic(self, takes_basic: bool) -> Self {
        Self { takes_basic, ..self }
    }

    /// A method that the path does not know.
    pub(super) fn method_not_allowed(allow: Option<HeaderValue>) -> Self {
        Self { allow, ..Self::new(Kind::MethodNotAllowed) }
    }

    /// An error of an operation whose fields came from `place`. Logs what the caller is not told.
    pub(super) fn from_error(error: Error, place: Place) -> Self {
        let text = error.to_string();
        let about = |kind, field, detail| {
            let pointer = pointer(field, place);
            Self {
                errors: vec![FieldProblem { pointer, detail }],
                ..Self::new(kind).detail(text.clone())
            }
        };
        let short = Cow::Borrowed;
        match error {
            Error::Invalid(faults) => Self::invalid(faults, place),
            Error::UnknownFloor => about(Kind::UnknownFloor, "floor_id", short("names no floor")),
            Error::InFuture { .. } => {
                let detail = short("is too far ahead of the server's clock");
                about(Kind::InFuture, "timestamp", detail)
            }
            Error::TooOld { .. } => {
                let detail = short("is older than the retention horizon");
                about(Kind::TooOld, "timestamp", detail)
            }
            Error::NotFound(_) => Self::new(Kind::NotFound).detail(text),
            Error::NameTaken => about(Kind::NameTaken, "name", short("is taken by another floor")),
            Error::KeyNameTaken => about(Kind::NameTaken, "name", short("is taken by another key")),
            Error::FloorHasEvents => Self::new(Kind::FloorHasEvents),
            Error::SlotsBelowCount { .. } => {
                let detail = short("would be below the vehicles on the floor");
                about(Kind::SlotsBelowCount, "total_slots", detail)
            }
            Error::RecountDiffers { .. } => {
                Self::new(Kind::RecountDiffers).detail(error.to_string())
            }
            Error::NothingToWithdraw => Self::new(Kind::NothingToWithdraw),
            Error::NotEmpty => Self::new(Kind::NotEmpty),
            Error::Overloaded | Error::StateChanged => Self::new(Kind::Overloaded),
            Error::ClockDistrusted { why } => {
                tracing::warn!(why, "the clock of this machine is not trusted");
                Self::new(Kind::ClockDistrusted).detail(error.to_string())
            }
            Error::Broken(why) => {
                tracing::error!(?why, "the store failed and must be reopened");
                Self::new(Kind::Unavailable)
            }
            Error::Unavailable(why) => {
                tracing::warn!(?why, "the store is out of reach");
                Self::new(Kind::Unavailable)
            }
            Error::Unusable(why) | Error::Internal(why) => {
                tracing::error!(?why, "a request failed");
                Self::new(Kind::Internal)
            }
        }
    }

    /// The document.
    pub(super) fn view(&self) -> ProblemView<'_> {
        ProblemView {
            r#type: self.kind.urn(),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
            errors: &self.errors,
            event: self.event.as_deref(),
        }
    }
}

/// An error where the fields are those of the body.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::from_error(error, Place::Body)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(json_bytes(&self.view())));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        let media_type = HeaderValue::from_static(PROBLEM_JSON);
        headers.insert(header::CONTENT_TYPE, media_type);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.get()));
        } else if let Some(seconds) = self.kind.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        if self.kind == Kind::Unauthorized {
            let scheme = if self.takes_basic { "Basic" } else { "Bearer" };
            if let Ok(scheme) = HeaderValue::try_from(format!("{scheme} realm=\"smartpark\"")) {
                headers.insert(header::WWW_AUTHENTICATE, scheme);
            }
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, allow);
        }
        if self.closes {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Points to a field; a name that a client made up is escaped.
fn pointer(field: &str, place: Place) -> String {
    let mut pointer = String::with_capacity(field.len() + 2);
    match place {
        Place::Body if field.is_empty() => pointer.push('#'),
        Place::Body => pointer.push_str("#/"),
        Place::Query => pointer.push('?'),
    }
    for byte in field.bytes() {
        match byte {
            b'~' if place == Place::Body => pointer.push_str("~0"),
            b'/' if place == Place::Body => pointer.push_str("~1"),
            b'-' | b'.' | b'_' | b'~' => pointer.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => pointer.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => write!(pointer, "%{byte:02X}").unwrap_or_default(),
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_escaped() {
        let table = [
            ("camera_id", Place::Body, "#/camera_id"),
            ("", Place::Body, "#"),
            ("a/b~c", Place::Body, "#/a~1b~0c"),
            ("<b> é", Place::Body, "#/%3Cb%3E%20%C3%A9"),
            ("limit", Place::Query, "?limit"),
            ("a&b=/", Place::Query, "?a%26b%3D%2F"),
        ];
        for (field, place, expected) in table {
            assert_eq!(pointer(field, place), expected);
        }
    }

    #[test]
    fn what_is_internal_is_not_told() {
        let secret = || "select at /var/lib".to_owned();
        let table = [
            (Error::Unavailable(secret()), 503),
            (Error::Internal(secret()), 500),
            (Error::Unusable(secret()), 500),
        ];
        for (error, status) in table {
            let problem = Problem::from(error);
            let json = String::from_utf8(json_bytes(&problem.view())).unwrap();
            assert_eq!(problem.kind.status().as_u16(), status);
            assert!(!json.contains("select") && !json.contains("/var"), "{json}");
        }
    }
}
