//! The bodies of requests: of a type that is read here, whole, in time, and not too large.

use std::sync::Arc;

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderMap, header},
};
use bytes::BytesMut;
use http_body_util::BodyExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Duration, timeout},
};

use super::{App, kind::Kind, problem::Problem};
use crate::limits::{MAX_BODY_BYTES, MAX_SMALL_BODY_BYTES};

// The words of `Kind::TooLarge` and `Kind::TooManyRows` say these.
const _: () = assert!(MAX_BODY_BYTES == 16 << 20 && crate::limits::MAX_BATCH_ROWS == 10_000);

/// How long the rest of a body that is too large is taken in, so that a client that sends first
/// and reads later sees the answer and not a broken connection.
const DRAIN_TIME: Duration = Duration::from_secs(2);
/// How much of it, in bytes.
const DRAIN_BYTES: usize = 4 * MAX_BODY_BYTES;

/// How the rows of a body are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// One JSON value.
    Json,
    /// A JSON value on each line.
    Lines,
}

impl Format {
    /// What the Content-Type header says.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let value = headers.get(header::CONTENT_TYPE);
        let text = value.and_then(|value| value.to_str().ok()).unwrap_or("");
        let essence = text.split(';').next().unwrap_or("").trim();
        if essence.eq_ignore_ascii_case("application/json") {
            Ok(Self::Json)
        } else if essence.eq_ignore_ascii_case("application/x-ndjson") {
            Ok(Self::Lines)
        } else {
            Err(Problem::new(Kind::UnsupportedType))
        }
    }
}

/// A body, and its share of the memory that all bodies may take.
#[derive(Debug)]
pub(super) struct Whole {
    /// All of it.
    pub(super) bytes: BytesMut,
    room: Option<OwnedSemaphorePermit>,
}

/// Reads a JSON body.
pub(super) async fn read_json(request: Request, app: &App) -> Result<Whole, Problem> {
    match Format::of(request.headers())? {
        Format::Json => read(request, app).await,
        Format::Lines => Err(Problem::new(Kind::UnsupportedType)),
    }
}

/// Reads a body.
pub(super) async fn read(request: Request, app: &App) -> Result<Whole, Problem> {
    read_at_most(MAX_BODY_BYTES, request, app).await
}

/// Reads a body of a few bytes, from somebody who may be anybody.
pub(super) async fn read_small(request: Request, app: &App) -> Result<Whole, Problem> {
    let whole = match Format::of(request.headers())? {
        Format::Json => read_at_most(MAX_SMALL_BODY_BYTES, request, app).await,
        Format::Lines => Err(Problem::new(Kind::UnsupportedType)),
    };
    whole.map_err(|problem| match problem.kind() {
        Kind::TooLarge => problem.detail("a key is far smaller than this body"),
        _ => problem,
    })
}

async fn read_at_most(most: usize, request: Request, app: &App) -> Result<Whole, Problem> {
    let (parts, mut body) = request.into_parts();
    if parts.headers.contains_key(header::CONTENT_ENCODING) {
        let detail = "send the body without a Content-Encoding";
        return Err(Problem::new(Kind::UnsupportedType).detail(detail));
    }
    let collected = timeout(app.body_timeout, collect(&mut body, most, &app.body_room)).await;
    let result = collected.unwrap_or(Err(Kind::TooSlow));
    let waits_for_word = parts.headers.contains_key(header::EXPECT);
    if matches!(result, Err(Kind::TooLarge)) && !waits_for_word {
        // Whether it ends or the time does, the answer is the same.
        timeout(DRAIN_TIME, drain(&mut body)).await.ok();
    }
    result.map_err(Problem::new)
}

async fn collect(body: &mut Body, most: usize, all_room: &Arc<Semaphore>) -> Result<Whole, Kind> {
    let announced = body.size_hint().lower();
    if announced > most as u64 {
        return Err(Kind::TooLarge);
    }
    let mut whole = Whole { bytes: BytesMut::new(), room: None };
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Kind::CutShort)?.into_data() else {
            continue;
        };
        if whole.bytes.len() + data.len() > most {
            return Err(Kind::TooLarge);
        }
        let length = u32::try_from(data.len()).map_err(|_| Kind::TooLarge)?;
        let room = Arc::clone(all_room).try_acquire_many_owned(length);
        let room = room.map_err(|_| Kind::Overloaded)?;
        match &mut whole.room {
            Some(taken) => taken.merge(room),
            none => *none = Some(room),
        }
        if whole.bytes.is_empty() {
            whole.bytes = data.into();
        } else {
            whole.bytes.extend_from_slice(&data);
        }
    }
    Ok(whole)
}

async fn drain(body: &mut Body) {
    let mut left = DRAIN_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, |data| data.len());
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_bodies_together_take_only_so_much_memory() {
        let room = Arc::new(Semaphore::new(10));
        let six = || Body::from("123456");
        let first = collect(&mut six(), 6, &room).await.unwrap();
        assert_eq!(collect(&mut six(), 6, &room).await.unwrap_err(), Kind::Overloaded);
        drop(first);
        let again = collect(&mut six(), 6, &room).await.unwrap();
        assert_eq!(again.bytes, "123456");
    }
}
