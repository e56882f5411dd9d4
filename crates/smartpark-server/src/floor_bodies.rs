//! The bodies that manage floors or begin a session, judged as strictly as events: every field that
//! does not fit is named at once.

use jiff::Timestamp;

use super::{
    problem::{Place, Problem},
    rows::not_json,
};
use smartpark_ledger::{
    FloorChange, NewFloor,
    error::FieldError,
    intake::{Members, Named, Scalar, name, parse_bound, read_members, refuse},
    limits::MAX_TOTAL_SLOTS,
    model::text_fault,
};

const NOT_SLOTS: &str = "must be a whole number from 0 to 1000000";
const NOT_A_COUNT: &str = "must be a whole number, 0 or more";
const NOT_A_FLAG: &str = "must be true or false";
const NOT_A_TEXT: &str = "must be a string of at most 1000 characters, or null";
const NOT_A_KEY: &str = "must be a string";
const NOT_AN_INSTANT: &str = "must be an instant with its offset, as 2026-02-12T10:30:45Z";
const NOT_A_REASON: &str = "must be a string of 1 to 1000 characters";

type Value<'a> = Option<Scalar<'a>>;
type Faults = Vec<FieldError>;

/// A floor to be made.
pub(super) fn new_floor(json: &[u8]) -> Result<NewFloor, Problem> {
    const MEMBERS: [&str; 4] = ["name", "total_slots", "description", "is_active"];
    let members = object(json, Named(&MEMBERS))?;
    let [title, slots, description, is_active] = members.values;
    let mut faults = Vec::new();
    let title = name("name", title, &mut faults);
    let slots = whole("total_slots", slots, MAX_TOTAL_SLOTS, NOT_SLOTS, &mut faults);
    let description = text(description, &mut faults);
    let is_active = flag("is_active", is_active, &mut faults);
    let floor = title.zip(slots).map(|(name, total_slots)| NewFloor {
        name,
        total_slots,
        description: description.flatten(),
        is_active: is_active.unwrap_or(true),
        author: None,
    });
    fitting(floor, faults, members.faults)
}

/// What is to change about a floor.
pub(super) fn floor_change(json: &[u8]) -> Result<FloorChange, Problem> {
    const MEMBERS: [&str; 5] = ["name", "total_slots", "description", "is_active", "force"];
    let members = object(json, Named(&MEMBERS))?;
    let [title, slots, description, is_active, force] = members.values;
    let mut faults = Vec::new();
    let change = FloorChange {
        name: title.and_then(|title| name("name", Some(title), &mut faults)),
        total_slots: slots.and_then(|slots| {
            let slots = Some(slots);
            whole("total_slots", slots, MAX_TOTAL_SLOTS, NOT_SLOTS, &mut faults)
        }),
        description: text(description, &mut faults),
        is_active: flag("is_active", is_active, &mut faults),
        force: flag("force", force, &mut faults).unwrap_or(false),
        author: None,
    };
    fitting(Some(change), faults, members.faults)
}

/// What somebody counted, why it was counted, and when, if that was earlier.
pub(super) fn recount(json: &[u8]) -> Result<(i64, String, Option<Timestamp>), Problem> {
    const MEMBERS: [&str; 3] = ["current_vehicles", "reason", "counted_at"];
    let members = object(json, Named(&MEMBERS))?;
    let [count, reason, counted_at] = members.values;
    let mut faults = Vec::new();
    let count = whole("current_vehicles", count, i64::MAX, NOT_A_COUNT, &mut faults);
    let reason = match reason {
        Some(Scalar::Text(reason)) if !reason.is_empty() => {
            text_fault("reason", Some(&reason), &mut faults);
            Some(reason.into_owned())
        }
        other => refuse("reason", other.as_ref(), NOT_A_REASON, &mut faults),
    };
    let counted_at = match counted_at {
        None | Some(Scalar::Null) => None,
        Some(Scalar::Text(text)) => parse_bound(&text)
            .map_err(|detail| faults.push(FieldError::new("counted_at", detail)))
            .ok(),
        other => refuse("counted_at", other.as_ref(), NOT_AN_INSTANT, &mut faults),
    };
    let recount = count.zip(reason).map(|(count, reason)| (count, reason, counted_at));
    fitting(recount, faults, members.faults)
}

/// The key that a session is begun with.
pub(super) fn new_session(json: &[u8]) -> Result<String, Problem> {
    let members = object(json, Named(&["key"]))?;
    let [key] = members.values;
    let mut faults = Vec::new();
    let key = match key {
        Some(Scalar::Text(key)) => Some(key.into_owned()),
        other => refuse("key", other.as_ref(), NOT_A_KEY, &mut faults),
    };
    fitting(key, faults, members.faults)
}

fn object<const N: usize>(json: &[u8], named: Named<N>) -> Result<Members<'_, N>, Problem> {
    let members = read_members(json, named).map_err(|error| not_json(&error.to_string()))?;
    members.ok_or_else(|| {
        let fault = FieldError::new("", "must be a JSON object");
        Problem::invalid(vec![fault], Place::Body)
    })
}

fn fitting<T>(value: Option<T>, mut faults: Faults, more: Faults) -> Result<T, Problem> {
    faults.extend(more);
    let value = value.filter(|_| faults.is_empty());
    value.ok_or_else(|| Problem::invalid(faults, Place::Body))
}

fn whole(
    field: &'static str,
    value: Value<'_>,
    most: i64,
    detail: &'static str,
    faults: &mut Faults,
) -> Option<i64> {
    match value {
        Some(Scalar::Int(number)) if (0..=most).contains(&number) => Some(number),
        other => refuse(field, other.as_ref(), detail, faults),
    }
}

/// A description: absent, null, or a text.
fn text(value: Value<'_>, faults: &mut Faults) -> Option<Option<String>> {
    match value? {
        Scalar::Null => Some(None),
        Scalar::Text(text) => {
            text_fault("description", Some(&text), faults);
            Some(Some(text.into_owned()))
        }
        other => refuse("description", Some(&other), NOT_A_TEXT, faults),
    }
}

fn flag(field: &'static str, value: Value<'_>, faults: &mut Faults) -> Option<bool> {
    match value? {
        Scalar::Bool(flag) => Some(flag),
        other => refuse(field, Some(&other), NOT_A_FLAG, faults),
    }
}
