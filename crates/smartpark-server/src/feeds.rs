//! Feeds for cities, maps and journey planners. Each document is written once for each state of the
//! floors and sent to every reader, for [`FEED_AGE`] at most: then it is vouched for anew.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Uri, request::Parts},
    response::Response,
};
use jiff::Timestamp;
use smartpark_formats::{
    config::Feed,
    feed::{self, NgsiForm, SiteView},
};
use tokio::time::Instant;

use super::{
    App, described::problems, examples, id::Name, kind::Kind, latest::Written, problem::Problem,
    query::Query,
};
use smartpark_ledger::{Floor, limits::FEED_AGE};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const LD_JSON: HeaderValue = HeaderValue::from_static("application/ld+json");
const GEO_JSON: HeaderValue = HeaderValue::from_static("application/geo+json");
const XML: HeaderValue = HeaderValue::from_static("application/xml");

/// A document: a feed, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Document {
    Whole(Feed),
    KeyValues,
    /// One site of ParkAPI version 1.
    City(String),
}

impl Document {
    fn feed(&self) -> Feed {
        match self {
            Self::Whole(feed) => *feed,
            Self::KeyValues => Feed::NgsiLd,
            Self::City(_) => Feed::ParkApiV1,
        }
    }

    fn media_type(&self) -> HeaderValue {
        match self {
            Self::Whole(Feed::SiriFm) => XML,
            Self::Whole(Feed::NgsiLd) => LD_JSON,
            Self::Whole(Feed::GeoJson) => GEO_JSON,
            _ => JSON,
        }
    }

    /// The bytes; `None` for a site that there is not.
    fn write(&self, sites: &[SiteView], levels: bool, now: Timestamp) -> Option<Vec<u8>> {
        const VERSION: &str = env!("CARGO_PKG_VERSION");
        Some(match self {
            Self::Whole(Feed::Datex2Light) => feed::datex2_light(sites, levels, now),
            Self::Whole(Feed::ParkApiV1) => {
                feed::parkapi_v1_index(sites, VERSION, "https://github.com/offenesdresden/ParkAPI")
            }
            Self::Whole(Feed::ParkApiV3) => feed::parkapi_v3(sites),
            Self::Whole(Feed::SiriFm) => feed::siri_fm(sites, now),
            Self::Whole(Feed::NgsiLd) => feed::ngsi(sites, NgsiForm::Normalized),
            Self::Whole(Feed::NgsiV2) => feed::ngsi(sites, NgsiForm::V2),
            Self::Whole(Feed::GeoJson) => feed::geojson(sites),
            Self::KeyValues => feed::ngsi(sites, NgsiForm::KeyValues),
            Self::City(id) => feed::parkapi_v1_city(sites.iter().find(|site| site.id == *id)?, now),
        })
    }
}

/// The documents about one state of the floors.
#[derive(Debug)]
struct Made {
    floors: Arc<[Floor]>,
    at: Instant,
    sites: Arc<[SiteView]>,
    documents: Mutex<HashMap<Document, Arc<Written>>>,
}

/// The documents that readers fetched last.
#[derive(Debug, Default)]
pub(super) struct FeedDocuments(Mutex<Option<Arc<Made>>>);

impl FeedDocuments {
    async fn of(&self, app: &App, document: Document) -> Result<Arc<Written>, Problem> {
        let made = self.made(app).await?;
        let mut known = made.documents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(written) = known.get(&document) {
            return Ok(Arc::clone(written));
        }
        let levels = app.inputs.connections().feeds.levels;
        let bytes = document.write(&made.sites, levels, app.park.now());
        let missing = || Problem::new(Kind::NotFound).detail("the site does not exist");
        let bytes = bytes.ok_or_else(missing)?;
        let age = HeaderValue::from_static("max-age=30");
        let written = Arc::new(Written::of(bytes, document.media_type(), age));
        known.insert(document, Arc::clone(&written));
        Ok(written)
    }

    /// What the documents are made of, read anew if the floors changed or it is too old.
    async fn made(&self, app: &App) -> Result<Arc<Made>, Problem> {
        let floors = app.park.floors().get_latest_floors().await?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_current =
            |made: &&Arc<Made>| Arc::ptr_eq(&made.floors, &floors) && made.at.elapsed() < FEED_AGE;
        if let Some(made) = known.as_ref().filter(is_current) {
            return Ok(Arc::clone(made));
        }
        let sites = app.sites.views().await?.into();
        let made =
            Arc::new(Made { floors, at: Instant::now(), sites, documents: Mutex::default() });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&made));
        Ok(made)
    }
}

/// Lets a reader in: everybody to a feed that the configuration opens, at a bounded rate; else as
/// any other request.
async fn admit(app: &App, feed: Feed, head: &Parts) -> Result<(), Problem> {
    if app.inputs.connections().feeds.open.contains(&feed) {
        return app.gate.check_feed(head);
    }
    app.gate.admit(head).await.map(drop)
}

