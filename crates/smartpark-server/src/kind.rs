//! The kinds of problems: their names, titles, status codes, and what is usually said.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::examples;

/// A kind of problem. Its URN is a promise: programs tell problems apart by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The request does not say, or says twice, whom it asks.
    BadHost,
    /// The body is no JSON.
    NotJson,
    /// The body ended before it was complete.
    CutShort,
    /// No key, or none that holds.
    Unauthorized,
    /// The key may not do this.
    Forbidden,
    /// A page of another site asked a browser to change something.
    CrossSite,
    /// Nothing there.
    NotFound,
    /// The path does not know the method.
    MethodNotAllowed,
    /// The body took too long.
    TooSlow,
    /// The event was recorded, but its floor was at its limit, and the server is set to say so.
    AtLimit,
    /// Another floor has the name.
    NameTaken,
    /// A floor with events is not removed.
    FloorHasEvents,
    /// The capacity would be below the count.
    SlotsBelowCount,
    /// Another number was counted at the same instant.
    RecountDiffers,
    /// A withdrawal names nothing that it could change.
    NothingToWithdraw,
    /// The database is not empty.
    NotEmpty,
    /// The body is too large.
    TooLarge,
    /// The batch has too many rows.
    TooManyRows,
    /// The body is of a type that is not read here.
    UnsupportedType,
    /// Fields do not fit.
    InvalidFields,
    /// The event's floor does not exist.
    UnknownFloor,
    /// The event is from the future.
    InFuture,
    /// The event is older than the retention horizon.
    TooOld,
    /// One key or address asks too often.
    TooOften,
    /// A defect.
    Internal,
    /// Too much is waiting.
    Overloaded,
    /// The server does not trust its own clock.
    ClockDistrusted,
    /// The store is out of reach.
    Unavailable,
}

/// What is said of a camera or a floor that a key is not bound to.
pub(super) const NOT_BOUND: &str = "is none that the key may speak for";

