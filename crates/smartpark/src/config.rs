//! The settings, and where they come from: flags over environment over file over defaults.
//!
//! Every place fills the same [`Layer`], in which all is optional; [`Settings::from_layer`] puts
//! the defaults under what came together. A value that does not fit is an error that names the
//! place and the key and never shows a database's URL: it may hold a password.

mod access;
mod differing;
mod file;

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::ValueEnum;
use jiff::SignedDuration;
use serde::Deserialize;

use access::switch;
pub(crate) use access::{List, Rate};
pub(crate) use file::ConfigFile;

use crate::{
    http::{BasePath, Network, OnLimit, Origin, Rates},
    limits::{DEFAULT_DEDUP_WINDOW, DEFAULT_MAX_CLOCK_SKEW, MAX_NAME_CHARS, MAX_RETENTION_DAYS},
};

/// The file that is read where none is named, if it exists.
pub(crate) const DEFAULT_FILE: &str = "smartpark.toml";
/// The database where none is named.
const DEFAULT_DATABASE: &str = "sqlite://smartpark.db";
/// The address where none is named: reached from this machine only.
const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8000);

/// What an empty database is filled with when the server starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SeedChoice {
    /// Four floors and 15 sample events of the last hours
    Sample,
    /// Four floors
    Floors,
    /// Nothing
    None,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    /// Nothing
    Off,
    /// What failed
    Error,
    /// What may need a look, too
    Warn,
    /// What the server does, too
    Info,
    /// What helps to find a fault, too
    Debug,
    /// Everything
    Trace,
}

/// In what form is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// One line of text an event
    Text,
    /// One JSON object a line
    Json,
}

/// What may stand in the file where a number is wanted.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Text(String),
    Other(serde::de::IgnoredAny),
}

/// A length of time: a number of seconds, or a number with a unit ("5min", "1h 30min").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text.parse().map(Duration::from_secs).ok();
        let spelt = || {
            let signed = text.parse::<SignedDuration>().ok()?;
            Duration::try_from(signed).ok()
        };
        let span = seconds.or_else(spelt).map(Self);
        span.ok_or_else(|| "must be a number of seconds or like 30s, 5min, 2h".to_owned())
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = match Written::deserialize(from)? {
            Written::Number(seconds) => return Ok(Self(Duration::from_secs(seconds))),
            Written::Text(text) => text,
            Written::Other(_) => String::new(),
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An address and a port to listen on. `localhost` stands for 127.0.0.1, and so does a port alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listen(pub(crate) SocketAddr);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = text.strip_prefix("localhost").unwrap_or(text);
        let port = port.strip_prefix(':').unwrap_or(text).parse().ok();
        let local = port.map(|port| SocketAddr::new(DEFAULT_LISTEN.ip(), port));
        local.or_else(|| text.parse().ok()).map(Self).ok_or_else(|| {
            "must be an address and a port, for example 127.0.0.1:8000, or only a port".to_owned()
        })
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A number of days after which events are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Days(pub(crate) u32);

impl Days {
    fn new(days: u32) -> Result<Self, String> {
        if (1..=MAX_RETENTION_DAYS).contains(&days) {
            Ok(Self(days))
        } else {
            Err(format!("must be a whole number from 1 to {MAX_RETENTION_DAYS}"))
        }
    }
}

impl FromStr for Days {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(text.parse().unwrap_or(0))
    }
}

impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let days = match Written::deserialize(from)? {
            Written::Number(days) => u32::try_from(days).unwrap_or(0),
            Written::Text(_) | Written::Other(_) => 0,
        };
        Self::new(days).map_err(serde::de::Error::custom)
    }
}

/// What the site is called on its page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SiteName(pub(crate) String);

impl FromStr for SiteName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = (1..=MAX_NAME_CHARS).contains(&text.chars().count())
            && !text.contains(char::is_control);
        let name = fits.then(|| Self(text.to_owned()));
        name.ok_or_else(|| format!("must be one line of 1 to {MAX_NAME_CHARS} characters"))
    }
}

