//! The events as a table to keep: all that a filter chooses, written while it is read.

use std::{collections::BTreeMap, str::FromStr, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderValue, Uri, header},
    response::Response,
};
use bytes::Bytes;
use jiff::tz::TimeZone;
use utoipa::ToSchema;

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
use crate::request_id;
use smartpark_ledger::{
    AtLimit, Cursor, Event, EventFilter, EventPage, Result, SmartPark, UnknownWord,
    csv_cells::defuse, limits::MAX_PAGE_ROWS, zone::written,
};

/// The columns, in the order of [`row`].
const TITLES: [&str; 13] = [
    "id",
    "camera_id",
    "floor_id",
    "floor",
    "track_id",
    "vehicle_type",
    "direction",
    "confidence",
    "timestamp",
    "created_at",
    "count_delta",
    "at_limit",
    "ledger",
];

/// The line of titles.
pub(super) fn titles(separator: char) -> String {
    TITLES.join(&separator.to_string()) + "\r\n"
}

/// How a table is written.
#[derive(Clone, Debug)]
pub(super) struct Form {
    /// What stands between two cells.
    pub(super) separator: char,
    /// What the ledger is called in files: an import elsewhere sees by it that floors have other
    /// ids there.
    pub(super) ledger: String,
    /// In which zone instants are written, with their offset.
    pub(super) zone: TimeZone,
}

problems!(DownloadProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// Download events
///
/// All events that the parameters choose, newest first, as CSV (RFC 4180, UTF-8, with a line of
/// titles), however many they are. In names that a spreadsheet would take for a formula a `'`
/// stands first. With `bom=true` a byte order mark comes first, without which Excel misreads
/// accents; Excel in many languages also wants `separator=semicolon`. Instants are in the site's
/// time zone, with their offset. An answer that breaks off
/// before its end is not complete: ask again.
#[utoipa::path(
    get, path = "/events.csv", tag = "events", operation_id = "downloadEvents",
    params(
        FilterParams,
        ("bom" = Option<bool>, Query, description = "Whether a byte order mark comes first"),
        ("separator" = Option<Separator>, Query,
            description = "What stands between two cells, comma if not given"),
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
    let local = app.local().await?;
    let mut query = Query::read(&uri, &[&FILTERS[..], &["bom", "separator"]].concat());
    let filter = Filter::read(&mut query, &local);
    let has_bom = query.flag("bom");
    let separator = query.word::<Separator>("separator").unwrap_or(Separator::Comma);
    query.finish()?;
    let filter = filter.of(&app)?;
    let seat = app.downloads.take_free(caller.holder());
    let seat = Arc::new(seat.ok_or_else(|| Problem::new(Kind::Overloaded))?);
    // What is wrong at once is told with a status; later the answer can only break off.
    let download = Download::begin(&app.park, filter).await;
    let (download, first) = download.map_err(|error| Problem::from_error(error, Place::Query))?;
    let form =
        Form { separator: separator.sign(), ledger: app.park.ledger_id().await?, zone: local.zone };
    let (sender, body) = channel(Arc::clone(&seat));
    request_id::spawn(async move {
        download.run(first, has_bom, form, sender).await;
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
    async fn run(mut self, first: EventPage, has_bom: bool, form: Form, sender: Sender) {
        let mut text = String::from(if has_bom { "\u{feff}" } else { "" });
        text.push_str(&titles(form.separator));
        let mut page = first;
        loop {
            for event in &page.events {
                let floor = self.floors.get(&event.floor_id).map_or("", String::as_str);
                row(&mut text, event, floor, &form);
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
pub(super) fn row(text: &mut String, event: &Event, floor: &str, form: &Form) {
    let Form { separator, ledger, zone } = form;
    let name = |name: &str| cell(name, *separator);
    let cells = [
        event.id.to_string(),
        name(&event.camera_id),
        event.floor_id.to_string(),
        name(floor),
        name(&event.track_id),
        event.vehicle_type.to_string(),
        event.direction.to_string(),
        event.confidence.to_string(),
        written(event.timestamp, zone),
        written(event.created_at, zone),
        event.count_delta.to_string(),
        event.at_limit.map_or("", AtLimit::as_str).to_owned(),
        ledger.clone(),
    ];
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            text.push(*separator);
        }
        text.push_str(cell);
    }
    text.push_str("\r\n");
}

/// A name in quotes if it needs them.
fn cell(name: &str, separator: char) -> String {
    let name = defuse(name);
    if name.contains([separator, '"', '\r', '\n']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.into_owned()
    }
}

/// What stands between two cells.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum Separator {
    /// As RFC 4180 has it.
    Comma,
    /// As spreadsheets want it in countries that write a decimal comma.
    Semicolon,
    /// Tab.
    Tab,
}

impl Separator {
    const fn sign(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
        }
    }
}

impl FromStr for Separator {
    type Err = UnknownWord;

    fn from_str(text: &str) -> std::result::Result<Self, UnknownWord> {
        match text {
            "comma" => Ok(Self::Comma),
            "semicolon" => Ok(Self::Semicolon),
            "tab" => Ok(Self::Tab),
            _ => Err(UnknownWord { expected: "comma, semicolon, tab" }),
        }
    }
}