/// Status, slug, title, usual detail.
type Traits = (StatusCode, &'static str, &'static str, &'static str);

impl Kind {
    #[rustfmt::skip]
    const fn traits(self) -> Traits {
        use StatusCode as S;
        match self {
            Self::BadHost => (S::BAD_REQUEST, "bad-host", "The request needs one Host",
                "send exactly one Host header with the name or address of this server"),
            Self::NotJson => (S::BAD_REQUEST, "not-json", "The body is not JSON",
                "the body is not JSON"),
            Self::CutShort => (S::BAD_REQUEST, "cut-short", "The body is not complete",
                "the body ended before it was complete; nothing was stored"),
            Self::Unauthorized => (S::UNAUTHORIZED, "unauthorized", "A key is needed",
                "send a key that holds, as \"Authorization: Bearer …\" or \"X-API-Key: …\"; keys \
                 are made with `smartpark key add`"),
            Self::Forbidden => (S::FORBIDDEN, "forbidden", "The key is not allowed to do this",
                "the key's role or what it is bound to does not allow this; nothing was stored"),
            Self::CrossSite => (S::FORBIDDEN, "cross-site", "The page is of another site",
                "a page of another site changes nothing here without a key of its own; nothing \
                 was stored"),
            Self::NotFound => (S::NOT_FOUND, "not-found", "Not found",
                "there is nothing at this address; see /docs for what there is"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "method-not-allowed",
                "The method is not allowed",
                "this address does not know the method; the Allow header names those it knows"),
            Self::TooSlow => (S::REQUEST_TIMEOUT, "too-slow", "The body took too long",
                "the body did not arrive in time; nothing was stored, send it again"),
            Self::AtLimit => (S::CONFLICT, "at-limit", "The floor is at its limit",
                "the event is recorded, but its floor was full or empty, so the count stays"),
            Self::NameTaken => (S::CONFLICT, "name-taken", "The name is taken",
                "another floor has this name"),
            Self::FloorHasEvents => (S::CONFLICT, "floor-has-events", "The floor has events",
                "a floor with events is not removed; deactivate it instead (is_active: false)"),
            Self::SlotsBelowCount => (S::CONFLICT, "slots-below-count",
                "The capacity is below the count",
                "total_slots would be below the 12 vehicles on the floor; recount first, or \
                 force it, which cuts the count"),
            Self::RecountDiffers => (S::CONFLICT, "recount-differs",
                "Another number was counted",
                "another number, 12, was counted on this floor at this instant"),
            Self::NothingToWithdraw => (S::CONFLICT, "nothing-to-withdraw",
                "Nothing can be withdrawn",
                "no fact is named that could be withdrawn: none is there, or their places lie \
                 before the retention horizon"),
            Self::NotEmpty => (S::CONFLICT, "not-empty", "The database is not empty",
                "the database already has floors or events"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "too-large", "The body is too large",
                "a body may have at most 16 MiB; nothing was stored, send it in parts"),
            Self::TooManyRows => (S::PAYLOAD_TOO_LARGE, "too-many-rows", "Too many rows",
                "a request may have at most 10000 rows; nothing was stored, send it in parts"),
            Self::UnsupportedType => (S::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type",
                "The media type is not supported",
                "send application/json (events also as application/x-ndjson)"),
            Self::InvalidFields => (S::UNPROCESSABLE_ENTITY, "invalid-fields",
                "Fields do not fit", "2 fields do not fit; nothing was stored"),
            Self::UnknownFloor => (S::UNPROCESSABLE_ENTITY, "unknown-floor", "No such floor",
                "floor_id names no floor"),
            Self::InFuture => (S::UNPROCESSABLE_ENTITY, "in-future", "From the future",
                "timestamp is ahead of the server's clock (2026-02-12T10:30:45Z) by more than \
                 is allowed; check the camera's clock"),
            Self::TooOld => (S::UNPROCESSABLE_ENTITY, "too-old", "Too old",
                "timestamp is older than the retention horizon (2026-01-13T10:30:45Z), before \
                 which repeats can no longer be recognised"),
            Self::TooOften => (S::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests",
                "more requests than are allowed to one key or one address; nothing was stored, try \
                 again when Retry-After says"),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "Internal error",
                "the server failed; its log says more. Sending the request again is safe"),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "overloaded", "Too many requests wait",
                "too many requests are waiting; nothing was stored, try again in a moment"),
            Self::ClockDistrusted => (S::SERVICE_UNAVAILABLE, "clock",
                "The server's clock is not trusted",
                "the server does not trust its own clock: the database holds what was received \
                 later than now; nothing was stored. Send it again later"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable",
                "The database is out of reach",
                "the database cannot be reached or written now; sending the same event again \
                 is safe and settles whether it was recorded"),
        }
    }

    /// The HTTP status.
    pub(super) const fn status(self) -> StatusCode {
        self.traits().0
    }

    /// The last part of the URN.
    pub(super) const fn slug(self) -> &'static str {
        self.traits().1
    }

    /// The stable name.
    pub(super) fn urn(self) -> String {
        format!("urn:smartpark:problem:{}", self.slug())
    }

    /// The kind in words.
    pub(super) const fn title(self) -> &'static str {
        self.traits().2
    }

    /// What is said where there is nothing more exact to say.
    pub(super) const fn usual_detail(self) -> &'static str {
        self.traits().3
    }

    /// Seconds after which trying again makes sense.
    pub(super) const fn retry_after(self) -> Option<&'static str> {
        match self {
            Self::Overloaded | Self::TooOften => Some("1"),
            Self::Unavailable => Some("5"),
            Self::ClockDistrusted => Some("60"),
            _ => None,
        }
    }

    /// An example of the document.
    pub(super) fn example(self) -> Value {
        let mut problem = json!({
            "type": self.urn(),
            "title": self.title(),
            "status": self.status().as_u16(),
            "detail": self.usual_detail(),
        });
        let errors: &[(&str, &str)] = match self {
            Self::InvalidFields => &[
                ("#/floor_id", "must be a whole number, 1 or more"),
                ("#/direction", "must be one of: entry, exit"),
            ],
            Self::UnknownFloor => &[("#/floor_id", "names no floor")],
            Self::Forbidden => &[("#/camera_id", NOT_BOUND)],
            Self::InFuture => &[("#/timestamp", "is too far ahead of the server's clock")],
            Self::TooOld => &[("#/timestamp", "is older than the retention horizon")],
            Self::NameTaken => &[("#/name", "is taken by another floor")],
            Self::SlotsBelowCount => {
                &[("#/total_slots", "would be below the vehicles on the floor")]
            }
            _ => &[],
        };
        if !errors.is_empty() {
            let pointed =
                |(pointer, detail): &(&str, &str)| json!({"pointer": pointer, "detail": detail});
            problem["errors"] = errors.iter().map(pointed).collect();
        }
        if self == Self::AtLimit {
            problem["event"] = examples::event_at_limit();
        }
        problem
    }
}
