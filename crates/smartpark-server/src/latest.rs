//! Answers about the floors as they are now: written once for each state of the floors, whoever
//! and however many ask, and not sent again to those who have them (`ETag`, 304).

use std::{
    fmt::Write,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    assets::is_known,
    guard::harden,
    requests::REQUEST_ID,
    views::{FloorView, FloorsView, JSON, RecommendationView, json_bytes},
};
use smartpark_ledger::{Floor, SmartPark, planted::planted};

/// It may be kept, but not shown without asking whether it is still true; and only by the one who
/// asked, since others may not be allowed to see it.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("private, no-cache");
/// How many bytes of the digest of an answer tell it from all others.
const TAG_BYTES: usize = 16;

/// The answers about the latest state that somebody asked for.
#[derive(Debug, Default)]
pub(super) struct Latest {
    answers: Mutex<Option<Arc<Answers>>>,
}

impl Latest {
    /// The answers about the floors as they are now.
    pub(super) async fn of(&self, park: &SmartPark) -> smartpark_ledger::Result<Arc<Answers>> {
        let floors = park.floors().get_latest_floors().await?;
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        match &*answers {
            Some(known) if Arc::ptr_eq(&known.floors, &floors) => Ok(Arc::clone(known)),
            // Another may put those of an older state here, which it was given before: then they
            // are made once more. What is answered is always of the state that was asked for.
            _ => Ok(Arc::clone(answers.insert(Arc::new(Answers::about(floors))))),
        }
    }
}

/// The answers about one state of the floors, each written when it is first asked for.
#[derive(Debug)]
pub(super) struct Answers {
    floors: Arc<[Floor]>,
    active: OnceLock<Written>,
    all: OnceLock<Written>,
    recommendation: OnceLock<Written>,
    /// Those about each floor by itself, in the order of the floors.
    each: Box<[OnceLock<Written>]>,
}

impl Answers {
    fn about(floors: Arc<[Floor]>) -> Self {
        let each = floors.iter().map(|_| OnceLock::new()).collect();
        let (active, all, recommendation) = Default::default();
        Self { floors, active, all, recommendation, each }
    }

    /// The active floors and their sums.
    pub(super) fn active(&self) -> &Written {
        self.active.get_or_init(|| Written::new(&self.view(|floor| floor.is_active)))
    }

    /// All floors and their sums.
    pub(super) fn all(&self) -> &Written {
        self.all.get_or_init(|| Written::new(&self.view(|_| true)))
    }

    fn view(&self, shown: impl Fn(&Floor) -> bool) -> FloorsView {
        let floors = self.floors.iter().filter(|floor| shown(floor)).cloned();
        FloorsView::from(floors.collect::<Vec<_>>())
    }

    /// Where to send the next car.
    pub(super) fn recommendation(&self) -> &Written {
        self.recommendation.get_or_init(|| {
            let active = |floor: &&Floor| floor.is_active || planted("recommend-inactive");
            let has_room = |floor: &&Floor| active(floor) && floor.available_slots() > 0;
            // In the order of `get_recommended_floor`.
            let mut free = self.floors.iter().filter(has_room).cloned().map(FloorView::from);
            let view = RecommendationView {
                floor: free.next(),
                alternatives: free.collect(),
                arrival: None,
            };
            Written::new(&view)
        })
    }

    /// The floor with this id.
    pub(super) fn floor(&self, id: i64) -> Option<&Written> {
        let place = self.floors.iter().position(|floor| floor.id == id)?;
        let write = || Written::new(&FloorView::from(self.floors[place].clone()));
        Some(self.each.get(place)?.get_or_init(write))
    }
}

/// An answer, written.
#[derive(Debug)]
pub(super) struct Written {
    body: Bytes,
    tag: HeaderValue,
    /// The headers of the answer: copying them costs a fraction of setting them one by one.
    headers: HeaderMap,
}

impl Written {
    fn new(view: &impl Serialize) -> Self {
        Self::of(json_bytes(view), JSON, ASK_AGAIN)
    }

    /// A document of this media type, that may be kept for as long as `cache` says.
    pub(super) fn of(body: Vec<u8>, media_type: HeaderValue, cache: HeaderValue) -> Self {
        // Of the bytes and nothing else: it is the same on all servers, and after a restart.
        let digest = Sha256::digest(&body);
        let hex = digest.iter().take(TAG_BYTES).fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            write!(hex, "{byte:02x}").unwrap_or_default();
            hex
        });
        let tag = HeaderValue::try_from(format!("\"{hex}\""));
        let tag = tag.unwrap_or(HeaderValue::from_static("\"\""));
        let mut headers = HeaderMap::new();
        harden(&mut headers);
        headers.insert(header::CACHE_CONTROL, cache);
        headers.insert(header::ETAG, tag.clone());
        headers.insert(header::CONTENT_TYPE, media_type);
        // Room for the name of the request that is answered.
        headers.insert(REQUEST_ID, HeaderValue::from_static(""));
        Self { body: body.into(), tag, headers }
    }

    /// The answer to a request with these headers.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response {
        let mut response = Response::new(Body::empty());
        *response.headers_mut() = self.headers.clone();
        if is_known(request, &self.tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(header::CONTENT_TYPE);
        } else {
            *response.body_mut() = Body::from(self.body.clone());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_differ_where_answers_do() {
        let tag = |text: &str| Written::new(&text).tag;
        assert_eq!(tag("a"), tag("a"));
        assert_ne!(tag("a"), tag("b"));
        assert_eq!(tag("a").len(), 2 * TAG_BYTES + 2);
    }
}