impl<'de> Deserialize<'de> for SiteName {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A setting that does not fit, and where it stands.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {detail}")]
pub(crate) struct ConfigError {
    place: String,
    detail: String,
}

impl ConfigError {
    pub(crate) fn new(place: impl fmt::Display, detail: impl Into<String>) -> Self {
        Self { place: place.to_string(), detail: detail.into() }
    }
}

/// What one place says; `None` where it is silent. The names are the keys of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Layer {
    pub(crate) database: Option<String>,
    pub(crate) replica: Option<String>,
    pub(crate) listen: Option<Listen>,
    pub(crate) seed: Option<SeedChoice>,
    pub(crate) site_name: Option<SiteName>,
    pub(crate) on_limit: Option<OnLimit>,
    pub(crate) max_clock_skew: Option<Span>,
    pub(crate) dedup_window: Option<Span>,
    pub(crate) retention_days: Option<Days>,
    pub(crate) log_level: Option<LogLevel>,
    pub(crate) log_format: Option<LogFormat>,
    pub(crate) no_auth: Option<bool>,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) behind_proxy: Option<List<Network>>,
    pub(crate) cors_origin: Option<List<Origin>>,
    pub(crate) base_path: Option<BasePath>,
    pub(crate) rate_limit: Option<Rate>,
    pub(crate) address_rate_limit: Option<Rate>,
}

impl Layer {
    /// This layer where it speaks, `lower` where it is silent.
    pub(crate) fn over(self, lower: Self) -> Self {
        Self {
            database: self.database.or(lower.database),
            replica: self.replica.or(lower.replica),
            listen: self.listen.or(lower.listen),
            seed: self.seed.or(lower.seed),
            site_name: self.site_name.or(lower.site_name),
            on_limit: self.on_limit.or(lower.on_limit),
            max_clock_skew: self.max_clock_skew.or(lower.max_clock_skew),
            dedup_window: self.dedup_window.or(lower.dedup_window),
            retention_days: self.retention_days.or(lower.retention_days),
            log_level: self.log_level.or(lower.log_level),
            log_format: self.log_format.or(lower.log_format),
            no_auth: self.no_auth.or(lower.no_auth),
            tls_cert: self.tls_cert.or(lower.tls_cert),
            tls_key: self.tls_key.or(lower.tls_key),
            behind_proxy: self.behind_proxy.or(lower.behind_proxy),
            cors_origin: self.cors_origin.or(lower.cors_origin),
            base_path: self.base_path.or(lower.base_path),
            rate_limit: self.rate_limit.or(lower.rate_limit),
            address_rate_limit: self.address_rate_limit.or(lower.address_rate_limit),
        }
    }

    /// What the `SMARTPARK_*` variables say; an empty one is silent.
    ///
    /// # Errors
    /// Names the variable whose value does not fit.
    pub(crate) fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = &|name: &str| get(name).filter(|value| !value.is_empty());
        Ok(Self {
            database: get("SMARTPARK_DATABASE"),
            replica: get("SMARTPARK_REPLICA"),
            listen: variable(get, "SMARTPARK_LISTEN", str::parse)?,
            seed: variable(get, "SMARTPARK_SEED", word)?,
            site_name: variable(get, "SMARTPARK_SITE_NAME", str::parse)?,
            on_limit: variable(get, "SMARTPARK_ON_LIMIT", word)?,
            max_clock_skew: variable(get, "SMARTPARK_MAX_CLOCK_SKEW", str::parse)?,
            dedup_window: variable(get, "SMARTPARK_DEDUP_WINDOW", str::parse)?,
            retention_days: variable(get, "SMARTPARK_RETENTION_DAYS", str::parse)?,
            log_level: variable(get, "SMARTPARK_LOG_LEVEL", word)?,
            log_format: variable(get, "SMARTPARK_LOG_FORMAT", word)?,
            no_auth: variable(get, "SMARTPARK_NO_AUTH", switch)?,
            tls_cert: get("SMARTPARK_TLS_CERT").map(PathBuf::from),
            tls_key: get("SMARTPARK_TLS_KEY").map(PathBuf::from),
            behind_proxy: variable(get, "SMARTPARK_BEHIND_PROXY", str::parse)?,
            cors_origin: variable(get, "SMARTPARK_CORS_ORIGIN", str::parse)?,
            base_path: variable(get, "SMARTPARK_BASE_PATH", str::parse)?,
            rate_limit: variable(get, "SMARTPARK_RATE_LIMIT", str::parse)?,
            address_rate_limit: variable(get, "SMARTPARK_ADDRESS_RATE_LIMIT", str::parse)?,
        })
    }
}

