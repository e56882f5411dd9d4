//! NGSI-LD (normalized and key-values) and NGSI version 2: OffStreetParking and ParkingGroup.
//!
//! A site becomes one OffStreetParking, each of its active floors one ParkingGroup that names the
//! site. Entities without slots are left out: the model wants at least one.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};

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
const REFUSED: &AsciiSet = &CONTROLS
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
enum Attribute {
    Text(String),
    Plain(Value),
    Time(Timestamp),
    /// A number, with the moment for which it holds.
    Observed(Value, Option<Timestamp>),
    Place((f64, f64)),
    Link(String),
}

struct Entity {
    id: String,
    kind: &'static str,
    attributes: Vec<(&'static str, Attribute)>,
}

/// All entities as one array, to be fetched or (NGSI-LD) sent to `entityOperations/upsert`.
#[must_use]
pub fn ngsi(sites: &[SiteView], form: NgsiForm) -> Vec<u8> {
    super::json(&written(sites, form))
}

/// The body of `POST /v2/op/update` that sets all entities.
#[must_use]
pub fn ngsi_v2_update(sites: &[SiteView]) -> Vec<u8> {
    let entities = written(sites, NgsiForm::V2);
    super::json(&json!({ "actionType": "append", "entities": entities }))
}

fn written(sites: &[SiteView], form: NgsiForm) -> Vec<Value> {
    let all = sites
        .iter()
        .filter(|site| site.total() > 0)
        .flat_map(|site| site.place.into_iter().flat_map(move |place| entities(site, place)));
    all.map(|entity| entity.written(form)).collect()
}

fn entities(site: &SiteView, place: (f64, f64)) -> Vec<Entity> {
    let floors = site.floors.iter().filter(|floor| floor.is_active && floor.total > 0);
    let groups = floors.map(|floor| group(site, floor, place));
    std::iter::once(parking(site, place)).chain(groups).collect()
}

fn site_id(site: &SiteView) -> String {
    format!("urn:ngsi-ld:OffStreetParking:{}", site.id)
}

fn parking(site: &SiteView, place: (f64, f64)) -> Entity {
    let (total, free) = (site.total(), site.free());
    let mut attributes = vec![
        ("name", Attribute::Text(site.name.clone())),
        ("category", Attribute::Plain(category(site.kind))),
        ("allowedVehicleType", Attribute::Plain(json!(["car"]))),
        ("location", Attribute::Place(place)),
        ("totalSpotNumber", Attribute::Plain(json!(total))),
        ("occupancyDetectionType", Attribute::Plain(json!(["balancing"]))),
        ("status", Attribute::Plain(status(site, free))),
        ("dataProvider", Attribute::Text("SmartPark".to_owned())),
    ];
    if let Some(free) = free {
        let occupied = total - free;
        let number = |number: u64| Attribute::Observed(json!(number), site.vouched_at);
        attributes.push(("availableSpotNumber", number(free)));
        attributes.push(("occupiedSpotNumber", number(occupied)));
        let share = Attribute::Observed(json!(ratio(occupied, total)), site.vouched_at);
        attributes.push(("occupancy", share));
    }
    if let Some(changed) = site.last_event {
        attributes.push(("occupancyModified", Attribute::Time(changed)));
    }
    if let Some(vouched) = site.vouched_at {
        attributes.push(("observationDateTime", Attribute::Time(vouched)));
    }
    if let Some(address) = &site.address {
        attributes.push(("address", Attribute::Plain(postal_address(address))));
    }
    if let Some(hours) = &site.opening_hours {
        attributes.push(("openingHours", Attribute::Text(hours.clone())));
    }
    if let Some(height) = site.max_height_cm {
        let metres = f64::from(height) / 100.0;
        attributes.push(("maximumAllowedHeight", Attribute::Plain(json!(metres))));
    }
    Entity { id: site_id(site), kind: "OffStreetParking", attributes }
}

fn group(site: &SiteView, floor: &FloorView, place: (f64, f64)) -> Entity {
    let where_it_is = if site.kind == Some(SiteKind::Street) { "onStreet" } else { "offStreet" };
    let mut attributes = vec![
        ("name", Attribute::Text(floor.name.clone())),
        ("category", Attribute::Plain(json!(["completeFloor", where_it_is]))),
        ("refParkingSite", Attribute::Link(site_id(site))),
        ("allowedVehicleType", Attribute::Text("car".to_owned())),
        ("occupancyDetectionType", Attribute::Plain(json!(["balancing"]))),
        ("location", Attribute::Place(place)),
        ("totalSpotNumber", Attribute::Plain(json!(floor.total))),
    ];
    if site.free().is_some() {
        let free = Attribute::Observed(json!(floor.free()), site.vouched_at);
        attributes.push(("availableSpotNumber", free));
    }
    let id = format!("urn:ngsi-ld:ParkingGroup:{}-{}", site.id, floor.id);
    Entity { id, kind: "ParkingGroup", attributes }
}

fn category(kind: Option<SiteKind>) -> Value {
    match kind {
        Some(SiteKind::Garage) => json!(["parkingGarage", "public"]),
        Some(SiteKind::Underground) => json!(["underground", "public"]),
        Some(SiteKind::Lot) => json!(["parkingLot", "public"]),
        Some(SiteKind::Street) | None => json!(["public"]),
    }
}

fn status(site: &SiteView, free: Option<u64>) -> Value {
    match (site.is_open(), free) {
        (false, _) => json!(["closed"]),
        (true, Some(0)) => json!(["open", "full"]),
        (true, Some(_)) => json!(["open", "spacesAvailable"]),
        (true, None) => json!(["open"]),
    }
}

/// `part` of `whole` from 0 to 1, in ten-thousandths.
#[expect(clippy::cast_precision_loss, reason = "slots are far below 2^53")]
fn ratio(part: u64, whole: u64) -> f64 {
    (part as f64 * 10_000.0 / whole as f64).round() / 10_000.0
}

/// `Marktstraße 1, 71083 Musterstadt` in its parts; a text of another form is all street.
fn postal_address(address: &str) -> Value {
    let Some((street, town)) = address.rsplit_once(", ") else {
        return json!({ "streetAddress": address });
    };
    match town.split_once(' ') {
        Some((code, name)) if code.bytes().all(|byte| byte.is_ascii_digit()) => {
            json!({ "streetAddress": street, "postalCode": code, "addressLocality": name })
        }
        _ => json!({ "streetAddress": street, "addressLocality": town }),
    }
}

impl Entity {
    fn written(self, form: NgsiForm) -> Value {
        let mut members = Map::new();
        members.insert("id".to_owned(), Value::String(self.id));
        members.insert("type".to_owned(), Value::String(self.kind.to_owned()));
        for (name, attribute) in self.attributes {
            let value = match form {
                NgsiForm::Normalized => attribute.normalized(),
                NgsiForm::KeyValues => attribute.value(),
                NgsiForm::V2 => attribute.v2(),
            };
            members.insert(name.to_owned(), value);
        }
        if form == NgsiForm::Normalized {
            members.insert("@context".to_owned(), json!(CONTEXT));
        }
        Value::Object(members)
    }
}

impl Attribute {
    fn value(self) -> Value {
        match self {
            Self::Text(text) | Self::Link(text) => Value::String(text),
            Self::Plain(value) | Self::Observed(value, _) => value,
            Self::Time(at) => Value::String(seconds(at)),
            Self::Place((latitude, longitude)) => {
                json!({ "type": "Point", "coordinates": [longitude, latitude] })
            }
        }
    }

