//! The live stream: floors, site and events as server-sent events, for as long as somebody reads.

use std::{io::Write, sync::Arc, vec};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use utoipa::ToSchema;

use super::{
    App,
    auth::{Caller, Gate},
    changes::ChangeView,
    described::problems,
    examples,
    kind::Kind,
    problem::{Place, Problem},
    query::Query,
    seats::Seat,
    views::{EventView, FloorView, json_bytes},
};
use crate::request_id::{self, RequestId};
use smartpark_ledger::{
    Change, Clock, Error, Event, Position, Site,
    live::{News, Piece, Watcher},
};

/// The header in which a browser says how far it has read.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// What a browser is told first: to connect again after a second where the stream breaks off.
const RETRY: &[u8] = b"retry: 1000\n\n";

/// The site as a whole: its active floors together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Site)]
pub(super) struct SiteView {
    /// The active floor with the most free slots; null where all are full.
    recommended_floor_id: Option<i64>,
    /// The slots of the active floors.
    #[schema(minimum = 0)]
    total_slots: i64,
    /// The vehicles on the active floors.
    #[schema(minimum = 0)]
    current_vehicles: i64,
    /// How many more fit.
    #[schema(minimum = 0)]
    available_slots: i64,
    /// 0 without slots.
    #[schema(minimum = 0, maximum = 100)]
    occupancy_percentage: f64,
}

impl From<Site> for SiteView {
    fn from(site: Site) -> Self {
        Self {
            recommended_floor_id: site.recommended_floor_id,
            total_slots: site.total_slots,
            current_vehicles: site.current_vehicles,
            available_slots: site.available_slots(),
            occupancy_percentage: site.occupancy_percentage(),
        }
    }
}

problems!(StreamProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// Watch what happens
///
/// Server-sent events for as long as the client reads, each with a name and JSON data:
///
/// - `floor`: a floor, as GET /floors/{id} tells it. All floors at first, then those that changed;
///   a client that reads slowly is only told the latest.
/// - `floor_removed`: `{"id": 3}`.
/// - `site`: the active floors together; after the first floors, then where it changed.
/// - `event`: an event, as GET /events/{id} tells it, in the order in which they were recorded.
/// - `change`: a change that no camera made, as GET /changes tells it, in the same order.
/// - `reload`: events or changes may have been missed; what was read before is to be read again.
/// - `heartbeat`: `{"now": …}` every five seconds, however little happens.
///
/// The `id` of a message is where to go on after it: browsers send the last one as
/// `Last-Event-ID` when they connect again, and no event or change is lost or repeated. Without
/// one the stream begins now.
///
/// If all places for streams are taken, a newcomer gets one of the key, session or address that has
/// the most; that stream ends, and its client may connect again.
#[utoipa::path(
    get, path = "/stream", tag = "live", operation_id = "watch",
    params(
        ("after" = Option<String>, Query, description = "Events after this id of a message",
            example = "1001.0"),
        ("Last-Event-ID" = Option<String>, Header,
            description = "The same, as browsers send it; where both are there, this one holds"),
    ),
    responses(
        (status = 200, description = "The stream", content_type = "text/event-stream",
            body = String, example = json!(examples::stream())),
        StreamProblems,
    ),
)]
pub(super) async fn watch_live(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::read(&uri, &["after"]);
    let asked = query.word::<Position>("after");
    query.finish()?;
    let last = headers.get(LAST_EVENT_ID).map(|id| {
        // No browser can mend what it was told: an id that is none is one that is not known.
        let id = id.to_str().ok().and_then(|id| id.parse().ok());
        id.unwrap_or(Position { change: i64::MAX, offset: i64::MAX, lineage: i64::MAX })
    });
    let seat = app.streams.take(caller.holder());
    let seat = seat.ok_or_else(|| Problem::new(Kind::Overloaded))?;
    let watcher = app.park.watch_seated(last.or(asked)).await;
    let watcher = watcher.map_err(|error| Problem::from_error(error, Place::Query))?;
    let mut beat = interval_at(Instant::now() + app.heartbeat, app.heartbeat);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = Feed {
        begin: Some(watcher.position()),
        watcher,
        seat,
        pieces: vec![Bytes::from_static(RETRY)].into_iter(),
        stopping: app.stopping.subscribe(),
        clock: app.park.options().clock.clone(),
        beat,
        gate: Arc::clone(&app.gate),
        caller,
        request: RequestId::current(),
    };
    let mut response = Response::new(feed.body());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // Proxies that gather answers would hold it back for ever.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Copies what a request for the stream says. Its parts are pieces of the buffer that it was read
/// into; as long as one of them is there hyper cannot read into that again, takes another, and
/// keeps it while the stream lasts.
pub(super) fn copied<B>(mut request: Request<B>) -> Request<B> {
    if request.uri().path() != "/stream" {
        return request;
    }
    if let Ok(uri) = request.uri().to_string().parse() {
        *request.uri_mut() = uri;
    }
    for value in request.headers_mut().values_mut() {
        if let Ok(copy) = HeaderValue::from_bytes(value.as_bytes()) {
            *value = copy;
        }
    }
    request
}

/// One stream. It is written while it is read, by the task of its connection: who does not read is
/// told nothing, and takes no more memory than who does.
struct Feed {
    watcher: Watcher,
    seat: Seat,
    /// The position that the stream begins with, until it was told.
    begin: Option<Position>,
    /// What is to be sent next.
    pieces: vec::IntoIter<Bytes>,
    stopping: watch::Receiver<bool>,
    clock: Clock,
    beat: Interval,
    gate: Arc<Gate>,
    /// Who reads: for as long as its key holds.
    caller: Caller,
    request: Option<RequestId>,
}

impl Feed {
    fn body(self) -> Body {
        Body::from_stream(stream::unfold(self, |mut feed| async move {
            let piece = request_id::under(feed.request, feed.next()).await?;
            Some((Ok::<_, Error>(piece), feed))
        }))
    }

    /// The next piece; none if the client's key ends, another client gets its seat, the server
    /// stops or the store fails.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.pieces.next() {
                return Some(piece);
            }
            let told = tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                () = self.seat.given_away() => return None,
                _ = self.beat.tick() => None,
                told = self.watcher.next_pieces() => Some(told),
            };
            match told {
                None if !self.gate.still_admits(&self.caller) => return None,
                None => return Some(heartbeat(&self.clock)),
                Some(Ok(pieces)) => {
                    let bytes = pieces.iter().map(|piece| written(piece, &mut self.begin));
                    self.pieces = bytes.collect::<Vec<_>>().into_iter();
                }
                Some(Err(error)) => {
                    tracing::warn!("a live stream ends: {error}");
                    return None;
                }
            }
        }
    }
}

