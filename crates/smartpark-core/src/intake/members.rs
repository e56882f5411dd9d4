//! One pass over a JSON object whose members have known names: what is there, and every member
//! that should not be. Only an object will do (serde's own structs also accept arrays).

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Scalar;
use crate::{error::FieldError, limits::MAX_NAME_CHARS};

/// How many unknown members are named; of more it is only said how many they are, so that the
/// answer stays small however many were sent.
const MAX_NAMED_UNKNOWN: usize = 20;

/// The members of an object.
#[derive(Debug)]
pub struct Members<'a, const N: usize> {
    /// The values, in the order of the names; `None` where a member is absent.
    pub values: [Option<Scalar<'a>>; N],
    /// The members that are unknown or repeated.
    pub faults: Vec<FieldError>,
}

/// Reads a value into the members with these names, or `None` where it is no object.
#[derive(Clone, Copy)]
pub struct Named<const N: usize>(pub &'static [&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Named<N> {
    type Value = Option<Members<'de, N>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Accepts every scalar with the given result, for visitors that look for something else.
macro_rules! visit_scalars {
    ($result:expr) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($result)
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($result)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($result)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($result)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($result)
        }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($result)
        }
    };
}
pub(crate) use visit_scalars;

impl<'de, const N: usize> Visitor<'de> for Named<N> {
    type Value = Option<Members<'de, N>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    visit_scalars!(None);

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element_seed(Skip)?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = [const { None }; N];
        let mut faults = Faults::default();
        while let Some(name) = map.next_key_seed(Text)? {
            let value = map.next_value_seed(AnyScalar)?;
            match self.0.iter().position(|known| *known == name) {
                None => faults.unknown(&name),
                Some(at) if values[at].is_some() => faults.repeated(self.0[at]),
                Some(at) => values[at] = Some(value),
            }
        }
        let faults = faults.finish();
        Ok(Some(Members { values, faults }))
    }
}

/// The members that should not be there.
#[derive(Default)]
struct Faults {
    repeated: Vec<FieldError>,
    unknown: Vec<FieldError>,
    unnamed: usize,
}

impl Faults {
    fn repeated(&mut self, name: &'static str) {
        if !self.repeated.iter().any(|fault| fault.field == name) {
            let fault = FieldError::new(name, "must be given only once");
            self.repeated.push(fault);
        }
    }

    fn unknown(&mut self, name: &str) {
        let name = displayable(name);
        if self.unknown.iter().any(|fault| fault.field == name) {
            return;
        }
        if self.unknown.len() < MAX_NAMED_UNKNOWN {
            let fault = FieldError::new(name, "is not a known field");
            self.unknown.push(fault);
        } else {
            self.unnamed += 1;
        }
    }

    fn finish(self) -> Vec<FieldError> {
        let mut faults = self.repeated;
        faults.extend(self.unknown);
        if self.unnamed > 0 {
            let detail = format!("has {} more members that are not known", self.unnamed);
            faults.push(FieldError::new("", detail));
        }
        faults
    }
}

/// A name that a client made up, fit to be shown: short, and without control characters.
pub fn displayable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect()
}

/// Reads the name of a member.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Reads the value of a member.
struct AnyScalar;

impl<'de> DeserializeSeed<'de> for AnyScalar {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Int(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "it is above every whole number we accept")]
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        let small = i64::try_from(value);
        Ok(small.map_or(Scalar::Float(value as f64), Scalar::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Float(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element_seed(Skip)?.is_some() {}
        Ok(Scalar::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_key_seed(Skip)?.is_some() {
            map.next_value_seed(Skip)?;
        }
        Ok(Scalar::Nested)
    }
}

/// Reads a value and forgets it. Unlike [`serde::de::IgnoredAny`] it has the parser check all of
/// it: escapes, the range of numbers, the depth.
#[derive(Clone, Copy)]
pub(super) struct Skip;

impl<'de> DeserializeSeed<'de> for Skip {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skip {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    visit_scalars!(());

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(Self)?.is_some() {
            map.next_value_seed(Self)?;
        }
        Ok(())
    }
}
