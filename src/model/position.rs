//! Places in the order in which events were committed, which is not that of their timestamps.

use std::{fmt, str::FromStr};

use super::UnknownWord;

/// A place in the order of commits: all events up to here have been told. Its text is
/// `{change}.{offset}`, for example `1001.0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The change that recorded the event: on SQLite the event's id, on PostgreSQL its
    /// transaction.
    pub change: i64,
    /// The event's place in the change: 0 on SQLite, the event's id on PostgreSQL.
    pub offset: i64,
}

impl Position {
    /// Before all events.
    pub const START: Self = Self { change: 0, offset: 0 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.change, self.offset)
    }
}

impl FromStr for Position {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| plain)
        };
        let parts = text.split_once('.');
        parts
            .and_then(|(change, offset)| {
                Some(Self { change: number(change)?, offset: number(offset)? })
            })
            .ok_or(UnknownWord { expected: "the id of an earlier message" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_are_written() {
        for (change, offset) in [(0, 0), (1001, 0), (i64::MAX, i64::MAX)] {
            let position = Position { change, offset };
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        for text in ["", ".", "1", "1.", ".1", "-1.0", "+1.0", "1.0.0", "9223372036854775808.0"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
