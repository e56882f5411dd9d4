//! `[site]`: the car park as others know it.

use jiff::tz::TimeZone;

use super::{
    table::Table,
    values::{Endpoint, one_of, slug, time_zone},
};

/// What kind of car park it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteKind {
    /// A building above ground.
    Garage,
    /// A building below ground.
    Underground,
    /// An open ground.
    Lot,
    /// Beside a street.
    Street,
}

/// `[site]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The name in paths and topics, which others keep for ever.
    pub id: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// Latitude and longitude of the entrance, in degrees.
    pub place: Option<(f64, f64)>,
    /// Street, number, code and town.
    pub address: Option<String>,
    /// What kind of car park.
    pub kind: Option<SiteKind>,
    /// Its operator.
    pub operator: Option<String>,
    /// Its page.
    pub website: Option<String>,
    /// Opening hours in the syntax of OpenStreetMap.
    pub opening_hours: Option<String>,
    /// The zone of local days, and of devices that send local times. UTC if none is named.
    pub time_zone: TimeZone,
    /// The name of that zone, if one is named.
    pub zone_name: Option<String>,
    /// Under which licence its numbers may be used.
    pub licence: Option<String>,
    /// Two letters.
    pub language: Option<String>,
    /// Highest vehicle, in centimetres.
    pub max_height_cm: Option<u32>,
    /// Slots of tenants: taken off total and free in every feed.
    pub reserved_slots: u32,
}

impl SiteKind {
    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Garage => "garage",
            Self::Underground => "underground",
            Self::Lot => "lot",
            Self::Street => "street",
        }
    }
}

impl Site {
    pub(super) fn read(table: &Table<'_, '_>) -> Self {
        let latitude = table.number("latitude", -90.0..=90.0);
        let longitude = table.number("longitude", -180.0..=180.0);
        for (one, other) in [("latitude", "longitude"), ("longitude", "latitude")] {
            if table.has(one) && !table.has(other) {
                table.fault(one, &format!("needs {other} beside it"));
            }
        }
        let place = latitude.zip(longitude);
        if place == Some((0.0, 0.0)) {
            table.fault("latitude", "0, 0 lies in the sea: write the place of the entrance");
        }
        let site = Self {
            id: table.parsed("id", slug),
            name: table.text("name"),
            place,
            address: table.text("address"),
            kind: table.parsed("kind", |text| one_of(text, &KINDS)),
            operator: table.text("operator"),
            website: table.parsed("website", website),
            opening_hours: table.text("opening_hours"),
            time_zone: table.parsed("time_zone", time_zone).unwrap_or(TimeZone::UTC),
            zone_name: table.text("time_zone"),
            licence: table.text("licence"),
            language: table.parsed("language", language),
            max_height_cm: table.parsed("max_height", height),
            reserved_slots: table
                .whole("reserved_slots", 0..=1_000_000)
                .and_then(|slots| u32::try_from(slots).ok())
                .unwrap_or(0),
        };
        table.finish();
        site
    }
}

const KINDS: [(&str, SiteKind); 4] = [
    ("garage", SiteKind::Garage),
    ("underground", SiteKind::Underground),
    ("lot", SiteKind::Lot),
    ("street", SiteKind::Street),
];

fn website(text: &str) -> Result<String, String> {
    Endpoint::read(text, &[("https", 443), ("http", 80)]).map(|_| text.to_owned())
}

fn language(text: &str) -> Result<String, String> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase()) {
        Ok(text.to_owned())
    } else {
        Err("must be two small letters, such as de".to_owned())
    }
}

/// `2.1m`, `2.1 m` or `210cm`, in centimetres.
fn height(text: &str) -> Result<u32, String> {
    let detail = "must be a height such as 2.1m or 210cm";
    let (number, factor) = match (text.strip_suffix("cm"), text.strip_suffix('m')) {
        (Some(number), _) => (number, 1.0),
        (None, Some(number)) => (number, 100.0),
        (None, None) => return Err(detail.to_owned()),
    };
    let number: Option<f64> = number.trim().replace(',', ".").parse().ok();
    let centimetres = number.map(|number| (number * factor).round());
    let fits = centimetres.filter(|height| (100.0..=2_000.0).contains(height));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "100 to 2000")]
    fits.map(|height| height as u32).ok_or_else(|| detail.to_owned())
}
