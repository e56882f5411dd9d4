//! ParkAPI, version 1 and version 3.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    json,
    view::{SiteView, is_in_europe, seconds},
};
use crate::config::SiteKind;

#[derive(Serialize)]
struct Index<'a> {
    api_version: &'static str,
    server_version: &'a str,
    reference: &'a str,
    cities: BTreeMap<String, &'a str>,
}

#[derive(Serialize)]
struct City<'a> {
    last_updated: String,
    last_downloaded: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_source: Option<&'a str>,
    lots: Vec<Lot<'a>>,
}

#[derive(Serialize)]
struct Lot<'a> {
    id: &'a str,
    name: &'a str,
    coords: Coords,
    total: u64,
    /// Left out if unknown: a reader takes `null` for 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u64>,
    state: &'static str,
    lot_type: &'static str,
    forecast: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opening_hours: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct Coords {
    lat: f64,
    lng: f64,
}

/// The list of cities of version 1. Each site stands as a city of its own, under its name.
#[must_use]
pub fn parkapi_v1_index(sites: &[SiteView], version: &str, reference: &str) -> Vec<u8> {
    let mut cities = BTreeMap::new();
    for site in sites {
        let name = if cities.contains_key(&site.name) {
            format!("{} ({})", site.name, site.id)
        } else {
            site.name.clone()
        };
        cities.insert(name, site.id.as_str());
    }
    json(&Index { api_version: "1.0", server_version: version, reference, cities })
}

/// One site as a city of version 1. A site without a place has no lots.
#[must_use]
pub fn parkapi_v1_city(site: &SiteView, now: Timestamp) -> Vec<u8> {
    let lot = |(lat, lng)| Lot {
        id: &site.id,
        name: &site.name,
        coords: Coords { lat, lng },
        total: site.total(),
        free: site.free(),
        state: match (site.is_open(), site.free()) {
            (false, _) => "closed",
            (true, Some(_)) => "open",
            (true, None) => "nodata",
        },
        lot_type: match site.kind {
            Some(SiteKind::Garage) => "garage",
            Some(SiteKind::Underground) => "underground",
            Some(SiteKind::Street) => "street",
            Some(SiteKind::Lot) | None => "lot",
        },
        forecast: false,
        address: site.address.as_deref(),
        opening_hours: site.opening_hours.as_deref(),
        url: site.website.as_deref(),
    };
    json(&City {
        last_updated: seconds(site.as_of()),
        last_downloaded: seconds(now),
        data_source: site.website.as_deref(),
        lots: site.place.map(lot).into_iter().collect(),
    })
}

#[derive(Serialize)]
struct Items<'a> {
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    uid: &'a str,
    name: &'a str,
    purpose: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    lat: f64,
    lon: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opening_hours: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_covered: Option<bool>,
    capacity: u64,
    has_realtime_data: bool,
    static_data_updated_at: String,
    realtime_data_updated_at: String,
    realtime_opening_status: &'static str,
    realtime_capacity: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    realtime_free_capacity: Option<u64>,
}

/// The items of version 3, to be fetched or pushed. Sites outside of Europe, and those without a
/// place, are left out: version 3 refuses them.
#[must_use]
pub fn parkapi_v3(sites: &[SiteView]) -> Vec<u8> {
    let items = sites.iter().filter_map(|site| {
        let place = site.place.filter(|place| is_in_europe(*place))?;
        Some(item(site, place))
    });
    json(&Items { items: items.collect() })
}

fn item(site: &SiteView, (lat, lon): (f64, f64)) -> Item<'_> {
    Item {
        uid: &site.id,
        name: &site.name,
        purpose: "CAR",
        kind: match site.kind {
            Some(SiteKind::Garage) => "CAR_PARK",
            Some(SiteKind::Underground) => "UNDERGROUND",
            Some(SiteKind::Lot) => "OFF_STREET_PARKING_GROUND",
            Some(SiteKind::Street) => "ON_STREET",
            None => "OTHER",
        },
        lat,
        lon,
        address: site.address.as_deref(),
        operator_name: site.operator.as_deref(),
        public_url: site.website.as_deref(),
        opening_hours: site.opening_hours.as_deref(),
        max_height: site.max_height_cm,
        is_covered: site.kind.map(|kind| matches!(kind, SiteKind::Garage | SiteKind::Underground)),
        capacity: site.total(),
        has_realtime_data: true,
        static_data_updated_at: seconds(site.described_at),
        realtime_data_updated_at: seconds(site.as_of()),
        realtime_opening_status: if site.is_open() { "OPEN" } else { "CLOSED" },
        realtime_capacity: site.total(),
        realtime_free_capacity: site.free(),
    }
}
