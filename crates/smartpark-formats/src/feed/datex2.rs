//! DATEX II Parking Publication Light, JSON.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    json,
    view::{FloorView, Opening, SiteView, seconds},
};
use crate::config::SiteKind;

/// Half of the side of the square around the entrance, in degrees of latitude: 5 m.
const HALF_SIDE: f64 = 0.000_045;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(rename = "_version")]
    version: &'static str,
    #[serde(rename = "_modelBaseVersion")]
    model_base_version: &'static str,
    #[serde(rename = "_profileName")]
    profile_name: &'static str,
    #[serde(rename = "_profileVersion")]
    profile_version: &'static str,
    parking_publication_light: Publication<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Publication<'a> {
    name: &'static str,
    lang: &'a str,
    publication_time: String,
    parking_site: Vec<Site<'a>>,
    /// Always empty: SmartPark counts floors, not single slots.
    parking_space: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Site<'a> {
    /// Two readers want `_id`, a third only `id`.
    #[serde(rename = "_id")]
    underscore_id: String,
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    location_and_dimension: Location<'a>,
    number_of_spaces: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    available_spaces: Option<u64>,
    is_open_now: bool,
    temporary_closed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opening_times_description: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_information: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url_link_address: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    coordinates_for_display: Coordinates,
    gml_linear_ring: Ring,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimension: Option<Dimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location_descriptor: Option<&'a str>,
}

#[derive(Serialize)]
struct Coordinates {
    latitude: f64,
    longitude: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ring {
    pos_list: String,
}

#[derive(Serialize)]
struct Dimension {
    height: f64,
}

/// The publication. A site without a place is left out: every reader drops it. With `levels` each
/// active floor follows its site as a site of its own.
#[must_use]
pub fn datex2_light(sites: &[SiteView], levels: bool, now: Timestamp) -> Vec<u8> {
    let mut listed = Vec::new();
    for site in sites {
        let Some(place) = site.place else { continue };
        listed.push(whole(site, place));
        let floors = site.floors.iter().filter(|floor| levels && floor.is_active);
        listed.extend(floors.map(|floor| level(site, place, floor)));
    }
    let lang = sites.iter().find_map(|site| site.language.as_deref()).unwrap_or("en");
    json(&Document {
        version: "3.4",
        model_base_version: "3",
        profile_name: "SmartPark",
        profile_version: "1",
        parking_publication_light: Publication {
            name: "SmartPark",
            lang,
            publication_time: seconds(now),
            parking_site: listed,
            parking_space: [],
        },
    })
}

fn whole(site: &SiteView, place: (f64, f64)) -> Site<'_> {
    Site {
        underscore_id: site.id.clone(),
        id: site.id.clone(),
        kind: match site.kind {
            Some(SiteKind::Lot) => "offStreetParkingGround",
            Some(SiteKind::Street) => "onStreet",
            Some(SiteKind::Garage | SiteKind::Underground) | None => "carPark",
        },
        name: site.name.clone(),
        location_and_dimension: Location {
            coordinates_for_display: Coordinates { latitude: place.0, longitude: place.1 },
            gml_linear_ring: Ring { pos_list: square(place) },
            dimension: site
                .max_height_cm
                .map(|height| Dimension { height: f64::from(height) / 100.0 }),
            location_descriptor: site.address.as_deref(),
        },
        number_of_spaces: site.total(),
        available_spaces: site.free(),
        is_open_now: site.is_open(),
        temporary_closed: site.opening == Opening::ClosedByPerson,
        last_update: site.vouched_at.map(seconds),
        opening_times_description: site.opening_hours.as_deref().map(|hours| [hours]),
        operator_information: site.operator.as_deref().map(|operator| [operator]),
        url_link_address: site.website.as_deref(),
    }
}

fn level<'a>(site: &'a SiteView, place: (f64, f64), floor: &FloorView) -> Site<'a> {
    let id = format!("{}-{}", site.id, floor.id);
    Site {
        underscore_id: id.clone(),
        id,
        name: format!("{}, {}", site.name, floor.name),
        number_of_spaces: u64::from(floor.total),
        available_spaces: site.free().map(|_| u64::from(floor.free())),
        ..whole(site, place)
    }
}

/// A closed ring of five points around the place, latitude first.
fn square((latitude, longitude): (f64, f64)) -> String {
    let half_width = HALF_SIDE / latitude.to_radians().cos().max(0.01);
    let corners = [(-1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)];
    let points = corners.map(|(up, right)| {
        format!("{:.6} {:.6}", latitude + up * HALF_SIDE, longitude + right * half_width)
    });
    points.join(" ")
}
