//! Places in the order in which events were committed, which is not that of their timestamps.

use std::{fmt, str::FromStr};

use super::UnknownWord;

/// A place in the order of commits: all facts up to here have been told. Its text is
/// `{change}.{offset}`, for example `1001.0`; in a copy of a site `{change}.{offset}.{lineage}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// On SQLite the id of the last event that was recorded up to here, on PostgreSQL the
    /// transaction that recorded the fact.
    pub change: i64,
    /// On SQLite the id of the change that was recorded after that event, 0 for the event itself.
    /// On PostgreSQL the id of the event or change; a transaction records only one of both kinds.
    pub offset: i64,
    /// Which copy of the site the place is in: 0 where the site began in this database, else a
    /// number that no other copy has. A place in one means nothing in another.
    pub lineage: i64,
}

impl Position {
    /// Before all events, where the site began in this database.
    pub const START: Self = Self { change: 0, offset: 0, lineage: 0 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.change, self.offset)?;
        if self.lineage == 0 { Ok(()) } else { write!(f, ".{}", self.lineage) }
    }
}

impl FromStr for Position {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| plain)
        };
        let parts: Vec<&str> = text.split('.').collect();
        let position = match parts.as_slice() {
            [change, offset] => number(change).zip(number(offset)).zip(Some(0)),
            [change, offset, lineage] => {
                let lineage = number(lineage).filter(|lineage: &i64| *lineage != 0);
                number(change).zip(number(offset)).zip(lineage)
            }
            _ => None,
        };
        position
            .map(|((change, offset), lineage)| Self { change, offset, lineage })
            .ok_or(UnknownWord { expected: "the id of an earlier message" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_are_written() {
        for (change, offset, lineage) in
            [(0, 0, 0), (1001, 0, 0), (7, 9, 1), (i64::MAX, i64::MAX, 5)]
        {
            let position = Position { change, offset, lineage };
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        assert_eq!("1001.0".parse(), Ok(Position { change: 1001, offset: 0, lineage: 0 }));
        for text in [
            "",
            ".",
            "1",
            "1.",
            ".1",
            "-1.0",
            "+1.0",
            "1.0.0",
            "1.0.1.1",
            "1.0.",
            "9223372036854775808.0",
        ] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
