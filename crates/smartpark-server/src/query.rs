//! The parameters in a query: known, given once, and each of its kind. All that do not fit are
//! named at once.

use std::{borrow::Cow, ops::RangeInclusive, str::FromStr};

use axum::http::Uri;
use jiff::Timestamp;

use super::{
    problem::{Place, Problem},
    window::Local,
};
use smartpark_ledger::{UnknownWord, error::FieldError, intake, model::name_fault, zone};

/// How many faults are named before unknown parameters are no longer: keeps the answer small.
const MAX_NAMED: usize = 20;

/// The parameters of one request.
#[derive(Debug)]
pub(super) struct Query {
    given: Vec<(&'static str, String)>,
    /// Of known parameters.
    faults: Vec<FieldError>,
    /// Of others. Apart, as they may be shown under the name of a known one.
    unknown: Vec<FieldError>,
}

impl Query {
    /// Reads the query of `uri`, which may have the parameters `known`.
    pub(super) fn read(uri: &Uri, known: &[&'static str]) -> Self {
        let mut query = Self { given: Vec::new(), faults: Vec::new(), unknown: Vec::new() };
        let pairs = uri.query().unwrap_or("").split('&');
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.take(known, name, value);
        }
        query
    }

    /// Refuses every parameter, for operations that have none.
    pub(super) fn none(uri: &Uri) -> Result<(), Problem> {
        Self::read(uri, &[]).finish()
    }

    fn take(&mut self, known: &[&'static str], name: &str, value: &str) {
        let decoded = decode(name).unwrap_or(Cow::Borrowed(name));
        // By this name libraries send a number that keeps caches from answering.
        if decoded == "_" {
            return;
        }
        let Some(name) = known.iter().find(|known| **known == decoded) else {
            return self.refuse(intake::displayable(&decoded));
        };
        if self.has(name) {
            if !self.is_faulty(name) {
                self.fault(name, "must be given only once");
            }
            return;
        }
        // An empty text in its place, so that a repetition is still seen.
        let value = decode(value).map(Cow::into_owned).unwrap_or_else(|| {
            self.fault(name, "must be percent-encoded UTF-8");
            String::new()
        });
        self.given.push((name, value));
    }

    /// A parameter's value, unless something is wrong with it already.
    fn value(&self, name: &str) -> Option<String> {
        let found = self.given.iter().find(|(given, _)| *given == name);
        found.filter(|_| !self.is_faulty(name)).map(|(_, value)| value.clone())
    }

    fn is_faulty(&self, name: &str) -> bool {
        self.faults.iter().any(|fault| fault.field == name)
    }

    /// Whether a parameter is given, fitting or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == name)
    }

    /// Notes a fault.
    pub(super) fn fault(&mut self, name: &'static str, detail: &'static str) {
        self.faults.push(FieldError::new(name, detail));
    }

    /// Notes an unknown parameter, once.
    fn refuse(&mut self, name: String) {
        let is_new = !self.unknown.iter().any(|fault| fault.field == name);
        if is_new && self.unknown.len() < MAX_NAMED {
            self.unknown.push(FieldError::new(name, "is not a known parameter"));
        }
    }

    /// A whole number.
    pub(super) fn integer(
        &mut self,
        name: &'static str,
        range: RangeInclusive<i64>,
        detail: &'static str,
    ) -> Option<i64> {
        let text = self.value(name)?;
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| range.contains(number));
        let number = number.filter(|_| is_plain);
        if number.is_none() {
            self.fault(name, detail);
        }
        number
    }

    /// The same, within 32 bits.
    pub(super) fn small_integer(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u32>,
        detail: &'static str,
    ) -> Option<u32> {
        let range = i64::from(*range.start())..=i64::from(*range.end());
        let number = self.integer(name, range, detail)?;
        u32::try_from(number).ok()
    }

    /// `true` or `false`; `false` where it is not given.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        match self.value(name).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.fault(name, "must be true or false");
                false
            }
        }
    }

    /// A text, whatever it is.
    pub(super) fn any(&self, name: &'static str) -> Option<String> {
        self.value(name)
    }

    /// The name of a camera or a track.
    pub(super) fn name(&mut self, name: &'static str) -> Option<String> {
        let text = self.value(name)?;
        name_fault(name, &text, &mut self.faults);
        Some(text)
    }

    /// One of several words.
    pub(super) fn word<T: FromStr<Err = UnknownWord>>(&mut self, name: &'static str) -> Option<T> {
        let parsed = self.value(name)?.parse::<T>();
        parsed
            .map_err(|unknown| {
                let detail = unknown.to_string();
                self.faults.push(FieldError::new(name, detail));
            })
            .ok()
    }

    /// The bound of a window: an instant, or the beginning of a day or month of the site. A `+`
    /// before the offset may stand as it is: it means a space in a query, and no instant has a
    /// space.
    pub(super) fn bound(&mut self, name: &'static str, local: &Local) -> Option<Timestamp> {
        let text = self.value(name)?.replace(' ', "+");
        let bound = zone::bound(&text, &local.zone, local.now);
        bound.map_err(|detail| self.fault(name, detail)).ok()
    }

    /// An instant that no clock and no zone decides. A `+` before the offset may stand as it is.
    pub(super) fn instant(&mut self, name: &'static str) -> Option<Timestamp> {
        let text = self.value(name)?.replace(' ', "+");
        intake::parse_bound(&text).map_err(|detail| self.fault(name, detail)).ok()
    }

    /// A day or month of the site.
    pub(super) fn period(
        &mut self,
        name: &'static str,
        local: &Local,
    ) -> Option<(Timestamp, Timestamp)> {
        let period = zone::period(&self.value(name)?, &local.zone, local.now);
        if period.is_none() {
            self.fault(name, "must be today, yesterday, a day or a month such as 2026-11");
        }
        period
    }

    /// A parameter that is one of these words, if it is one.
    pub(super) fn word_of<T: FromStr>(&self, name: &str) -> Option<T> {
        self.value(name)?.parse().ok()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Every parameter that does not fit.
    pub(super) fn finish(self) -> Result<(), Problem> {
        let faults = [self.unknown, self.faults].concat();
        if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults, Place::Query)) }
    }
}

/// Undoes the encoding of a form; `None` for what is none.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded_strictly() {
        let table = [
            ("abc", Some("abc")),
            ("a+b%20c", Some("a b c")),
            ("%2B%c3%A9", Some("+é")),
            ("%", None),
            ("%2", None),
            ("%zz", None),
            ("%ff", None),
        ];
        for (text, expected) in table {
            assert_eq!(decode(text).as_deref(), expected, "{text}");
        }
    }
}
