//! Doors for the fuzz targets (`fuzz/`): what reads a request, without a server and a store. Only
//! a build with `--cfg fuzzing` has them.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use axum::{
    body::{Body, HttpBody},
    http::Uri,
};
use bytes::Bytes;
use hyper::body::Frame;
use jiff::tz::TimeZone;

use super::{
    body::{Format, collect},
    download, events, history,
    problem::Problem,
    room::Room,
    rows::{self, FloorIds, Row, Rows},
    statistics,
    views::json_bytes,
    window::Local,
};
use smartpark_ledger::{
    Cursor, Event, EventFilter, NewEvent, Timestamp,
    limits::{MAX_BODIES_BYTES, MAX_BODY_BYTES},
};

/// What is read, or the problem document that refuses it.
pub type Judged<T> = Result<T, String>;

/// What the body of `POST /events` holds.
#[derive(Debug, PartialEq)]
pub enum Read {
    /// One event.
    One(Judged<NewEvent>),
    /// A batch.
    Many(Vec<Judged<NewEvent>>),
}

/// The body of `POST /events` that comes in these pieces, as NDJSON (`is_lines`) or as JSON.
///
/// # Errors
/// The problem document where it is refused as a whole.
pub fn read_body(is_lines: bool, pieces: &[&[u8]]) -> Judged<Read> {
    let format = if is_lines { Format::Lines } else { Format::Json };
    let mut body = Body::new(Pieces(pieces.iter().map(|it| Bytes::copy_from_slice(it)).collect()));
    let room = Room::new(MAX_BODIES_BYTES);
    let reading = pin!(async {
        let whole = collect(&mut body, MAX_BODY_BYTES, &room).await.map_err(Problem::new)?;
        rows::parse(format, whole, FloorIds::default()).await
    });
    // All pieces are there, and small ones are parsed at once: nothing is waited for.
    let Poll::Ready(read) = reading.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("a body that is there was waited for");
    };
    match read.map_err(document)? {
        Rows::One(row) => Ok(Read::One(judged(row))),
        Rows::Many(rows) => Ok(Read::Many(rows.into_iter().map(judged).collect())),
    }
}

fn judged(row: Row) -> Judged<NewEvent> {
    row.map_err(|refused| document(refused.problem))
}

fn document(problem: Problem) -> String {
    String::from_utf8(json_bytes(&problem.view())).expect("JSON is UTF-8")
}

/// A body whose pieces have all come. Like one in chunks it does not announce its length.
struct Pieces(VecDeque<Bytes>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}

/// What `GET /events` was asked for: filter, limit and cursor. As in the next two, `last` says from
/// when until when the last hours are.
///
/// # Errors
/// The problem document that refuses it.
pub fn read_listing(uri: &Uri, last: Last) -> Judged<(EventFilter, u32, Option<Cursor>)> {
    let events::Asked { filter, limit, cursor } =
        events::Asked::read(uri, &local(last)).map_err(document)?;
    let filter = filter.within(|hours| Ok(last(hours)));
    Ok((filter.expect("the last hours are known"), limit, cursor))
}

/// What `GET /statistics` was asked for: start, end and floor.
///
/// # Errors
/// The problem document that refuses it.
pub fn read_statistics(uri: &Uri, last: Last) -> Judged<(Timestamp, Timestamp, Option<i64>)> {
    let asked =
        statistics::Asked::read(uri, &local(last), |hours| Ok(last(hours))).map_err(document)?;
    Ok((asked.start, asked.end, asked.floor_id))
}

/// What `GET /history` was asked for: start, end and step in seconds.
///
/// # Errors
/// The problem document that refuses it.
pub fn read_history(uri: &Uri, last: Last) -> Judged<(Timestamp, Timestamp, Option<u32>)> {
    let asked =
        history::Asked::read(uri, &local(last), |hours| Ok(last(hours))).map_err(document)?;
    Ok((asked.start, asked.end, asked.step))
}

/// Dates are those of UTC, and it is the end of the last hours.
fn local(last: Last) -> Local {
    Local { zone: TimeZone::UTC, now: last(1).1 }
}

/// From when until when so many last hours are.
pub type Last = fn(u32) -> (Timestamp, Timestamp);

/// What `GET /events.csv` writes of these events; `floor` knows the names of floors.
#[must_use]
pub fn table(events: &[Event], floor: impl Fn(i64) -> String) -> String {
    let mut text = download::titles(',');
    let form = download::Form { separator: ',', ledger: String::new(), zone: TimeZone::UTC };
    let write = |event: &Event| download::row(&mut text, event, &floor(event.floor_id), &form);
    events.iter().for_each(write);
    text
}
