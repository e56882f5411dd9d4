//! The events as a table to keep: all that a filter chooses, written while it is read.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderValue, Uri, header},
    response::Response,
};
use bytes::Bytes;

use super::{
    App,
    auth::Caller,
    channel::{Sender, channel},
    described::problems,
    examples,
    filter::{FILTERS, Filter, FilterParams},
    kind::Kind,
    problem::{Place, Problem},
    query::Query,
};
use crate::{
    AtLimit, Cursor, Event, EventFilter, EventPage, Result, SmartPark, csv_cells::defuse,
    limits::MAX_PAGE_ROWS, request_id,
};

/// The columns, in the order of [`row`].
pub(super) const TITLES: &str = "id,camera_id,floor_id,floor,track_id,vehicle_type,direction,\
    confidence,timestamp,created_at,count_delta,at_limit\r\n";

problems!(DownloadProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// Download events
///
/// All events that the parameters choose, newest first, as CSV (RFC 4180, UTF-8, with a line of
/// titles), however many they are. In names that a spreadsheet would take for a formula a `'`
/// stands first. An answer that breaks off before its end is not complete: ask again.
#[utoipa::path(
    get, path = "/events.csv", tag = "events", operation_id = "downloadEvents",
    params(
        FilterParams,
    ),
    responses(
        (status = 200, description = "The events", content_type = "text/csv", body = String,
            headers(("Content-Disposition" = String, description = "A name for the file")),
            example = json!(examples::download())),
        DownloadProblems,
    ),
)]
pub(super) async fn download_events(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::read(&uri, &FILTERS);
    let filter = Filter::read(&mut query);
    query.finish()?;
    let filter = filter.of(&app)?;
    let seat = app.downloads.take_free(caller.holder());
    let seat = Arc::new(seat.ok_or_else(|| Problem::new(Kind::Overloaded))?);
    // What is wrong at once is told with a status; later the answer can only break off.
    let download = Download::begin(&app.park, filter).await;
    let (download, first) = download.map_err(|error| Problem::from_error(error, Place::Query))?;
    let (sender, body) = channel(Arc::clone(&seat));
    request_id::spawn(async move {
        download.run(first, sender).await;
        drop(seat);
    });
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let csv = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    headers.insert(header::CONTENT_TYPE, csv);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let name = HeaderValue::from_static("attachment; filename=\"events.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

/// One download. Between two pages it holds nothing of the store.
struct Download {
    park: SmartPark,
    filter: EventFilter,
    /// The names of the floors, as far as they were asked for.
    floors: BTreeMap<i64, String>,
}

impl Download {
    /// Reads the first page.
    async fn begin(park: &SmartPark, filter: EventFilter) -> Result<(Self, EventPage)> {
        let all = park.floors().get_all_floors().await?;
        let floors = all.into_iter().map(|floor| (floor.id, floor.name)).collect();
        let first = park.events().get_events(filter.clone(), MAX_PAGE_ROWS, None).await?;
        Ok((Self { park: park.clone(), filter, floors }, first))
    }

    /// Sends page after page, as fast as the client takes them, until all is sent or the client
    /// goes. A server that stops leaves it the time that other requests have, too.
    async fn run(mut self, first: EventPage, sender: Sender) {
        let (mut page, mut text) = (first, String::from(TITLES));
        loop {
            for event in &page.events {
                let floor = self.floors.get(&event.floor_id).map_or("", String::as_str);
                row(&mut text, event, floor);
            }
            let piece = Bytes::from(std::mem::take(&mut text));
            if sender.send(Ok(piece)).await.is_err() || page.next_cursor.is_none() {
                return;
            }
            page = match self.page(page.next_cursor).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!("a download of events breaks off: {error}");
                    // A client that has gone needs no error.
                    return drop(sender.send(Err(error)).await);
                }
            };
        }
    }

    async fn page(&mut self, cursor: Option<Cursor>) -> Result<EventPage> {
        let events = self.park.events();
        let page = events.get_events(self.filter.clone(), MAX_PAGE_ROWS, cursor).await?;
        if page.events.iter().any(|event| !self.floors.contains_key(&event.floor_id)) {
            let all = self.park.floors().get_all_floors().await?;
            self.floors = all.into_iter().map(|floor| (floor.id, floor.name)).collect();
        }
        Ok(page)
    }
}

/// Adds one event.
pub(super) fn row(text: &mut String, event: &Event, floor: &str) {
    let at_limit = event.at_limit.map_or("", AtLimit::as_str);
    let (camera, floor, track) = (cell(&event.camera_id), cell(floor), cell(&event.track_id));
    // Writing to a string cannot fail.
    write!(
        text,
        "{},{camera},{},{floor},{track},{},{},{},{},{},{},{at_limit}\r\n",
        event.id,
        event.floor_id,
        event.vehicle_type,
        event.direction,
        event.confidence,
        event.timestamp,
        event.created_at,
        event.count_delta,
    )
    .unwrap_or_default();
}

/// A name in quotes where it needs them.
fn cell(name: &str) -> String {
    let name = defuse(name);
    if name.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.into_owned()
    }
}
