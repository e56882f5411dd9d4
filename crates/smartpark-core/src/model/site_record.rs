//! What is known of the car park beside its floors.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{error::FieldError, limits::MAX_TEXT_CHARS, model::name_fault, zone};

/// What is known of the car park. Its time zone decides when a day begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Site))]
pub struct SiteRecord {
    /// Its name in paths: 1 to 64 letters, digits, `-` and `_`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Za-z0-9_-]{1,64}$"))]
    pub slug: String,
    /// What people call it.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// A time zone such as `Europe/Berlin`, or an offset such as `+01:00`.
    pub time_zone: String,
    /// What else is known.
    #[serde(flatten)]
    pub details: SiteDetails,
}

/// What may be known of a car park, and need not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SiteDetails {
    /// Latitude of the entrance, in degrees.
    #[cfg_attr(feature = "openapi", schema(minimum = -90, maximum = 90))]
    pub latitude: Option<f64>,
    /// Longitude of the entrance, in degrees.
    #[cfg_attr(feature = "openapi", schema(minimum = -180, maximum = 180))]
    pub longitude: Option<f64>,
    /// Street, number, code and town.
    pub address: Option<String>,
    /// Who runs it.
    pub operator: Option<String>,
    /// Its page.
    pub website: Option<String>,
    /// Opening hours in the syntax of OpenStreetMap.
    pub opening_hours: Option<String>,
    /// `garage`, `underground`, `lot` or `street`.
    pub kind: Option<String>,
    /// Two small letters.
    pub language: Option<String>,
    /// Highest vehicle, in centimetres.
    #[cfg_attr(feature = "openapi", schema(minimum = 100, maximum = 2000))]
    pub max_height_cm: Option<u32>,
    /// Slots of tenants.
    #[cfg_attr(feature = "openapi", schema(maximum = 1_000_000))]
    pub reserved_slots: Option<u32>,
    /// Under which licence its numbers may be used.
    pub licence: Option<String>,
}

/// The words for [`SiteDetails::kind`].
const KINDS: [&str; 4] = ["garage", "underground", "lot", "street"];

impl Default for SiteRecord {
    fn default() -> Self {
        let (slug, name, time_zone) = ("default".into(), "SmartPark".into(), "UTC".into());
        Self { slug, name, time_zone, details: SiteDetails::default() }
    }
}

impl SiteRecord {
    /// The time zone that decides when a day begins.
    #[must_use]
    pub fn zone(&self) -> jiff::tz::TimeZone {
        zone::parse(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC)
    }

    /// The record with these members in place of its own; `null` takes an optional one out.
    ///
    /// ```
    /// use smartpark_core::SiteRecord;
    /// let patch = serde_json::json!({"name": "North", "time_zone": "Europe/Berlin"});
    /// let record = SiteRecord::default().patched(patch.as_object().unwrap()).unwrap();
    /// assert_eq!((record.name.as_str(), record.slug.as_str()), ("North", "default"));
    /// ```
    ///
    /// # Errors
    /// Every member that does not fit.
    pub fn patched(&self, patch: &Map<String, Value>) -> Result<Self, Vec<FieldError>> {
        let (mut next, mut faults) = (self.clone(), Vec::new());
        for (name, value) in patch {
            if let Err(fault) = next.set(name, value) {
                faults.push(fault);
            }
        }
        let SiteDetails { latitude, longitude, .. } = next.details;
        if faults.is_empty() && latitude.is_some() != longitude.is_some() {
            faults.push(FieldError::new("latitude", "needs longitude beside it"));
        }
        if faults.is_empty() { Ok(next) } else { Err(faults) }
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), FieldError> {
        let details = &mut self.details;
        match name {
            "slug" => self.slug = required("slug", value, slug)?,
            "name" => self.name = required("name", value, title)?,
            "time_zone" => {
                let known = |text: &str| zone::parse(text).map(|_| text.to_owned());
                self.time_zone = required("time_zone", value, known)?;
            }
            "latitude" => details.latitude = degrees("latitude", value, 90.0)?,
            "longitude" => details.longitude = degrees("longitude", value, 180.0)?,
            "address" => details.address = optional("address", value, text)?,
            "operator" => details.operator = optional("operator", value, text)?,
            "website" => details.website = optional("website", value, website)?,
            "opening_hours" => details.opening_hours = optional("opening_hours", value, text)?,
            "kind" => details.kind = optional("kind", value, kind)?,
            "language" => details.language = optional("language", value, language)?,
            "max_height_cm" => {
                const DETAIL: &str = "must be a whole number of centimetres from 100 to 2000";
                details.max_height_cm = whole("max_height_cm", value, 100, 2_000, DETAIL)?;
            }
            "reserved_slots" => {
                const DETAIL: &str = "must be a whole number from 0 to 1000000";
                details.reserved_slots = whole("reserved_slots", value, 0, 1_000_000, DETAIL)?;
            }
            "licence" => details.licence = optional("licence", value, text)?,
            other => {
                let name = crate::intake::displayable(other);
                return Err(FieldError::new(name, "is not a known field"));
            }
        }
        Ok(())
    }
}

