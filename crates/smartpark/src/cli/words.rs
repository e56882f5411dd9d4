//! The words of the model as arguments of a command: the help names each, and clap refuses others.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::{Direction, Role, UnknownWord, VehicleType};

/// A vehicle type.
pub(super) fn vehicle_type() -> impl TypedValueParser<Value = VehicleType> {
    word(VehicleType::ALL.map(|kind| PossibleValue::new(kind.as_str())))
}

/// A direction.
pub(super) fn direction() -> impl TypedValueParser<Value = Direction> {
    word([Direction::Entry, Direction::Exit].map(|way| PossibleValue::new(way.as_str())))
}

/// A role of a key.
pub(super) fn role() -> impl TypedValueParser<Value = Role> {
    word(Role::ALL.map(|role| PossibleValue::new(role.as_str())))
}

fn word<T, const N: usize>(words: [PossibleValue; N]) -> impl TypedValueParser<Value = T>
where
    T: std::str::FromStr<Err = UnknownWord> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>())
}
