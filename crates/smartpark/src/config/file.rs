//! The configuration file: flat keys that set the program, and tables that connect it with other
//! systems.

use std::{
    io::ErrorKind,
    ops::Range,
    path::{Path, PathBuf},
};

use serde::Deserialize as _;
use serde_json::{Map, Value};
use smartpark_formats::config::{ConfigFault, Connections, TABLES};
use toml::{
    Spanned,
    de::{DeTable, Deserializer, Error},
};

use super::{ConfigError, DEFAULT_FILE, Layer};

/// The flat keys: the fields of [`Layer`].
const FLAT_KEYS: [&str; 19] = [
    "database",
    "replica",
    "listen",
    "seed",
    "site_name",
    "on_limit",
    "max_clock_skew",
    "dedup_window",
    "retention_days",
    "log_level",
    "log_format",
    "no_auth",
    "tls_cert",
    "tls_key",
    "behind_proxy",
    "cors_origin",
    "base_path",
    "rate_limit",
    "address_rate_limit",
];

/// A configuration file as it was read.
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    text: String,
}

impl ConfigFile {
    /// Reads the file. Without a name [`DEFAULT_FILE`]; `None` if that does not exist.
    ///
    /// # Errors
    /// Names the file that cannot be read.
    pub(crate) fn read(named: Option<&Path>) -> Result<Option<Self>, ConfigError> {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE)).to_owned();
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Self { path, text })),
            Err(fault) if named.is_none() && fault.kind() == ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(ConfigError::new(
                path.display(),
                format!("the configuration cannot be read: {fault}"),
            )),
        }
    }

    /// The flat keys. The tables are passed over.
    fn layer(&self) -> Result<Layer, ConfigError> {
        let flat = DeTable::parse(&self.text).and_then(|mut table| {
            for name in TABLES {
                table.get_mut().remove(name);
            }
            Layer::deserialize(Deserializer::from(table))
        });
        flat.map_err(|fault| {
            let place = place_in(&self.text, fault.span());
            ConfigError::new(format!("{}{place}", self.path.display()), fault.message())
        })
    }

    /// The tables, if the whole file fits.
    ///
    /// # Errors
    /// Every fault of the file, flat keys and tables, in the order of the lines.
    pub(crate) fn connections(&self) -> Result<Connections, Vec<ConfigFault>> {
        let (document, errors) = DeTable::parse_recoverable(&self.text);
        if !errors.is_empty() {
            let fault = |error: Error| self.fault(String::new(), &error);
            return Err(errors.into_iter().map(fault).collect());
        }
        let mut faults = Vec::new();
        for (key, value) in document.into_inner() {
            let name = key.get_ref().to_string();
            // The reader of the tables tells of keys that nobody knows.
            if !FLAT_KEYS.contains(&name.as_str()) {
                continue;
            }
            let mut one = DeTable::new();
            one.insert(key, value);
            let one = Deserializer::from(Spanned::new(0..self.text.len(), one));
            if let Err(error) = Layer::deserialize(one) {
                faults.push(self.fault(name, &error));
            }
        }
        match Connections::parse(&self.text, &FLAT_KEYS) {
            Ok(connections) if faults.is_empty() => Ok(connections),
            tables => {
                faults.extend(tables.err().into_iter().flatten());
                faults.sort_by_key(|fault| fault.line);
                Err(faults)
            }
        }
    }

    /// The members of the site that the table `[site]` sets; `None` without such a table.
    ///
    /// # Errors
    /// The first fault of the file.
    pub(crate) fn site(&self) -> Result<Option<Map<String, Value>>, ConfigError> {
        let tables = self.connections().map_err(|faults| {
            let fault = faults.into_iter().next();
            let (line, detail) = fault.map_or((1, String::new()), |it| (it.line, it.detail));
            ConfigError::new(format!("{} line {line}", self.path.display()), detail)
        })?;
        let Some(site) = tables.site else { return Ok(None) };
        let mut members = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        };
        let text = |text: Option<String>| text.map(Value::String);
        set("slug", text(site.id));
        set("name", text(site.name));
        set("time_zone", text(site.zone_name));
        set("latitude", site.place.map(|(latitude, _)| latitude.into()));
        set("longitude", site.place.map(|(_, longitude)| longitude.into()));
        set("address", text(site.address));
        set("operator", text(site.operator));
        set("website", text(site.website));
        set("opening_hours", text(site.opening_hours));
        set("kind", site.kind.map(|kind| kind.as_str().into()));
        set("language", text(site.language));
        set("max_height_cm", site.max_height_cm.map(Into::into));
        set("reserved_slots", (site.reserved_slots > 0).then(|| site.reserved_slots.into()));
        set("licence", text(site.licence));
        Ok(Some(members))
    }

    fn fault(&self, key: String, error: &Error) -> ConfigFault {
        let line = error.span().map_or(1, |span| line_of(&self.text, &span));
        ConfigFault { line, key, detail: error.message().to_owned() }
    }
}

impl Layer {
    /// What the file says. Without a name [`DEFAULT_FILE`], which need not exist.
    ///
    /// # Errors
    /// Names the file, and the line and key that do not fit.
    pub(crate) fn from_file(named: Option<&Path>) -> Result<Self, ConfigError> {
        ConfigFile::read(named)?.map_or_else(|| Ok(Self::default()), |file| file.layer())
    }
}

/// ` line 3 (key)` of where a fault lies in a file.
fn place_in(text: &str, span: Option<Range<usize>>) -> String {
    let Some(number) = span.map(|span| line_of(text, &span)) else {
        return String::new();
    };
    let line = text.lines().nth(number - 1).unwrap_or_default();
    let key = line.split('=').next().map(str::trim);
    match key.filter(|key| line.contains('=') && !key.is_empty()) {
        Some(key) => format!(" line {number} ({key})"),
        None => format!(" line {number}"),
    }
}

/// The line on which a span begins, from 1.
fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.get(..span.start).unwrap_or_default().matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> ConfigFile {
        ConfigFile { path: "it.toml".into(), text: text.to_owned() }
    }

    #[test]
    fn the_flat_keys_are_the_fields_of_a_layer() {
        let told = toml::from_str::<Layer>("nothing = 1").unwrap_err().to_string();
        let (_, expected) = told.split_once("expected one of ").unwrap();
        let fields: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        assert_eq!(fields, FLAT_KEYS);
    }

    #[test]
    fn tables_stand_beside_the_flat_keys() {
        let both = file("seed = 'none'\n[site]\nname = 'North'\n[[camera]]\nid = 'c'\n");
        assert!(both.layer().unwrap().seed.is_some());
        let wrong = file("[site]\nname = 'N'\n[sight]\n").layer().unwrap_err();
        assert!(wrong.to_string().contains("line 3"), "{wrong}");
    }

    #[test]
    fn every_fault_is_told_with_its_line_and_key() {
        let text = "seed = 'all'\nlisten = 'here'\nwrong = 1\n[feeds]\nwrong = 2\n[other]\n";
        let faults = file(text).connections().unwrap_err();
        let places: Vec<_> = faults.iter().map(|it| (it.line, it.key.as_str())).collect();
        let expected = [(1, "seed"), (2, "listen"), (3, "wrong"), (5, "feeds.wrong"), (6, "other")];
        assert_eq!(places, expected);
        let broken = file("seed = ]\n[[camera\n").connections().unwrap_err();
        assert_eq!(broken[0].line, 1);
        assert!(file("").connections().is_ok());
    }
}
