//! NGSI-LD (normalized and key-values) and NGSI version 2: OffStreetParking and ParkingGroup.
//!
//! A site becomes one OffStreetParking, each of its active floors one ParkingGroup that names the
//! site. Entities without slots are left out: the model wants at least one. The text is written
//! straight away, since a city of 2 000 sites has 150 000 attributes.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::view::{FloorView, SiteView, seconds};
use crate::config::SiteKind;

/// The form of the entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NgsiForm {
    /// NGSI-LD, each attribute with its type, and a `@context`.
    Normalized,
    /// NGSI-LD, values only.
    KeyValues,
    /// NGSI version 2, each attribute with its type.
    V2,
}

const CONTEXT: [&str; 2] = [
    "https://smart-data-models.github.io/dataModel.Parking/context.jsonld",
    "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.7.jsonld",
];

/// Characters that Orion refuses in texts, and the percent sign, so that they can be read back.
const REFUSED: &AsciiSet = &AsciiSet::EMPTY
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'"')
    .add(b'\'')
    .add(b'=')
    .add(b';')
    .add(b'(')
    .add(b')');

/// What an attribute is.
#[derive(Clone, Copy)]
enum Attribute<'a> {
    Text(&'a str),
    Words(&'a [&'a str]),
    Number(u64),
    /// A number with a fraction.
    Fraction(f64),
    Time(&'a str),
    /// Latitude and longitude.
    Place((f64, f64)),
    /// Street, code and town.
    Address(&'a str),
    /// The id of another entity.
    Link(&'a str),
}

/// All entities as one array, to be fetched or (NGSI-LD) sent to `entityOperations/upsert`.
#[must_use]
pub fn ngsi(sites: &[SiteView], form: NgsiForm) -> Vec<u8> {
    let mut out = Writer { bytes: b"[".to_vec(), form, observed: None, is_first: true };
    for site in sites.iter().filter(|site| site.total() > 0) {
        let Some(place) = site.place else { continue };
        out.site(site, place);
    }
    out.bytes.push(b']');
    out.bytes
}

/// The body of `POST /v2/op/update` that sets all entities.
#[must_use]
pub fn ngsi_v2_update(sites: &[SiteView]) -> Vec<u8> {
    let mut body = br#"{"actionType":"append","entities":"#.to_vec();
    body.extend(ngsi(sites, NgsiForm::V2));
    body.push(b'}');
    body
}

/// Writes the entities.
struct Writer {
    bytes: Vec<u8>,
    form: NgsiForm,
    /// For when the numbers hold.
    observed: Option<String>,
    is_first: bool,
}

impl Writer {
    fn site(&mut self, site: &SiteView, place: (f64, f64)) {
        let id = format!("urn:ngsi-ld:OffStreetParking:{}", site.id);
        self.observed = site.vouched_at.map(seconds);
        self.begin(&id, "OffStreetParking");
        self.parking(site, place);
        self.end();
        for floor in site.floors.iter().filter(|floor| floor.is_active && floor.total > 0) {
            self.begin(
                &format!("urn:ngsi-ld:ParkingGroup:{}-{}", site.id, floor.id),
                "ParkingGroup",
            );
            self.group(site, floor, place, &id);
            self.end();
        }
    }

    fn parking(&mut self, site: &SiteView, place: (f64, f64)) {
        let (total, free) = (site.total(), site.free());
        self.attribute("name", Attribute::Text(&site.name));
        self.attribute("category", Attribute::Words(category(site.kind)));
        self.attribute("allowedVehicleType", Attribute::Words(&["car"]));
        self.attribute("location", Attribute::Place(place));
        self.attribute("totalSpotNumber", Attribute::Number(total));
        self.attribute("occupancyDetectionType", Attribute::Words(&["balancing"]));
        self.attribute("status", Attribute::Words(status(site, free)));
        self.attribute("dataProvider", Attribute::Text("SmartPark"));
        if let Some(free) = free {
            let occupied = total - free;
            self.observed("availableSpotNumber", Attribute::Number(free));
            self.observed("occupiedSpotNumber", Attribute::Number(occupied));
            self.observed("occupancy", Attribute::Fraction(ratio(occupied, total)));
        }
        if let Some(changed) = site.last_event.map(seconds) {
            self.attribute("occupancyModified", Attribute::Time(&changed));
        }
        if let Some(vouched) = self.observed.clone() {
            self.attribute("observationDateTime", Attribute::Time(&vouched));
        }
        if let Some(address) = &site.address {
            self.attribute("address", Attribute::Address(address));
        }
        if let Some(hours) = &site.opening_hours {
            self.attribute("openingHours", Attribute::Text(hours));
        }
        if let Some(height) = site.max_height_cm {
            let metres = f64::from(height) / 100.0;
            self.attribute("maximumAllowedHeight", Attribute::Fraction(metres));
        }
    }

    fn group(&mut self, site: &SiteView, floor: &FloorView, place: (f64, f64), site_id: &str) {
        let is_street = site.kind == Some(SiteKind::Street);
        let category = if is_street { "onStreet" } else { "offStreet" };
        self.attribute("name", Attribute::Text(&floor.name));
        self.attribute("category", Attribute::Words(&["completeFloor", category]));
        self.attribute("refParkingSite", Attribute::Link(site_id));
        self.attribute("allowedVehicleType", Attribute::Text("car"));
        self.attribute("occupancyDetectionType", Attribute::Words(&["balancing"]));
        self.attribute("location", Attribute::Place(place));
        self.attribute("totalSpotNumber", Attribute::Number(floor.total.into()));
        if site.free().is_some() {
            self.observed("availableSpotNumber", Attribute::Number(floor.free().into()));
        }
    }

    fn begin(&mut self, id: &str, kind: &str) {
        let is_first = std::mem::replace(&mut self.is_first, false);
        self.raw(if is_first { "{\"id\":" } else { ",{\"id\":" });
        self.string(id);
        self.raw(",\"type\":");
        self.string(kind);
    }

    fn end(&mut self) {
        if self.form == NgsiForm::Normalized {
            self.raw(",\"@context\":");
            self.words(&CONTEXT);
        }
        self.raw("}");
    }

    /// An attribute that always holds.
    fn attribute(&mut self, name: &str, attribute: Attribute<'_>) {
        self.member(name, attribute, false);
    }

    /// An attribute that holds for the moment vouched for.
    fn observed(&mut self, name: &str, attribute: Attribute<'_>) {
        self.member(name, attribute, true);
    }

    fn member(&mut self, name: &str, attribute: Attribute<'_>, is_observed: bool) {
        self.raw(",\"");
        self.raw(name);
        self.raw("\":");
        match (self.form, attribute) {
            (NgsiForm::KeyValues, _) => return self.value(attribute),
            (NgsiForm::V2, _) => {
                self.raw("{\"type\":\"");
                self.raw(v2_type(attribute));
                self.raw("\",\"value\":");
                self.value(attribute);
            }
            (NgsiForm::Normalized, Attribute::Link(_)) => {
                self.raw("{\"type\":\"Relationship\",\"object\":");
                self.value(attribute);
            }
            (NgsiForm::Normalized, Attribute::Place(_)) => {
                self.raw("{\"type\":\"GeoProperty\",\"value\":");
                self.value(attribute);
            }
            (NgsiForm::Normalized, Attribute::Time(_)) => {
                self.raw("{\"type\":\"Property\",\"value\":{\"@type\":\"DateTime\",\"@value\":");
                self.value(attribute);
                self.raw("}");
            }
            (NgsiForm::Normalized, _) => {
                self.raw("{\"type\":\"Property\",\"value\":");
                self.value(attribute);
                if let Some(observed) = self.observed.clone().filter(|_| is_observed) {
                    self.raw(",\"observedAt\":");
                    self.string(&observed);
                }
            }
        }
        self.raw("}");
    }

    fn value(&mut self, attribute: Attribute<'_>) {
        match attribute {
            Attribute::Text(text) | Attribute::Time(text) | Attribute::Link(text) => {
                self.string(text);
            }
            Attribute::Words(words) => self.words(words),
            Attribute::Number(number) => self.raw(&number.to_string()),
            Attribute::Fraction(number) => self.raw(&number.to_string()),
            Attribute::Place((latitude, longitude)) => {
                self.raw(&format!(
                    "{{\"type\":\"Point\",\"coordinates\":[{longitude},{latitude}]}}"
                ));
            }
            Attribute::Address(address) => {
                for (number, (name, part)) in address_parts(address).into_iter().enumerate() {
                    self.raw(if number == 0 { "{\"" } else { ",\"" });
                    self.raw(name);
                    self.raw("\":");
                    self.string(part);
                }
                self.raw("}");
            }
        }
    }

    fn words(&mut self, words: &[&str]) {
        for (number, word) in words.iter().enumerate() {
            self.raw(if number == 0 { "[" } else { "," });
            self.string(word);
        }
        self.raw("]");
    }

    fn string(&mut self, text: &str) {
        let text = match self.form {
            NgsiForm::V2 => without_refused(text),
            _ => Cow::Borrowed(text),
        };
        self.bytes.extend(super::json(&text.as_ref()));
    }

    fn raw(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

const fn v2_type(attribute: Attribute<'_>) -> &'static str {
    match attribute {
        Attribute::Text(_) => "Text",
        Attribute::Link(_) => "Relationship",
        Attribute::Time(_) => "DateTime",
        Attribute::Place(_) => "geo:json",
        Attribute::Number(_) | Attribute::Fraction(_) => "Number",
        Attribute::Words(_) | Attribute::Address(_) => "StructuredValue",
    }
}

const fn category(kind: Option<SiteKind>) -> &'static [&'static str] {
    match kind {
        Some(SiteKind::Garage) => &["parkingGarage", "public"],
        Some(SiteKind::Underground) => &["underground", "public"],
        Some(SiteKind::Lot) => &["parkingLot", "public"],
        Some(SiteKind::Street) | None => &["public"],
    }
}

fn status(site: &SiteView, free: Option<u64>) -> &'static [&'static str] {
    match (site.is_open(), free) {
        (false, _) => &["closed"],
        (true, Some(0)) => &["open", "full"],
        (true, Some(_)) => &["open", "spacesAvailable"],
        (true, None) => &["open"],
    }
}

/// `part` of `whole` from 0 to 1, in ten-thousandths.
#[expect(clippy::cast_precision_loss, reason = "slots are far below 2^53")]
fn ratio(part: u64, whole: u64) -> f64 {
    (part as f64 * 10_000.0 / whole as f64).round() / 10_000.0
}

/// `Marktstraße 1, 71083 Musterstadt` in its parts; a text of another form is all street.
fn address_parts(address: &str) -> Vec<(&'static str, &str)> {
    let Some((street, town)) = address.rsplit_once(", ") else {
        return vec![("streetAddress", address)];
    };
    match town.split_once(' ') {
        Some((code, name)) if code.bytes().all(|byte| byte.is_ascii_digit()) => {
            vec![("streetAddress", street), ("postalCode", code), ("addressLocality", name)]
        }
        _ => vec![("streetAddress", street), ("addressLocality", town)],
    }
}

/// A text without the characters that Orion refuses; letters of other alphabets stay.
fn without_refused(text: &str) -> Cow<'_, str> {
    let is_refused = |c: char| "%<>\"'=;()".contains(c);
    if !text.contains(is_refused) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for part in text.split_inclusive(is_refused) {
        let cut = part.trim_end_matches(is_refused);
        clean.push_str(cut);
        clean.extend(utf8_percent_encode(&part[cut.len()..], REFUSED));
    }
    Cow::Owned(clean)
}
