//! Reading TOML tables so that every fault is found, with its line and key.

use std::{cell::RefCell, collections::BTreeSet, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::ConfigFault;
use crate::limits::MAX_SETTING_CHARS;

/// The text, and the faults found so far.
pub(super) struct Source<'t> {
    text: &'t str,
    faults: RefCell<Vec<(usize, ConfigFault)>>,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, faults: RefCell::default() }
    }

    /// Adds a fault at a byte of the text.
    pub(super) fn fault_at(&self, at: usize, key: &str, detail: &str) {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let fault = ConfigFault { line, key: key.to_owned(), detail: detail.to_owned() };
        self.faults.borrow_mut().push((at, fault));
    }

    /// All faults, in the order of the text.
    pub(super) fn into_faults(self) -> Vec<ConfigFault> {
        let mut faults = self.faults.into_inner();
        faults.sort_by_key(|(at, _)| *at);
        faults.into_iter().map(|(_, fault)| fault).collect()
    }
}

/// One table of the text. [`finish`](Table::finish) makes a fault of each key that was not read.
pub(super) struct Table<'s, 't> {
    source: &'s Source<'t>,
    path: String,
    span: Range<usize>,
    members: &'s DeTable<'t>,
    taken: RefCell<BTreeSet<String>>,
}

impl<'s, 't> Table<'s, 't> {
    pub(super) fn root(source: &'s Source<'t>, members: &'s DeTable<'t>) -> Self {
        Self { source, path: String::new(), span: 0..0, members, taken: RefCell::default() }
    }

    fn inner(&self, name: &str, span: Range<usize>, members: &'s DeTable<'t>) -> Self {
        let id = members.get("id").and_then(|id| id.get_ref().as_str());
        let name = id.map_or_else(|| name.to_owned(), |id| format!("{name}.{id}"));
        let path = self.key(&name);
        Self { source: self.source, path, span, members, taken: RefCell::default() }
    }

    fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Whether the key is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Whether the key is there and holds a table.
    pub(super) fn is_table(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| value.get_ref().is_table())
    }

    /// The key belongs to somebody else.
    pub(super) fn skip(&self, name: &str) {
        self.taken.borrow_mut().insert(name.to_owned());
    }

    fn take(&self, name: &str) -> Option<&'s Spanned<DeValue<'t>>> {
        self.skip(name);
        self.members.get(name)
    }

    /// Adds a fault at the value of a key, or at the table if the key is absent.
    pub(super) fn fault(&self, name: &str, detail: &str) {
        let at = self.members.get(name).map_or(self.span.start, |value| value.span().start);
        self.source.fault_at(at, &self.key(name), detail);
    }

    /// Makes a fault of each key that was not read.
    pub(super) fn finish(&self) {
        for key in self.members.keys() {
            if !self.taken.borrow().contains(key.get_ref().as_ref()) {
                let name = self.key(key.get_ref());
                self.source.fault_at(key.span().start, &name, "is not a known key");
            }
        }
    }

    /// A text, read by `read`; a fault says what it must be.
    pub(super) fn parsed<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.take(name)?.get_ref();
        let text = match value.as_str() {
            Some(text) if text.chars().nth(MAX_SETTING_CHARS).is_none() => text,
            Some(_) => {
                self.fault(name, &format!("must have at most {MAX_SETTING_CHARS} characters"));
                return None;
            }
            None => {
                self.fault(name, "must be a text in quotes");
                return None;
            }
        };
        read(text).map_err(|detail| self.fault(name, &detail)).ok()
    }

    /// A text of one line, not empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.parsed(name, one_line)
    }

    /// A text that may be empty.
    pub(super) fn any_text(&self, name: &str) -> Option<String> {
        self.parsed(name, |text| Ok(text.to_owned()))
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &str) -> Option<String> {
        self.require(name);
        self.text(name)
    }

    /// Makes a fault of a key that is absent.
    pub(super) fn require(&self, name: &str) {
        if !self.has(name) {
            self.fault(name, "is missing");
        }
    }

    /// A text or an array of texts; absent is empty.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let Some(value) = self.take(name) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            self.fault(name, "must be an array of texts");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in list.iter() {
            let text = item.get_ref().as_str().map(one_line);
            let text = text.unwrap_or_else(|| Err("must be an array of texts".to_owned()));
            match text {
                Ok(text) => texts.push(text),
                Err(detail) => {
                    self.source.fault_at(item.span().start, &self.key(name), &detail);
                }
            }
        }
        texts
    }

    /// A boolean; absent is `false`.
    pub(super) fn switch(&self, name: &str) -> bool {
        let Some(value) = self.take(name) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.fault(name, "must be true or false");
            false
        })
    }

    /// A whole number of a range.
    pub(super) fn whole(&self, name: &str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let value = self.take(name)?.get_ref();
        let number = value.as_integer().and_then(|integer| {
            u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
        });
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            self.fault(name, &format!("must be a whole number from {least} to {most}"));
        }
        number
    }

    /// A number of a range.
    pub(super) fn number(&self, name: &str, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
        let value = self.take(name)?.get_ref();
        let number = decimal(value).filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            self.fault(name, &format!("must be a number from {least} to {most}"));
        }
        number
    }

    /// Exactly `N` numbers.
    pub(super) fn numbers<const N: usize>(&self, name: &str) -> Option<[f64; N]> {
        let value = self.take(name)?.get_ref();
        let numbers = fixed_numbers(value);
        if numbers.is_none() {
            self.fault(name, &format!("must be {N} numbers in brackets"));
        }
        numbers
    }

    /// An array of polygons, each an array of at least three points; absent is empty.
    pub(super) fn polygons(&self, name: &str) -> Vec<Vec<[f64; 2]>> {
        let Some(value) = self.take(name) else { return Vec::new() };
        let polygon = |value: &Spanned<DeValue<'_>>| {
            let points: Option<Vec<[f64; 2]>> = value
                .get_ref()
                .as_array()?
                .iter()
                .map(|point| fixed_numbers(point.get_ref()))
                .collect();
            points.filter(|points| points.len() >= 3)
        };
        let polygons = value.get_ref().as_array().and_then(|l| l.iter().map(polygon).collect());
        polygons.unwrap_or_else(|| {
            self.fault(name, "must be polygons of at least three points: [[[x, y], [x, y], …]]");
            Vec::new()
        })
    }

    /// A table.
    pub(super) fn table(&self, name: &str) -> Option<Self> {
        let value = self.take(name)?;
        let Some(members) = value.get_ref().as_table() else {
            self.fault(name, "must be a table");
            return None;
        };
        Some(self.inner(name, value.span(), members))
    }

    /// An array of tables; absent is empty.
    pub(super) fn tables(&self, name: &str) -> Vec<Self> {
        let Some(value) = self.take(name) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            self.fault(name, &format!("must be tables that begin with [[{name}]]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_table() {
                Some(members) => tables.push(self.inner(name, item.span(), members)),
                None => self.fault(name, &format!("must be tables that begin with [[{name}]]")),
            }
        }
        tables
    }

    /// The keys of a table whose keys are free.
    pub(super) fn names(&self) -> Vec<String> {
        self.members.keys().map(|key| key.get_ref().to_string()).collect()
    }
}

/// A number in decimal notation.
fn decimal(value: &DeValue<'_>) -> Option<f64> {
    let text = match value {
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
        DeValue::Float(float) => float.as_str(),
        _ => return None,
    };
    text.replace('_', "").parse().ok().filter(|number: &f64| number.is_finite())
}

/// Exactly `N` numbers.
fn fixed_numbers<const N: usize>(value: &DeValue<'_>) -> Option<[f64; N]> {
    let numbers: Option<Vec<f64>> =
        value.as_array()?.iter().map(|number| decimal(number.get_ref())).collect();
    numbers?.try_into().ok()
}

fn one_line(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(char::is_control) {
        Err("must be a text of one line, not empty".to_owned())
    } else {
        Ok(text.to_owned())
    }
}