    fn normalized(self) -> Value {
        match self {
            Self::Link(target) => json!({ "type": "Relationship", "object": target }),
            Self::Place(_) => json!({ "type": "GeoProperty", "value": self.value() }),
            Self::Time(at) => {
                let value = json!({ "@type": "DateTime", "@value": seconds(at) });
                json!({ "type": "Property", "value": value })
            }
            Self::Observed(value, Some(at)) => {
                json!({ "type": "Property", "value": value, "observedAt": seconds(at) })
            }
            _ => json!({ "type": "Property", "value": self.value() }),
        }
    }

    fn v2(self) -> Value {
        let kind = match &self {
            Self::Text(_) => "Text",
            Self::Link(_) => "Relationship",
            Self::Time(_) => "DateTime",
            Self::Place(_) => "geo:json",
            Self::Plain(value) | Self::Observed(value, _) if value.is_number() => "Number",
            Self::Plain(_) | Self::Observed(..) => "StructuredValue",
        };
        json!({ "type": kind, "value": allowed(self.value()) })
    }
}

/// Texts without the characters that Orion refuses.
fn allowed(value: Value) -> Value {
    match value {
        Value::String(text) => {
            // Only the refused characters change; letters of other alphabets stay.
            let encode = |c: char| match c {
                c if c.is_ascii() => {
                    let mut buffer = [0; 4];
                    utf8_percent_encode(c.encode_utf8(&mut buffer), REFUSED).to_string()
                }
                other => other.to_string(),
            };
            Value::String(text.chars().map(encode).collect())
        }
        Value::Array(items) => items.into_iter().map(allowed).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, allowed(value))).collect()
        }
        other => other,
    }
}
