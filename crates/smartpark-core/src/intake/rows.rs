//! A JSON text as a whole: one event or an array of them, read and judged in one pass.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor, value};
use serde_json::error::Category;

use super::{
    FloorLookup, MEMBERS, Misfit, NOT_AN_OBJECT, RawEvent, Unreadable,
    members::{Members, Named, Skip, visit_scalars},
};
use crate::{NewEvent, error::FieldError, limits::MAX_BATCH_ROWS};

/// What a JSON text holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// One event, or why it is none.
    One(Result<NewEvent, Misfit>),
    /// An array of at most [`MAX_BATCH_ROWS`] events, or why they are none.
    Many(Vec<Result<NewEvent, Misfit>>),
    /// An array of more than that.
    TooMany,
}

/// Reads one event, or an array of events.
///
/// # Errors
/// [`Unreadable::NotJson`] where any of the text is no JSON, whatever stands before it.
pub fn read_events(json: &[u8]) -> Result<Input, Unreadable> {
    read_events_with(json, &|_| None)
}

/// The same; `floors` knows the id of the floor with a name.
///
/// # Errors
/// As [`read_events`].
pub fn read_events_with(json: &[u8], floors: FloorLookup<'_>) -> Result<Input, Unreadable> {
    read(json, Events(floors))
}

/// Reads all of a JSON text with `seed`, which must accept every value.
pub(super) fn read<'a, S: DeserializeSeed<'a>>(
    json: &'a [u8],
    seed: S,
) -> Result<S::Value, Unreadable> {
    // The parser itself would let bad UTF-8 pass in the strings that nobody asks for.
    let text = std::str::from_utf8(json).map_err(|error| {
        let at = error.valid_up_to() + 1;
        Unreadable::NotJson(format!("not UTF-8 at byte {at}"))
    })?;
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut parser);
    let value = value.and_then(|value| parser.end().map(|()| value));
    value.map_err(|error| Unreadable::NotJson(describe(&error)))
}

/// What the parser says. Only its words on syntax are fixed phrases; the seeds here accept every
/// value, so there are no others, and if there were they might repeat the input.
fn describe(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Syntax | Category::Eof => error.to_string(),
        Category::Data | Category::Io => {
            format!("not readable at line {} column {}", error.line(), error.column())
        }
    }
}

fn judge(members: Option<Members<'_, 8>>, floors: FloorLookup<'_>) -> Result<NewEvent, Misfit> {
    match members {
        Some(members) => RawEvent::from(members).judge_with(floors),
        None => {
            let faults = vec![FieldError::new("", NOT_AN_OBJECT)];
            Err(Misfit { camera_id: None, faults })
        }
    }
}

/// Reads one event or many.
struct Events<'l>(FloorLookup<'l>);

impl<'de> DeserializeSeed<'de> for Events<'_> {
    type Value = Input;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Input, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Events<'_> {
    type Value = Input;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    visit_scalars!(Input::One(judge(None, &|_| None)));

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Input, A::Error> {
        let members = Named(&MEMBERS).deserialize(value::MapAccessDeserializer::new(map))?;
        Ok(Input::One(judge(members, self.0)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Input, A::Error> {
        let mut rows = Vec::new();
        while let Some(members) = items.next_element_seed(Named(&MEMBERS))? {
            if rows.len() == MAX_BATCH_ROWS {
                while items.next_element_seed(Skip)?.is_some() {}
                return Ok(Input::TooMany);
            }
            rows.push(judge(members, self.0));
        }
        Ok(Input::Many(rows))
    }
}
