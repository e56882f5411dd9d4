//! GeoJSON (RFC 7946): one point a site.

use serde::Serialize;

use super::{
    json,
    view::{SiteView, seconds},
};

#[derive(Serialize)]
struct Collection<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    features: Vec<Feature<'a>>,
}

#[derive(Serialize)]
struct Feature<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    geometry: Option<Point>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
pub(super) struct Point {
    #[serde(rename = "type")]
    kind: &'static str,
    /// Longitude first.
    coordinates: [f64; 2],
}

impl Point {
    pub(super) fn at((latitude, longitude): (f64, f64)) -> Self {
        Self { kind: "Point", coordinates: [longitude, latitude] }
    }
}

#[derive(Serialize)]
struct Properties<'a> {
    name: &'a str,
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u64>,
    open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vouched_for_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    website: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opening_hours: Option<&'a str>,
    floors: Vec<Level<'a>>,
}

#[derive(Serialize)]
struct Level<'a> {
    id: i64,
    name: &'a str,
    total: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u32>,
    open: bool,
}

/// The collection. A site without a place has no geometry.
#[must_use]
pub fn geojson(sites: &[SiteView]) -> Vec<u8> {
    let features = sites.iter().map(|site| Feature {
        kind: "Feature",
        id: &site.id,
        geometry: site.place.map(Point::at),
        properties: Properties {
            name: &site.name,
            total: site.total(),
            free: site.free(),
            open: site.is_open(),
            last_event: site.last_event.map(seconds),
            vouched_for_at: site.vouched_at.map(seconds),
            address: site.address.as_deref(),
            operator: site.operator.as_deref(),
            website: site.website.as_deref(),
            opening_hours: site.opening_hours.as_deref(),
            floors: levels(site),
        },
    });
    json(&Collection { kind: "FeatureCollection", features: features.collect() })
}

fn levels(site: &SiteView) -> Vec<Level<'_>> {
    let level = |floor| -> Level<'_> {
        let floor: &super::FloorView = floor;
        Level {
            id: floor.id,
            name: &floor.name,
            total: floor.total,
            free: site.free().map(|_| floor.free()),
            open: floor.is_active,
        }
    };
    site.floors.iter().map(level).collect()
}