/// The value of one variable.
fn variable<T>(
    get: impl Fn(&str) -> Option<String>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, ConfigError> {
    let value = get(name).map(|text| parse(&text));
    value
        .transpose()
        .map_err(|detail| ConfigError::new(format!("environment variable {name}"), detail))
}

/// One of the words of `T`.
fn word<T: ValueEnum>(text: &str) -> Result<T, String> {
    T::from_str(text, false).map_err(|_| {
        let words = T::value_variants().iter().filter_map(T::to_possible_value);
        let words: Vec<_> = words.map(|value| value.get_name().to_owned()).collect();
        format!("must be one of: {}", words.join(", "))
    })
}

/// The URL of a database. A path is the URL of the file there.
pub(crate) fn database_url(text: String) -> String {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    let is_url = scheme.is_some_and(|scheme| {
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    if is_url || text.is_empty() { text } else { format!("sqlite://{text}") }
}

/// The settings that hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The database's URL.
    pub(crate) database: String,
    /// The URL of a standby that the server may read the past from.
    pub(crate) replica: Option<String>,
    /// Where the server listens.
    pub(crate) listen: SocketAddr,
    /// What an empty database is filled with when the server starts.
    pub(crate) seed: SeedChoice,
    /// What the site is called on its page; SmartPark where `None`.
    pub(crate) site_name: Option<String>,
    /// What the server answers to an event at a limit.
    pub(crate) on_limit: OnLimit,
    /// How far ahead of the clock an event may lie.
    pub(crate) max_clock_skew: Duration,
    /// Within what time an event without timestamp is a repeat.
    pub(crate) dedup_window: Duration,
    /// After how many days the server deletes events; never where `None`.
    pub(crate) retention_days: Option<u32>,
    /// Whether nobody is asked for a key.
    pub(crate) no_auth: bool,
    /// The files of the certificate and of its key.
    pub(crate) tls: (Option<PathBuf>, Option<PathBuf>),
    /// Proxies in front of the server.
    pub(crate) proxies: Vec<Network>,
    /// Sites whose pages may use the interface.
    pub(crate) cors_origins: Vec<Origin>,
    /// The path under which a proxy publishes the server.
    pub(crate) base_path: BasePath,
    /// How often one may ask.
    pub(crate) rates: Rates,
    /// How much is logged; each command has its own default.
    pub(crate) log_level: Option<LogLevel>,
    /// In what form.
    pub(crate) log_format: LogFormat,
}

impl Settings {
    /// The defaults where `layer` is silent.
    pub(crate) fn from_layer(layer: Layer) -> Self {
        let span = |span: Option<Span>, default| span.map_or(default, |span| span.0);
        Self {
            database: layer.database.map_or_else(|| DEFAULT_DATABASE.to_owned(), database_url),
            replica: layer.replica,
            listen: layer.listen.map_or(DEFAULT_LISTEN, |listen| listen.0),
            seed: layer.seed.unwrap_or(SeedChoice::Sample),
            site_name: layer.site_name.map(|name| name.0),
            on_limit: layer.on_limit.unwrap_or(OnLimit::Record),
            max_clock_skew: span(layer.max_clock_skew, DEFAULT_MAX_CLOCK_SKEW),
            dedup_window: span(layer.dedup_window, DEFAULT_DEDUP_WINDOW),
            retention_days: layer.retention_days.map(|days| days.0),
            no_auth: layer.no_auth.unwrap_or(false),
            tls: (layer.tls_cert, layer.tls_key),
            proxies: layer.behind_proxy.map_or_else(Vec::new, |list| list.0),
            cors_origins: layer.cors_origin.map_or_else(Vec::new, |list| list.0),
            base_path: layer.base_path.unwrap_or_default(),
            rates: Rates {
                per_key: layer.rate_limit.map(|rate| rate.0),
                per_address: layer.address_rate_limit.map(|rate| rate.0),
            },
            log_level: layer.log_level,
            log_format: layer.log_format.unwrap_or(LogFormat::Text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_seconds_or_spelt() {
        let table = [
            ("5", Some(5_000)),
            ("5s", Some(5_000)),
            ("250ms", Some(250)),
            ("5min", Some(300_000)),
            ("1h 30min", Some(5_400_000)),
            ("0", Some(0)),
            ("-5s", None),
            ("soon", None),
            ("", None),
        ];
        for (text, millis) in table {
            let span = text.parse::<Span>().ok().map(|span| span.0);
            assert_eq!(span, millis.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn a_path_is_a_database_and_a_url_stays_as_it_is() {
        let paths = [
            ("smartpark.db", "sqlite://smartpark.db"),
            ("./a b.db", "sqlite://./a b.db"),
            ("/var/lib/smartpark.db", "sqlite:///var/lib/smartpark.db"),
            ("data/2026-12-01T10:00.db", "sqlite://data/2026-12-01T10:00.db"),
        ];
        for (path, url) in paths {
            assert_eq!(database_url(path.to_owned()), url);
        }
        let urls = ["", "sqlite://a.db", "sqlite:a.db", "postgres://u:p@h/d", "mysql://h/d"];
        for url in urls {
            assert_eq!(database_url(url.to_owned()), url);
        }
    }

    #[test]
    fn a_port_alone_is_one_of_this_machine() {
        let local = ["9000", ":9000", "localhost:9000", "127.0.0.1:9000"];
        for text in local {
            assert_eq!(text.parse(), Ok(Listen(([127, 0, 0, 1], 9000).into())), "{text}");
        }
        assert_eq!("[::1]:9000".parse::<Listen>().unwrap().0.port(), 9000);
        for text in ["", ":", "localhost", "localhost9000", "90000", "host:9000", "::1"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_higher_layer_speaks_and_the_lower_fills_in() {
        let layer = |text: &str| toml::from_str::<Layer>(text).unwrap();
        let together = layer("seed = 'none'\nretention_days = 7")
            .over(layer("seed = 'floors'\ndatabase = 'sqlite://b.db'"));
        let settings = Settings::from_layer(together);
        assert_eq!(settings.seed, SeedChoice::None);
        assert_eq!(settings.database, "sqlite://b.db");
        assert_eq!(settings.retention_days, Some(7));
        assert_eq!(settings.listen, DEFAULT_LISTEN);
        assert_eq!(settings.dedup_window, Duration::from_secs(5));
    }

    #[test]
    fn variables_that_do_not_fit_are_named_without_their_value() {
        let table = [
            ("SMARTPARK_LISTEN", "here:x"),
            ("SMARTPARK_SEED", "all"),
            ("SMARTPARK_ON_LIMIT", "ignore"),
            ("SMARTPARK_SITE_NAME", "two\nlines"),
            ("SMARTPARK_MAX_CLOCK_SKEW", "later"),
            ("SMARTPARK_DEDUP_WINDOW", "-1"),
            ("SMARTPARK_RETENTION_DAYS", "0"),
            ("SMARTPARK_LOG_LEVEL", "loud"),
            ("SMARTPARK_LOG_FORMAT", "xml"),
            ("SMARTPARK_NO_AUTH", "yes"),
            ("SMARTPARK_BEHIND_PROXY", "10.0.0.1,nginx"),
            ("SMARTPARK_CORS_ORIGIN", "*"),
            ("SMARTPARK_RATE_LIMIT", "-3"),
            ("SMARTPARK_ADDRESS_RATE_LIMIT", "many"),
        ];
        for (name, value) in table {
            let get = |asked: &str| (asked == name).then(|| value.to_owned());
            let told = Layer::from_env(get).unwrap_err().to_string();
            assert!(told.contains(name) && told.contains("must be"), "{told}");
            assert!(!told.contains(value), "{told}");
        }
        let silent = Layer::from_env(|_| Some(String::new()));
        assert_eq!(silent, Ok(Layer::default()));
    }
}
