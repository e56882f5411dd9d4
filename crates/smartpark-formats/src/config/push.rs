//! `[[push]]`: feeds that SmartPark sends by itself.

use std::time::Duration;

use super::{
    table::Table,
    values::{Endpoint, duration, one_of},
};

/// The system that a push is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushTarget {
    /// A ParkAPI version 3 server: HTTP Basic with the uid of the source.
    ParkApiV3 {
        /// The uid of the source there.
        source: String,
        /// The file that holds its password.
        password_file: String,
    },
    /// An NGSI-LD broker.
    NgsiLd {
        /// The header `NGSILD-Tenant`.
        tenant: Option<String>,
    },
    /// An NGSI version 2 broker.
    NgsiV2 {
        /// The header `Fiware-Service`.
        tenant: Option<String>,
    },
}

/// `[[push]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The system.
    pub target: PushTarget,
    /// Its address.
    pub url: Endpoint,
    /// How often the whole state is sent.
    pub every: Duration,
}

impl Push {
    pub(super) fn read(table: &Table<'_, '_>) -> Option<Self> {
        table.require("to");
        table.require("url");
        let to = table.parsed("to", |text| {
            one_of(text, &[("parkapi-v3", 0_u8), ("ngsi-ld", 1), ("ngsi-v2", 2)])
        });
        let url = table.parsed("url", |text| Endpoint::read(text, &[("https", 443), ("http", 80)]));
        let every = table.parsed("every", |text| match duration(text)? {
            length if length >= Duration::from_secs(10) => Ok(length),
            _ => Err("must be at least 10s".to_owned()),
        });
        let target = match to {
            Some(0) => {
                let source = table.required("source");
                let password_file = table.required("password_file");
                source
                    .zip(password_file)
                    .map(|(source, password_file)| PushTarget::ParkApiV3 { source, password_file })
            }
            Some(1) => Some(PushTarget::NgsiLd { tenant: table.text("tenant") }),
            Some(_) => Some(PushTarget::NgsiV2 { tenant: table.text("tenant") }),
            None => {
                ["source", "password_file", "tenant"].iter().for_each(|key| table.skip(key));
                None
            }
        };
        table.finish();
        let every = every.unwrap_or(Duration::from_secs(5 * 60));
        Some(Self { target: target?, url: url?, every })
    }
}
