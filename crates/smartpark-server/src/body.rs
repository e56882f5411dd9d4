//! The bodies of requests: of a type that is read here, whole, in time, and not too large.

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderMap, header},
};
use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;
use tokio::time::{Duration, timeout};

use super::{
    App,
    kind::Kind,
    problem::Problem,
    room::{Room, Share},
    unpack::{is_packed, unpack},
};
use smartpark_ledger::limits::{MAX_BODY_BYTES, MAX_SMALL_BODY_BYTES};

// The words of `Kind::TooLarge` and `Kind::TooManyRows` say these.
const _: () =
    assert!(MAX_BODY_BYTES == 16 << 20 && smartpark_ledger::limits::MAX_BATCH_ROWS == 10_000);

/// How long the rest of a body that is too large is taken in, so that a client that sends first
/// and reads later sees the answer and not a broken connection.
const DRAIN_TIME: Duration = Duration::from_secs(2);
/// How much of it, in bytes.
const DRAIN_BYTES: usize = 4 * MAX_BODY_BYTES;

/// The byte order mark that some programs put before UTF-8. JSON may do without it, so it goes.
const BOM: &[u8] = b"\xef\xbb\xbf";

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
    pub(super) share: Option<Share>,
}

impl Whole {
    /// An empty body.
    pub(super) fn empty() -> Self {
        Self { bytes: BytesMut::new(), share: None }
    }

    /// Moves it to where so many bytes fit. What has come decides how many, not what is announced:
    /// that costs a client nothing.
    pub(super) fn grow(&mut self, capacity: usize, room: &Room) -> Result<(), Kind> {
        let share = room.take(capacity).ok_or(Kind::Overloaded)?;
        let mut bytes = BytesMut::with_capacity(capacity);
        bytes.extend_from_slice(&self.bytes);
        *self = Self { bytes, share: Some(share) };
        Ok(())
    }
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

/// Reads a body of at most so many bytes.
pub(super) async fn read_at_most(
    most: usize,
    request: Request,
    app: &App,
) -> Result<Whole, Problem> {
    let (parts, mut body) = request.into_parts();
    let is_packed = is_packed(&parts.headers)?;
    let collected = timeout(app.body_timeout, collect(&mut body, most, &app.body_room)).await;
    let result = collected.unwrap_or(Err(Kind::TooSlow));
    let waits_for_word = parts.headers.contains_key(header::EXPECT);
    if matches!(result, Err(Kind::TooLarge)) && !waits_for_word {
        // Whether it ends or the time does, the answer is the same.
        timeout(DRAIN_TIME, drain(&mut body)).await.ok();
    }
    let mut whole = result.map_err(Problem::new)?;
    if is_packed {
        whole = unpack(whole, most, &app.body_room).await?;
    }
    if whole.bytes.starts_with(BOM) {
        whole.bytes.advance(BOM.len());
    }
    Ok(whole)
}

/// Takes a body in, piece by piece.
pub(super) async fn collect(body: &mut Body, most: usize, room: &Room) -> Result<Whole, Kind> {
    let announced = body.size_hint();
    if announced.lower() > most as u64 {
        return Err(Kind::TooLarge);
    }
    let announced = announced.exact().and_then(|bytes| usize::try_from(bytes).ok());
    let mut whole = Whole::empty();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Kind::CutShort)?.into_data() else {
            continue;
        };
        let length = whole.bytes.len() + data.len();
        if length > most {
            return Err(Kind::TooLarge);
        }
        if whole.bytes.is_empty() {
            whole.share = Some(room.take(length).ok_or(Kind::Overloaded)?);
            whole.bytes = data.into();
        } else {
            if length > whole.bytes.capacity() {
                whole.grow((2 * length).min(announced.unwrap_or(most)).max(length), room)?;
            }
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
    use std::sync::Arc;

    use super::{
        super::{
            channel::channel,
            seats::{Holder, Seats},
        },
        *,
    };
    use smartpark_ledger::limits::SMALL_BYTES;

    #[tokio::test]
    async fn all_bodies_together_take_only_so_much_memory() {
        let room = Room::new(40);
        let six = || Body::from("123456");
        let first = collect(&mut six(), 6, &room).await.unwrap();
        assert_eq!(collect(&mut six(), 6, &room).await.unwrap_err(), Kind::Overloaded);
        drop(first);
        let again = collect(&mut six(), 6, &room).await.unwrap();
        assert_eq!(again.bytes, "123456");
    }

    #[tokio::test]
    async fn a_body_that_grows_takes_what_it_has_come_to() {
        let pieces = |many| {
            let seat = Seats::new(1).take_free(Holder::default());
            let (sender, body) = channel(Arc::new(seat.unwrap()));
            tokio::spawn(async move {
                for _ in 0..many {
                    sender.send(Ok(vec![b'x'; SMALL_BYTES].into())).await.ok();
                }
            });
            body
        };
        let room = Room::new(32 * SMALL_BYTES);
        let most = 64 * SMALL_BYTES;
        let whole = collect(&mut pieces(5), most, &room).await.unwrap();
        assert_eq!(whole.bytes.len(), 5 * SMALL_BYTES);
        assert_eq!(collect(&mut pieces(20), most, &room).await.unwrap_err(), Kind::Overloaded);
        drop(whole);
        collect(&mut pieces(5), most, &room).await.unwrap();
    }
}
