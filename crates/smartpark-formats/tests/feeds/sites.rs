//! Car parks of every kind that a feed must show.

use jiff::Timestamp;
use smartpark_formats::{
    config::SiteKind,
    feed::{FloorView, Opening, SiteView},
};

/// The moment at which every document is made.
pub(crate) const NOW: &str = "2026-12-01T08:05:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// A floor with so many slots and vehicles.
pub(crate) fn floor(id: i64, total: u32, occupied: u32) -> FloorView {
    FloorView {
        id,
        name: format!("Level {id}"),
        total,
        occupied,
        is_active: true,
        last_event: Some(time("2026-12-01T08:04:12.345678Z")),
    }
}

/// A garage of three floors with 37 of 150 slots free.
pub(crate) fn garage(id: &str, name: &str) -> SiteView {
    SiteView {
        id: id.to_owned(),
        name: name.to_owned(),
        place: Some((48.5956, 8.8702)),
        address: Some("Marktstraße 1, 71083 Musterstadt".to_owned()),
        kind: Some(SiteKind::Garage),
        operator: Some("Stadtwerke Musterstadt".to_owned()),
        website: Some("https://garage.example/".to_owned()),
        opening_hours: Some("24/7".to_owned()),
        language: Some("de".to_owned()),
        max_height_cm: Some(210),
        reserved_slots: 20,
        facility_ref: None,
        opening: Opening::Open,
        floors: vec![floor(1, 50, 38), floor(2, 60, 40), floor(3, 60, 35)],
        last_event: Some(time("2026-12-01T03:04:12.345678Z")),
        vouched_at: Some(time("2026-12-01T08:04:59.9Z")),
        is_silent: false,
        described_at: time("2026-11-30T12:00:00Z"),
    }
}

/// Every kind of site, each under the name of its kind.
pub(crate) fn sites() -> Vec<SiteView> {
    let plain = |id: &str| garage(id, id);
    let full = SiteView { floors: vec![floor(1, 50, 50)], reserved_slots: 0, ..plain("full") };
    let empty = SiteView { floors: vec![floor(1, 50, 0)], reserved_slots: 60, ..plain("empty") };
    let closed = SiteView { opening: Opening::ClosedByPerson, ..plain("closed") };
    let night = SiteView { opening: Opening::Closed, ..plain("closed-at-night") };
    let silent = SiteView {
        is_silent: true,
        vouched_at: Some(time("2026-12-01T06:00:00Z")),
        ..plain("silent")
    };
    let unheard = SiteView { vouched_at: None, last_event: None, ..plain("never-heard") };
    let zero = SiteView { floors: vec![floor(1, 0, 0)], ..plain("no-slots") };
    let one_zero = SiteView {
        floors: vec![floor(1, 0, 0), floor(2, 9, 4)],
        reserved_slots: 0,
        ..plain("one-floor-of-0")
    };
    let mut strange = garage("strange-name", "Parkhaus \"Süd\" & Söhne (P1) <b>=;'%");
    strange.floors[0].name = "Ebene \"1\" & (ü)".to_owned();
    let mut shut = plain("one-floor-closed");
    shut.floors[0].is_active = false;
    let bare = SiteView {
        address: None,
        kind: None,
        operator: None,
        website: None,
        opening_hours: None,
        language: None,
        max_height_cm: None,
        ..plain("bare")
    };
    let nowhere = SiteView { place: None, ..plain("nowhere") };
    let overseas = SiteView { place: Some((-33.8688, 151.2093)), ..plain("overseas") };
    let all = [plain("plain"), full, empty, closed, night, silent, unheard, zero, one_zero];
    all.into_iter().chain([strange, shut, bare, nowhere, overseas]).collect()
}
