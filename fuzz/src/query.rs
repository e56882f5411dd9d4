//! The parameters in a query read by another way.

use smartpark::{Cursor, Timestamp};

use crate::{instant, is_name};

/// The parameters of a query: known ones, and the names of others.
#[derive(Debug, Default)]
pub struct Query {
    known: Vec<(&'static str, Option<String>)>,
    /// As they are, undone where they can be.
    pub unknown: Vec<String>,
    /// Names of known parameters that do not fit.
    pub bad: Vec<&'static str>,
}

impl Query {
    /// Reads a query with the parameters `known`.
    pub fn read(text: &str, known: &[&'static str]) -> Self {
        let mut query = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = undone(name).unwrap_or_else(|| name.to_owned());
            // Some libraries send a number by this name, to get past a cache.
            if name == "_" {
                continue;
            }
            match known.iter().find(|known| **known == name) {
                None => query.unknown.push(name),
                Some(name) if query.has(name) => query.bad.push(name),
                Some(name) => query.known.push((name, undone(value))),
            }
        }
        let undoable = query.known.iter().filter(|(_, value)| value.is_none());
        query.bad.extend(undoable.map(|(name, _)| *name));
        query
    }

    /// Whether a parameter is there, fitting or not.
    pub fn has(&self, name: &str) -> bool {
        self.known.iter().any(|(known, _)| *known == name)
    }

    /// Whether a parameter has no fault and is one of these words.
    pub fn is(&self, name: &str, words: &[&str]) -> bool {
        let has_fault = self.bad.iter().any(|bad| *bad == name);
        let found = self.known.iter().find(|(known, _)| *known == name);
        let value = found.and_then(|(_, value)| value.as_deref());
        !has_fault && value.is_some_and(|value| words.contains(&value))
    }

    /// Whether there is nothing in it that does not fit.
    pub fn fits(&self) -> bool {
        self.bad.is_empty() && self.unknown.is_empty()
    }

    /// What `read` makes of a parameter; that it makes nothing of it is noted.
    pub fn value<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let known = self.known.iter().find(|(known, _)| *known == name)?;
        // Given twice, or not to be undone: it has no value, and its fault already.
        let text = known.1.as_deref().filter(|_| !self.bad.contains(&name))?;
        let value = read(text);
        if value.is_none() {
            self.bad.push(name);
        }
        value
    }

    /// A whole number from `least` to `most`.
    pub fn number(&mut self, name: &'static str, least: i64, most: i64) -> Option<i64> {
        self.value(name, |text| {
            let is_plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
            let digits = text.trim_start_matches('0');
            let number = if digits.is_empty() { Some(0) } else { digits.parse().ok() };
            number.filter(|number| is_plain && (least..=most).contains(number))
        })
    }

    /// A name of a camera or a track.
    pub fn name(&mut self, name: &'static str) -> Option<String> {
        self.value(name, |text| is_name(text).then(|| text.to_owned()))
    }

    /// One of these words.
    pub fn word(&mut self, name: &'static str, words: &[&'static str]) -> Option<&'static str> {
        self.value(name, |text| words.iter().find(|word| **word == text).copied())
    }

    /// The bound of a window of a request at `now`: an instant, in which a `+` may stand for
    /// itself, or the beginning of a day or month of UTC.
    pub fn bound(&mut self, name: &'static str, now: i64) -> Option<Timestamp> {
        let read = |text: &str| instant::window_bound(&text.replace(' ', "+"), now);
        self.value(name, read).map(timestamp)
    }

    /// The first instant of a day or month of UTC and the first after it, for a request at `now`.
    pub fn period(&mut self, now: i64) -> Option<(Timestamp, Timestamp)> {
        let (first, end) = self.value("period", |text| instant::period(text, now))?;
        Some((timestamp(first), timestamp(end)))
    }

    /// A place in a listing, exactly as it is written.
    pub fn cursor(&mut self, name: &'static str) -> Option<Cursor> {
        self.value(name, |text| {
            let (timestamp, id) = text.split_once('_')?;
            let cursor = Cursor { timestamp: timestamp.parse().ok()?, id: id.parse().ok()? };
            (format!("{}_{}", cursor.timestamp, cursor.id) == text).then_some(cursor)
        })
    }
}

fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).expect("it is in range")
}

/// Undoes the encoding of a form; `None` for what is none.
fn undone(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let spaced = |part: &str| part.replace('+', " ").into_bytes();
    let mut bytes = spaced(parts.next()?);
    for part in parts {
        let digits = part.get(..2).filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(spaced(&part[2..]));
    }
    String::from_utf8(bytes).ok()
}