/// The bytes of a piece, which all who are told it share.
fn written(piece: &Piece, begin: &mut Option<Position>) -> Bytes {
    let bytes = piece.written(|news| {
        let mut bytes = Vec::with_capacity(512 * news.len());
        news.iter().for_each(|it| write(&mut bytes, it, begin));
        bytes
    });
    Bytes::from_owner(Arc::clone(bytes))
}

/// Writes one piece of news. The first site carries the position that the stream begins with, so
/// that a client who has seen no event yet can go on, too.
fn write(piece: &mut Vec<u8>, news: &News, begin: &mut Option<Position>) {
    match news {
        News::Floor(floor) => piece.extend_from_slice(
            floor.written(|floor| frame("floor", None, &FloorView::from(floor.clone()))),
        ),
        News::FloorRemoved(id) => {
            piece.extend(frame("floor_removed", None, &serde_json::json!({"id": id})));
        }
        News::Site(site) => {
            if let Some(begin) = begin.take() {
                id(piece, begin);
            }
            let written = site.written(|site| frame("site", None, &SiteView::from(*site)));
            piece.extend_from_slice(written);
        }
        News::Event(at, event) => {
            piece.extend(frame("event", Some(*at), &EventView::from(Event::clone(event))));
        }
        News::Change(at, change) => {
            piece.extend(frame("change", Some(*at), &ChangeView::from(Change::clone(change))));
        }
        News::Reload(at) => {
            piece.extend(frame("reload", Some(*at), &serde_json::json!({})));
        }
    }
}

fn heartbeat(clock: &Clock) -> Bytes {
    frame("heartbeat", None, &serde_json::json!({"now": clock.now()})).into()
}

/// A message. JSON has no line breaks, so its data is one line.
fn frame(name: &str, at: Option<Position>, data: &impl Serialize) -> Vec<u8> {
    let mut frame = Vec::with_capacity(512);
    if let Some(at) = at {
        id(&mut frame, at);
    }
    frame.extend_from_slice(b"event: ");
    frame.extend_from_slice(name.as_bytes());
    frame.extend_from_slice(b"\ndata: ");
    frame.extend(json_bytes(data));
    frame.extend_from_slice(b"\n\n");
    frame
}

fn id(piece: &mut Vec<u8>, at: Position) {
    // Writing to memory cannot fail.
    writeln!(piece, "id: {at}").unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request as hyper reads it, whose parts are pieces of one buffer.
    fn request(uri: &str) -> (Bytes, Request<()>) {
        let head = Bytes::from(format!("{uri} 1001.0").into_bytes());
        let (uri, last) = (head.slice(..uri.len()), head.slice(uri.len() + 1..));
        let mut request = Request::new(());
        *request.uri_mut() = Uri::from_maybe_shared(uri).unwrap();
        let last = HeaderValue::from_maybe_shared(last).unwrap();
        request.headers_mut().insert(LAST_EVENT_ID, last);
        (head, request)
    }

    #[test]
    fn a_request_for_the_stream_lets_its_buffer_go_and_says_the_same() {
        for (uri, lets_go) in [
            ("/stream", true),
            ("/stream?after=7.0", true),
            ("http://a/stream", true),
            ("/events", false),
        ] {
            let (head, request) = request(uri);
            let request = copied(request);
            assert_eq!(head.is_unique(), lets_go, "{uri}");
            assert_eq!(*request.uri(), *uri);
            assert_eq!(request.headers()[LAST_EVENT_ID], "1001.0");
        }
    }
}