async fn fetch(app: &App, document: Document, request: Request) -> Result<Response, Problem> {
    let (head, _) = request.into_parts();
    admit(app, document.feed(), &head).await?;
    if document != Document::Whole(Feed::NgsiLd) && document != Document::KeyValues {
        Query::none(&head.uri)?;
    }
    Ok(app.feeds.of(app, document).await?.answer(&head.headers))
}

/// Whether NGSI-LD is asked for as values only.
fn is_key_values(uri: &Uri) -> Result<bool, Problem> {
    let mut query = Query::read(uri, &["options"]);
    let options = query.any("options");
    if options.as_deref().is_some_and(|options| options != "keyValues") {
        query.fault("options", "must be keyValues");
    }
    query.finish()?;
    Ok(options.is_some())
}

problems!(FeedProblems: NotFound, InvalidFields, Internal, Overloaded, Unavailable);

/// Declares the operation of a feed.
macro_rules! feed {
    ($name:ident $id:literal $path:literal $media:literal $body:ty, $feed:ident,
        $example:expr, $title:literal) => {
        #[doc = $title]
        #[doc = ""]
        #[doc = "docs/feeds.md says what the numbers and the two times mean. Feeds that"]
        #[doc = "`feeds.open` names need no key. Send the `ETag` of the last answer as"]
        #[doc = "`If-None-Match`."]
        #[utoipa::path(
            get, path = $path, tag = "feeds", operation_id = $id,
            responses(
                (status = 200, description = "The document", content_type = $media, body = $body,
                    example = json!($example)),
                (status = 304, description = "It has not changed"),
                FeedProblems,
            ),
        )]
        pub(super) async fn $name(
            State(app): State<App>,
            request: Request,
        ) -> Result<Response, Problem> {
            fetch(&app, Document::Whole(Feed::$feed), request).await
        }
    };
}

feed!(datex2_light "getDatex2Light" "/feeds/datex2-light.json" "application/json"
    serde_json::Value, Datex2Light,
    examples::feed_json(), "Parking spaces as DATEX II Light");
feed!(parkapi_v1 "getParkApiV1" "/feeds/parkapi-v1" "application/json"
    serde_json::Value, ParkApiV1,
    examples::feed_json(), "Parking spaces as ParkAPI version 1: the list of sites");
feed!(parkapi_v3 "getParkApiV3" "/feeds/parkapi-v3.json" "application/json"
    serde_json::Value, ParkApiV3,
    examples::feed_json(), "Parking spaces as ParkAPI version 3");
feed!(siri_fm "getSiriFm" "/feeds/siri-fm.xml" "application/xml"
    String, SiriFm,
    "<Siri version=\"2.1\"/>", "Parking spaces as SIRI-FM 2.1");
feed!(ngsi_v2 "getNgsiV2" "/feeds/ngsi-v2.json" "application/json"
    serde_json::Value, NgsiV2,
    examples::feed_json(), "Parking spaces as NGSI version 2");
feed!(geojson "getGeoJson" "/feeds/geojson.json" "application/geo+json"
    serde_json::Value, GeoJson,
    examples::feed_json(), "Parking spaces as GeoJSON");

/// Parking spaces as NGSI-LD
///
/// docs/feeds.md says what the numbers and the two times mean. Feeds that `feeds.open` names need
/// no key. Send the `ETag` of the last answer as `If-None-Match`.
#[utoipa::path(
    get, path = "/feeds/ngsi-ld.jsonld", tag = "feeds", operation_id = "getNgsiLd",
    params(("options" = Option<String>, Query, description = "`keyValues`: values only",
        example = "keyValues")),
    responses(
        (status = 200, description = "The document; values only are no linked data", content(
            (serde_json::Value = "application/ld+json", example = json!(examples::feed_json())),
            (serde_json::Value = "application/json", example = json!(examples::feed_json())),
        )),
        (status = 304, description = "It has not changed"),
        FeedProblems,
    ),
)]
pub(super) async fn ngsi_ld(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let form = is_key_values(request.uri());
    let document = match &form {
        Ok(true) => Document::KeyValues,
        _ => Document::Whole(Feed::NgsiLd),
    };
    let response = fetch(&app, document, request).await?;
    form.map(|_| response)
}

/// Parking spaces as ParkAPI version 1: one site
///
/// The list of sites names each by its id.
#[utoipa::path(
    get, path = "/feeds/parkapi-v1/{id}", tag = "feeds", operation_id = "getParkApiV1Site",
    params(("id" = String, Path, description = "The site's id")),
    responses(
        (status = 200, description = "The document", content_type = "application/json",
            body = serde_json::Value, example = json!(examples::feed_json())),
        (status = 304, description = "It has not changed"),
        FeedProblems,
    ),
)]
pub(super) async fn parkapi_v1_site(
    State(app): State<App>,
    Name(id): Name,
    request: Request,
) -> Result<Response, Problem> {
    fetch(&app, Document::City(id), request).await
}
