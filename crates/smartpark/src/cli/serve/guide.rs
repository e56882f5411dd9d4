//! What a person can do next, once the server listens.

use std::net::SocketAddr;

use crate::{SmartPark, Stock, http::BasePath};

/// Tells the log which page to open, and what to do with a site that is new.
pub(super) async fn show(park: &SmartPark, scheme: &str, address: SocketAddr, path: &BasePath) {
    let host = if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    };
    let page = format!("{scheme}://{host}{path}/");
    tracing::info!("open {page} in a browser; {page}docs describes the HTTP API");
    // Only a hint depends on it: a database that cannot be read is told of elsewhere.
    let Ok(stock) = park.seed().stock().await else { return };
    match stock {
        Stock::Empty => tracing::info!(
            "there is no floor yet: add one on the page, or with `smartpark floors add NAME \
             --slots N`"
        ),
        Stock::Sample => tracing::info!(
            "these are sample floors and events: `smartpark reset --empty` removes them"
        ),
        Stock::Own => {}
    }
}