type Read = fn(&str) -> Result<String, &'static str>;

fn required(name: &'static str, value: &Value, read: Read) -> Result<String, FieldError> {
    let text = value.as_str().ok_or(FieldError::new(name, "must be a string"))?;
    read(text).map_err(|detail| FieldError::new(name, detail))
}

fn optional(name: &'static str, value: &Value, read: Read) -> Result<Option<String>, FieldError> {
    if value.is_null() { Ok(None) } else { required(name, value, read).map(Some) }
}

fn degrees(name: &'static str, value: &Value, most: f64) -> Result<Option<f64>, FieldError> {
    if value.is_null() {
        return Ok(None);
    }
    let number = value.as_f64().filter(|number| number.abs() <= most);
    let detail = format!("must be a number from -{most} to {most}");
    number.map(Some).ok_or_else(|| FieldError::new(name, detail))
}

fn whole(
    name: &'static str,
    value: &Value,
    least: u32,
    most: u32,
    detail: &'static str,
) -> Result<Option<u32>, FieldError> {
    if value.is_null() {
        return Ok(None);
    }
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    let number = number.filter(|number| (least..=most).contains(number));
    number.map(Some).ok_or_else(|| FieldError::new(name, detail))
}

fn slug(text: &str) -> Result<String, &'static str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_slug = (1..=64).contains(&text.len()) && text.chars().all(fits);
    is_slug.then(|| text.to_owned()).ok_or("must be 1 to 64 letters, digits, - and _")
}

fn title(text: &str) -> Result<String, &'static str> {
    let mut faults = Vec::new();
    name_fault("name", text, &mut faults);
    let fits = faults.is_empty();
    fits.then(|| text.to_owned()).ok_or("must be one line of 1 to 100 characters")
}

fn text(text: &str) -> Result<String, &'static str> {
    let fits = (1..=MAX_TEXT_CHARS).contains(&text.chars().count())
        && !text.contains(|c: char| c.is_control());
    fits.then(|| text.to_owned()).ok_or("must be one line of 1 to 1000 characters, or null")
}

fn website(address: &str) -> Result<String, &'static str> {
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    if is_web { text(address) } else { Err("must begin with https:// or http://") }
}

fn kind(word: &str) -> Result<String, &'static str> {
    let known = KINDS.contains(&word);
    known.then(|| word.to_owned()).ok_or("must be one of: garage, underground, lot, street")
}

fn language(word: &str) -> Result<String, &'static str> {
    let fits = word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    fits.then(|| word.to_owned()).ok_or("must be two small letters, such as de")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_member_that_does_not_fit_is_named() {
        let wrong = json!({
            "slug": "a b", "name": "", "time_zone": "Berlin", "latitude": 91, "longitude": "x",
            "address": "", "website": "ftp://x", "kind": "ship", "language": "German",
            "max_height_cm": 99, "reserved_slots": -1, "colour": "red",
        });
        let wrong = wrong.as_object().unwrap();
        let faults = SiteRecord::default().patched(wrong).unwrap_err();
        let mut named: Vec<_> = faults.iter().map(|fault| fault.field.as_ref()).collect();
        named.sort_unstable();
        let mut expected: Vec<_> = wrong.keys().map(String::as_str).collect();
        expected.sort_unstable();
        assert_eq!(named, expected);
        let half = SiteRecord::default().patched(json!({"latitude": 1}).as_object().unwrap());
        assert_eq!(half.unwrap_err()[0].detail, "needs longitude beside it");
    }

    #[test]
    fn a_patch_changes_what_it_names_and_null_takes_out() {
        let patch =
            |record: &SiteRecord, patch: Value| record.patched(patch.as_object().unwrap()).unwrap();
        let record = patch(
            &SiteRecord::default(),
            json!({"slug": "north", "latitude": 48.1, "longitude": 11.5, "operator": "City"}),
        );
        let next = patch(&record, json!({"operator": null, "time_zone": "+05:30"}));
        assert_eq!((next.slug.as_str(), next.details.operator.as_deref()), ("north", None));
        assert_eq!(next.details.latitude, Some(48.1));
        assert_eq!(next.zone().to_fixed_offset().unwrap().seconds(), 19_800);
        let text = serde_json::to_string(&next).unwrap();
        assert_eq!(serde_json::from_str::<SiteRecord>(&text).unwrap(), next);
    }
}
