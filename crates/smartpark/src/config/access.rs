//! How the settings about who gets in are written.

use std::{num::NonZeroU32, str::FromStr};

use serde::Deserialize;

use super::Written;

/// Yes or no, in a variable.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "must be true or false".to_owned())
}

/// Several of a kind: an array in the file, between commas elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: FromStr<Err = String>> FromStr for List<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(|item| item.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl<'de, T: FromStr<Err = String>> Deserialize<'de> for List<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let items = Vec::<String>::deserialize(from)?;
        let items = items.iter().map(|item| item.parse()).collect::<Result<_, _>>();
        items.map(Self).map_err(serde::de::Error::custom)
    }
}

/// A number of requests a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) NonZeroU32);

const NOT_A_RATE: &str = "must be a whole number of requests a second, from 1 to 1000000";

impl Rate {
    fn new(per_second: Option<u32>) -> Result<Self, String> {
        let rate = per_second.filter(|rate| *rate <= 1_000_000).and_then(NonZeroU32::new);
        rate.map(Self).ok_or_else(|| NOT_A_RATE.to_owned())
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(text.parse().ok())
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let rate = match Written::deserialize(from)? {
            Written::Number(rate) => u32::try_from(rate).ok(),
            Written::Text(_) | Written::Other(_) => None,
        };
        Self::new(rate).map_err(serde::de::Error::custom)
    }
}
