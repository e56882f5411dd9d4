//! JSON that keeps every number as the decimal text that was sent.
//!
//! A [`Json`] is the text of one value. It is split into members only where a translator looks,
//! so a plate beside the wanted member is never copied.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::refusal::{NotCounted, Reason};
use crate::limits::MAX_DEPTH;

/// The text of one well-formed JSON value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// Reads a body that holds exactly one value.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, NotCounted> {
        let text = std::str::from_utf8(body).map_err(|_| not_json())?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        check_depth(text)?;
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| not_json())?;
        Ok(Self(raw.get()))
    }

    /// Reads the value at the start of `text`, whatever follows it. `None` says that the text
    /// ends inside the value or holds none.
    pub(crate) fn first_in(text: &'a str) -> Result<Option<Self>, NotCounted> {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        match values.next() {
            Some(Ok(raw)) => {
                check_depth(raw.get())?;
                Ok(Some(Self(raw.get())))
            }
            Some(Err(fault)) if fault.is_eof() => Ok(None),
            Some(Err(_)) => Err(not_json()),
            None => Ok(None),
        }
    }

    /// The members of an object, `None` for any other value.
    pub(crate) fn object(self) -> Option<Object<'a>> {
        self.0.starts_with('{').then(|| serde_json::from_str(self.0).ok()).flatten()
    }

    /// The items of an array, `None` for any other value.
    pub(crate) fn list(self) -> Option<Vec<Self>> {
        if !self.0.starts_with('[') {
            return None;
        }
        serde_json::from_str::<List<'a>>(self.0).ok().map(|list| list.0)
    }

    /// A string.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        if !self.0.starts_with('"') {
            return None;
        }
        serde_json::from_str::<Text<'a>>(self.0).ok().map(|text| text.0)
    }

    /// A string, or a number or boolean as it was written.
    pub(crate) fn scalar(self) -> Option<Cow<'a, str>> {
        match self.0.as_bytes().first()? {
            b'"' => self.text(),
            b'{' | b'[' | b'n' => None,
            _ => Some(Cow::Borrowed(self.0)),
        }
    }

    /// `true` for the value `true` only.
    pub(crate) fn is_true(self) -> bool {
        self.0 == "true"
    }

    /// Whether the value is `null`.
    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// The value that a JSON Pointer (RFC 6901) names.
    pub(crate) fn pointer(self, pointer: &str) -> Option<Self> {
        let Some(path) = pointer.strip_prefix('/') else {
            return pointer.is_empty().then_some(self);
        };
        path.split('/').try_fold(self, |value, part| {
            if value.0.starts_with('[') {
                let at: usize = part.parse().ok()?;
                return value.list()?.get(at).copied();
            }
            let name = part.replace("~1", "/").replace("~0", "~");
            value.object()?.get(&name)
        })
    }

    /// The member of an object.
    pub(crate) fn get(self, name: &str) -> Option<Self> {
        self.object()?.get(name)
    }
}

/// The members of an object, in the order in which they were sent.
#[derive(Debug)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// The member of this name; of repeated ones the last, as most readers of JSON do.
    pub(crate) fn get(&self, name: &str) -> Option<Json<'a>> {
        let found = self.0.iter().rev().find(|(member, _)| member == name);
        found.map(|(_, raw)| Json(raw.get()))
    }

    /// The member of this name, unless it is `null`.
    pub(crate) fn set(&self, name: &str) -> Option<Json<'a>> {
        self.get(name).filter(|value| !value.is_null())
    }

    /// A member that is a string, number or boolean, as text.
    pub(crate) fn scalar(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name)?.scalar()
    }

    /// All members.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, Json<'a>)> {
        self.0.iter().map(|(name, raw)| (name.as_ref(), Json(raw.get())))
    }
}

fn not_json() -> NotCounted {
    NotCounted::new(Reason::Unreadable, "not JSON")
}

/// Refuses what is nested deeper than [`MAX_DEPTH`]. Brackets inside strings do not count.
fn check_depth(text: &str) -> Result<(), NotCounted> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            let detail = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(NotCounted::new(Reason::TooLarge, detail));
        }
    }
    Ok(())
}

struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Reader)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, raw)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    members.push((name.0, raw));
                }
                Ok(Object(members))
            }
        }
        from.deserialize_map(Reader)
    }
}

struct List<'a>(Vec<Json<'a>>);

impl<'de> Deserialize<'de> for List<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = List<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(raw) = items.next_element::<&'de RawValue>()? {
                    list.push(Json(raw.get()));
                }
                Ok(List(list))
            }
        }
        from.deserialize_seq(Reader)
    }
}
