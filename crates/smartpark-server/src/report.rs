//! Reports on a month, a week, a day or a range of days: as JSON, a table, or a page to print.

use std::sync::LazyLock;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, Uri, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use smartpark_formats::report;
use utoipa::IntoParams;

use super::{
    App,
    described::problems,
    examples,
    problem::{Place, Problem},
    query::Query,
    views::answer,
};
use smartpark_ledger::{
    Error,
    error::FieldError,
    limits::LONG_ANSWER_BYTES,
    report::{Report, ReportPeriod},
};

/// The parameters of a report, as they are described.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct PeriodParams {
    /// A month of the site. Exactly one of month, week, day and start is needed
    #[param(example = "2026-01", pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: Option<String>,
    /// A week of the site, from Monday, by its ISO number: `2026-W03`
    #[param(pattern = "^[0-9]{4}-W[0-9]{2}$")]
    week: Option<String>,
    /// A day of the site: `2026-01-20`
    day: Option<String>,
    /// The first day of a range
    start: Option<String>,
    /// The last day of it, which belongs to it. At most 93 days
    end: Option<String>,
}

/// The policy of the page: its own style, which is known by its hash, and nothing else.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(report::STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).ok()
});

problems!(ReportProblems: InvalidFields, Internal, Overloaded, Unavailable);

/// Report on a period
///
/// Cars in and out, mean and most vehicles, minutes full, mean stay, what people counted and by how
/// much the count was off, and how far it may be off at the end: of the site and of each floor, and
/// of each day of the site's time zone. A period that has not ended is told until now. It cannot
/// begin before the retention horizon, nor ahead of now.
#[utoipa::path(
    get, path = "/report", tag = "statistics", operation_id = "getReport",
    params(PeriodParams),
    responses(
        (status = 200, description = "The report", body = Report,
            example = json!(examples::report())),
        ReportProblems,
    ),
)]
pub(super) async fn get_report(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    Ok(answer(StatusCode::OK, &made(&app, &uri).await?))
}

/// Report on a period, as a table
///
/// As `GET /report`, as CSV (RFC 4180, UTF-8, with a line of titles): for the site and for each
/// floor a row for the whole period and one for each day.
#[utoipa::path(
    get, path = "/report.csv", tag = "statistics", operation_id = "downloadReport",
    params(PeriodParams),
    responses(
        (status = 200, description = "The table", content_type = "text/csv", body = String,
            headers(("Content-Disposition" = String, description = "A name for the file")),
            example = json!("floor_id,floor,period,entries\r\n,,2026-01,1588\r\n")),
        ReportProblems,
    ),
)]
pub(super) async fn download_report(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let made = made(&app, &uri).await?;
    let mut response = document("text/csv; charset=utf-8; header=present", report::csv(&made));
    let name = format!("attachment; filename=\"report-{}.csv\"", made.period.replace('/', "_"));
    if let Ok(name) = HeaderValue::try_from(name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// Report on a period, as a page to print
///
/// As `GET /report`, as an HTML page that prints on A4 and needs nothing else.
#[utoipa::path(
    get, path = "/report.html", tag = "statistics", operation_id = "printReport",
    params(PeriodParams),
    responses(
        (status = 200, description = "The page", content_type = "text/html", body = String,
            example = json!("<!doctype html>")),
        ReportProblems,
    ),
)]
pub(super) async fn print_report(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let mut response = document("text/html; charset=utf-8", report::page(&made(&app, &uri).await?));
    if let Some(policy) = &*POLICY {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    Ok(response)
}

fn document(media_type: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn made(app: &App, uri: &Uri) -> Result<Report, Problem> {
    let period = asked(uri)?;
    app.check_room(LONG_ANSWER_BYTES)?;
    app.park.get_report(&period).await.map_err(|error| match error {
        Error::TooOld { horizon } => {
            let detail = format!("must not begin before the retention horizon ({horizon})");
            Problem::invalid(vec![FieldError::new(named(uri), detail)], Place::Query)
        }
        Error::Invalid(faults) => {
            let faults = faults.into_iter();
            let faults = faults.map(|fault| FieldError::new(named(uri), fault.detail)).collect();
            Problem::invalid(faults, Place::Query)
        }
        other => Problem::from_error(other, Place::Query),
    })
}

const PARAMETERS: [(&str, usize, &str); 5] = [
    ("month", 7, "must be a month such as 2026-01"),
    ("week", 8, "must be a week such as 2026-W03"),
    ("day", 10, "must be a day such as 2026-01-20"),
    ("start", 10, "must be a day such as 2026-01-20"),
    ("end", 10, "must be a day such as 2026-01-20"),
];

/// The parameter that names the period.
fn named(uri: &Uri) -> &'static str {
    let query = Query::read(uri, &PARAMETERS.map(|(name, _, _)| name));
    let given = PARAMETERS.into_iter().find(|(name, _, _)| query.has(name));
    given.map_or("month", |(name, _, _)| name)
}

/// The period that a query asks for.
fn asked(uri: &Uri) -> Result<ReportPeriod, Problem> {
    let mut query = Query::read(uri, &PARAMETERS.map(|(name, _, _)| name));
    let mut periods = Vec::new();
    for (name, length, detail) in PARAMETERS {
        let Some(text) = query.any(name) else { continue };
        match ReportPeriod::parse(&text).filter(|_| text.len() == length) {
            Some(period) => periods.push((name, period)),
            None => query.fault(name, detail),
        }
    }
    let given = PARAMETERS.iter().filter(|(name, _, _)| *name != "end" && query.has(name)).count();
    if given == 0 {
        query.fault("month", "is required, or week, day, or start and end");
    } else if given > 1 {
        query.fault(named(uri), "cannot stand beside another period");
    }
    if query.has("start") != query.has("end") {
        query.fault(if query.has("end") { "start" } else { "end" }, "is required here");
    }
    let of = |name: &str| {
        let found = periods.iter().find(|(other, _)| *other == name);
        found.map(|(_, period)| period.clone())
    };
    let range = of("start").zip(of("end")).map(|(start, end)| {
        let range = ReportPeriod::range(start.first, end.first);
        if range.is_none() {
            query.fault("end", "must not be before start");
        }
        range
    });
    let period = of("month").or(of("week")).or(of("day")).or(range.flatten());
    query.finish()?;
    period.ok_or_else(|| {
        let detail = "is required, or week, day, or start and end";
        Problem::invalid(vec![FieldError::new("month", detail)], Place::Query)
    })
}
