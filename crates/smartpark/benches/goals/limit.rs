//! H: what the HTTP stack does at most. The project's own accept loop and the same router, with
//! handlers that read and parse a request and answer with the bytes of SmartPark's own answers.

use std::{net::SocketAddr, process::Command};

use axum::{
    Router,
    body::Bytes,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use smartpark::http::{Timeouts, serve_router};

use crate::{
    load,
    servers::Server,
    traffic::{Traffic, get as request_of},
};

/// The first argument of the process that is the limit.
pub(crate) const ARGUMENT: &str = "serve-limit";

/// An event as it is sent.
#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "parsing it is the work")]
struct Sent<'a> {
    camera_id: &'a str,
    floor_id: i64,
    track_id: &'a str,
    vehicle_type: &'a str,
    direction: &'a str,
    confidence: f64,
    timestamp: &'a str,
}

/// The limit of a SmartPark, in a process of its own. That SmartPark records one event.
pub(crate) fn start(park: SocketAddr, traffic: &Traffic) -> Server {
    let mut request = Vec::new();
    traffic.post_one(&mut request);
    let recorded = load::once(park, &request);
    let read = |path: &str| {
        let mut request = Vec::new();
        request_of(path, &mut request);
        load::once(park, &request)
    };
    let answers = [recorded, read("/floors"), read("/floors/recommended")];
    let mut command = Command::new(std::env::current_exe().expect("it runs"));
    command.arg(ARGUMENT);
    for answer in answers {
        let answer = String::from_utf8(answer.expect("SmartPark answers"));
        command.arg(answer.expect("JSON is UTF-8"));
    }
    Server::start(command)
}

/// Serves until it is ended. `answers` are those to a post, to /floors and to the recommendation.
pub(crate) fn serve(answers: Vec<String>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime needs no more than a file").block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        eprintln!("listening on http://{address}");
        let stopped = async {
            use tokio::signal::unix::{SignalKind, signal};
            signal(SignalKind::terminate()).expect("signals can be caught").recv().await;
        };
        let served = serve_router(router(answers), listener, Timeouts::default(), stopped).await;
        served.expect("it is bound");
    });
}

fn router(answers: Vec<String>) -> Router {
    let mut answers = answers.into_iter().map(Bytes::from);
    let mut next = || answers.next().expect("three answers are given");
    let (recorded, floors, recommended) = (next(), next(), next());
    Router::new()
        .route("/events", post(async move |body| record(&body, recorded.clone())))
        .route("/floors", get(async move || constant(floors.clone())))
        .route("/floors/recommended", get(async move || constant(recommended.clone())))
}

fn record(body: &Bytes, answer: Bytes) -> impl IntoResponse + use<> {
    match serde_json::from_slice::<Sent<'_>>(body) {
        Ok(_) => {
            let headers =
                [(header::CONTENT_TYPE, "application/json"), (header::LOCATION, "/events/1")];
            (StatusCode::CREATED, headers, answer)
        }
        Err(_) => {
            let headers = [(header::CONTENT_TYPE, "text/plain"), (header::LOCATION, "")];
            (StatusCode::BAD_REQUEST, headers, Bytes::new())
        }
    }
}

fn constant(answer: Bytes) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], answer)
}
