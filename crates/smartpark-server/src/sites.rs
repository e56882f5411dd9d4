//! What is known of the car park, and what its name in a path means.

use std::time::Instant;

use axum::{
    extract::{Path, Request, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::{
    App, body,
    described::problems,
    examples,
    kind::Kind,
    problem::{Place, Problem},
    query::Query,
    views::answer,
    window::Local,
};
use smartpark_ledger::{Result, Site, SiteRecord, SmartPark, limits::SITE_KEPT};

/// The site's record as it was read a moment ago: dates in queries and names in paths need it.
#[derive(Debug, Default)]
pub(super) struct SiteCache(Mutex<Option<(Instant, SiteRecord)>>);

impl SiteCache {
    /// The record, at most [`SITE_KEPT`] old.
    pub(super) async fn read(&self, park: &SmartPark) -> Result<SiteRecord> {
        let mut kept = self.0.lock().await;
        if let Some((at, record)) = kept.as_ref().filter(|(at, _)| at.elapsed() < SITE_KEPT) {
            let _ = at;
            return Ok(record.clone());
        }
        let record = park.site().await?;
        *kept = Some((Instant::now(), record.clone()));
        Ok(record)
    }

    /// The next read is of the database.
    async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

impl App {
    /// What dates and words for days mean at the site.
    pub(super) async fn local(&self) -> Result<Local, Problem> {
        let record = self.site.read(&self.park).await?;
        Ok(Local { zone: record.zone(), now: self.park.now() })
    }
}

/// All sites.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sites)]
pub(super) struct SitesView {
    sites: Vec<SiteView>,
}

/// A site, and how full it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SiteState)]
pub(super) struct SiteView {
    #[serde(flatten)]
    site: SiteRecord,
    /// The slots of the active floors.
    #[schema(minimum = 0)]
    total_slots: i64,
    /// The vehicles on the active floors.
    #[schema(minimum = 0)]
    current_vehicles: i64,
    /// How many more vehicles fit.
    #[schema(minimum = 0)]
    available_slots: i64,
    /// How full it is, in percent.
    #[schema(minimum = 0, maximum = 100)]
    occupancy_percentage: f64,
}

impl SiteView {
    async fn of(app: &App, site: SiteRecord) -> Result<Self> {
        let totals = Site::of(&app.park.floors().get_all_floors().await?);
        Ok(Self {
            site,
            total_slots: totals.total_slots,
            current_vehicles: totals.current_vehicles,
            available_slots: totals.available_slots(),
            occupancy_percentage: totals.occupancy_percentage(),
        })
    }
}

problems!(ListProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// List sites
///
/// A ledger holds one car park. Every other operation may also be called below `/sites/{slug}`,
/// for example `GET /sites/{slug}/floors`.
#[utoipa::path(
    get, path = "/sites", tag = "sites", operation_id = "listSites",
    responses(
        (status = 200, description = "The sites", body = SitesView,
            example = json!(examples::sites())),
        ListProblems,
    ),
)]
pub(super) async fn list_sites(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    Query::none(&uri)?;
    let site = SiteView::of(&app, app.park.site().await?).await?;
    Ok(answer(StatusCode::OK, &SitesView { sites: vec![site] }))
}

problems!(GetProblems: NotFound, InvalidFields, Internal, Overloaded, Unavailable);

/// Get a site
#[utoipa::path(
    get, path = "/sites/{slug}", tag = "sites", operation_id = "getSite",
    params(("slug" = String, Path, description = "The site's name in paths")),
    responses(
        (status = 200, description = "The site", body = SiteView,
            example = json!(examples::site())),
        GetProblems,
    ),
)]
pub(super) async fn get_site(
    State(app): State<App>,
    Path(slug): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    Query::none(&uri)?;
    let site = known(&app, &slug).await?;
    Ok(answer(StatusCode::OK, &SiteView::of(&app, site).await?))
}

problems!(ChangeProblems: NotJson, CutShort, NotFound, TooSlow, TooLarge, UnsupportedType,
    InvalidFields, Internal, Overloaded, Unavailable);

/// Change a site
///
/// What is absent stays; null takes an optional member out. The time zone decides when the days,
/// weeks and months of the site begin, also those of the past; no count depends on it.
#[utoipa::path(
    patch, path = "/sites/{slug}", tag = "sites", operation_id = "changeSite",
    params(("slug" = String, Path, description = "The site's name in paths")),
    request_body(content = super::schemas::SiteChange, example = json!(examples::site_change())),
    responses(
        (status = 200, description = "The site as it is now", body = SiteView,
            example = json!(examples::site())),
        ChangeProblems,
    ),
)]
pub(super) async fn change_site(
    State(app): State<App>,
    Path(slug): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    Query::none(request.uri())?;
    known(&app, &slug).await?;
    let whole = body::read_json(request, &app).await?;
    let patch = members(&whole.bytes)?;
    let site = app.park.change_site(&patch).await?;
    app.site.forget().await;
    Ok(answer(StatusCode::OK, &SiteView::of(&app, site).await?))
}

/// The site with this name.
async fn known(app: &App, slug: &str) -> Result<SiteRecord, Problem> {
    let site = app.park.site().await?;
    if site.slug == slug {
        return Ok(site);
    }
    Err(Problem::new(Kind::NotFound).detail("no site has this name; GET /sites lists them"))
}

fn members(json: &[u8]) -> Result<Map<String, Value>, Problem> {
    let value: Value = serde_json::from_slice(json).map_err(|fault| {
        let detail = format!("not JSON, at line {} column {}", fault.line(), fault.column());
        super::rows::not_json(&detail)
    })?;
    match value {
        Value::Object(members) => Ok(members),
        _ => {
            let fault = smartpark_ledger::error::FieldError::new("", "must be a JSON object");
            Err(Problem::invalid(vec![fault], Place::Body))
        }
    }
}
