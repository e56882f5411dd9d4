//! `[feeds]`: what others fetch.

use std::time::Duration;

use super::{
    table::Table,
    values::{duration, one_of},
};

/// A feed that others fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feed {
    /// DATEX II Parking Publication Light, JSON.
    Datex2Light,
    /// ParkAPI version 1.
    ParkApiV1,
    /// ParkAPI version 3.
    ParkApiV3,
    /// SIRI-FM 2.1.
    SiriFm,
    /// NGSI-LD.
    NgsiLd,
    /// NGSI version 2.
    NgsiV2,
    /// GeoJSON.
    GeoJson,
}

impl Feed {
    /// All feeds with their names.
    pub const ALL: [(&'static str, Self); 7] = [
        ("datex2-light", Self::Datex2Light),
        ("parkapi-v1", Self::ParkApiV1),
        ("parkapi-v3", Self::ParkApiV3),
        ("siri-fm", Self::SiriFm),
        ("ngsi-ld", Self::NgsiLd),
        ("ngsi-v2", Self::NgsiV2),
        ("geojson", Self::GeoJson),
    ];
}

/// `[feeds]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feeds {
    /// Feeds that anybody may fetch without a key.
    pub open: Vec<Feed>,
    /// Whether DATEX II also lists each floor as a site.
    pub levels: bool,
    /// After how long without a sign of life of any camera numbers are no longer vouched for.
    pub silent_after: Duration,
    /// What a journey planner calls the site in SIRI-FM; the site's id if `None`.
    pub siri_facility_ref: Option<String>,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            levels: false,
            silent_after: Duration::from_secs(30 * 60),
            siri_facility_ref: None,
        }
    }
}

impl Feeds {
    pub(super) fn read(table: &Table<'_, '_>) -> Self {
        let named = table.texts("open");
        let open = named.iter().filter_map(|name| {
            one_of(name, &Feed::ALL).map_err(|detail| table.fault("open", &detail)).ok()
        });
        let open = open.collect();
        let siri = table.table("siri_fm");
        let siri_facility_ref = siri.as_ref().and_then(|siri| siri.text("facility_ref"));
        let silent_after = table.parsed("silent_after", |text| match duration(text)? {
            length if length >= Duration::from_secs(60) => Ok(length),
            _ => Err("must be at least 1min".to_owned()),
        });
        let feeds = Self {
            open,
            levels: table.switch("levels"),
            silent_after: silent_after.unwrap_or(Self::default().silent_after),
            siri_facility_ref,
        };
        if let Some(siri) = siri {
            siri.finish();
        }
        table.finish();
        feeds
    }
}
