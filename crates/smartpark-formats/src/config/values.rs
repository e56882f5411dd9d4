//! Values that are written as text.

use std::{net::IpAddr, time::Duration};

use jiff::{SignedDuration, tz::TimeZone};

/// The address of a server: `https://host:port/path`. User and password never stand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `http`, `https`, `mqtt` or `mqtts`.
    pub scheme: String,
    /// The host's name or address, without brackets.
    pub host: String,
    /// The port; the scheme's own if none was written.
    pub port: u16,
    /// The path with query, from `/`; empty if none was written.
    pub path: String,
}

impl Endpoint {
    /// Reads an address whose scheme is one of `schemes`, each with its usual port.
    pub(super) fn read(text: &str, schemes: &[(&str, u16)]) -> Result<Self, String> {
        let names: Vec<String> = schemes.iter().map(|(name, _)| format!("{name}://")).collect();
        let fault = || format!("must be an address that begins with {}", names.join(" or "));
        let (scheme, rest) = text.split_once("://").ok_or_else(fault)?;
        let usual = schemes.iter().find(|(name, _)| *name == scheme).ok_or_else(fault)?.1;
        let cut = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(cut);
        if authority.contains('@') {
            return Err("must not hold a user or password: use username and password_file".into());
        }
        let (host, port) = host_and_port(authority).ok_or("must name a host")?;
        let port = port.map_or(Some(usual), |port| port.parse().ok().filter(|port| *port > 0));
        let port = port.ok_or("must have a port from 1 to 65535")?;
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) || path.contains('#') {
            return Err(fault());
        }
        Ok(Self { scheme: scheme.into(), host: host.into(), port, path: path.into() })
    }

    /// Whether the host is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

fn host_and_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        let port = if after.is_empty() { None } else { Some(after.strip_prefix(':')?) };
        (host, port)
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let fits = |c: char| c.is_alphanumeric() || "-._:".contains(c);
    (!host.is_empty() && host.chars().all(fits)).then_some((host, port))
}

/// A length of time that is not negative: `30s`, `5min`, `2h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let signed = signed_duration(text)?;
    Duration::try_from(signed).map_err(|_| "must not be negative".to_owned())
}

/// A length of time of either sign, shorter than ten years.
pub(super) fn signed_duration(text: &str) -> Result<SignedDuration, String> {
    let read: Option<SignedDuration> = text.parse().ok();
    let ten_years = SignedDuration::from_hours(87_600);
    let read = read.filter(|length| length.abs() <= ten_years);
    read.ok_or_else(|| "must be a length of time such as 30s, 5min, 2h or -1h".to_owned())
}

/// A time zone of the IANA database.
pub(super) fn time_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text)
        .map_err(|_| "must be a time zone of the IANA database, such as Europe/Berlin".to_owned())
}

/// A name that can stand in a path or topic: letters, digits, `-` and `_`.
pub(super) fn slug(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=64).contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 64 letters, digits, - and _".to_owned())
    }
}

/// One of the words of a list.
pub(super) fn one_of<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        format!("must be one of: {}", words.join(", "))
    })
}

/// A topic filter of MQTT.
pub(super) fn topic_filter(text: &str) -> Result<String, String> {
    let levels: Vec<&str> = text.split('/').collect();
    let last = levels.len() - 1;
    let fits = |(at, level): (usize, &&str)| match *level {
        "#" => at == last,
        "+" => true,
        level => !level.contains(['#', '+']),
    };
    let is_filter = !text.is_empty()
        && text.len() <= 65_535
        && !text.contains(char::is_control)
        && levels.iter().enumerate().all(fits);
    if is_filter {
        Ok(text.to_owned())
    } else {
        Err("must be an MQTT topic; + stands for one level, # for the rest".to_owned())
    }
}

/// A JSON Pointer.
pub(super) fn pointer(text: &str) -> Result<String, String> {
    let mut escapes = text.split('~').skip(1);
    if (text.is_empty() || text.starts_with('/'))
        && escapes.all(|rest| rest.starts_with(['0', '1']))
    {
        Ok(text.to_owned())
    } else {
        let detail = "must be a JSON Pointer such as /data/in (~1 stands for a slash in a name)";
        Err(detail.to_owned())
    }
}
