//! The stored state of a webhook: its position in the ledger, how the floors stood there, and the
//! attempts. The ledger keeps it in parts, beside the states of device adapters. A server stores a
//! new one only if no other server changed it meanwhile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smartpark_ledger::{Error, Position, Result, SmartPark, StateChange};

use super::{levels::Standing, notices::Known, schedule::Attempts};
use crate::limits::{MAX_WEBHOOK_PARTS, WEBHOOK_PART_BYTES};

/// The stored state of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Facts up to here are settled.
    #[serde(with = "position_text")]
    pub(super) position: Position,
    /// How the floors stood there.
    pub(super) floors: BTreeMap<i64, Standing>,
    /// The notices about cameras that hold.
    #[serde(default)]
    pub(super) known: Known,
    pub(super) attempts: Attempts,
}

/// A record as it is stored: the parts that the next change must find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    parts: Vec<Vec<u8>>,
}

impl Stored {
    /// Reads the record of this webhook; none if it never began, or its state cannot be read.
    pub(super) async fn load(park: &SmartPark, webhook: &str) -> Result<(Self, Option<Record>)> {
        let names = (0..MAX_WEBHOOK_PARTS).map(|part| (owner(webhook), key(part))).collect();
        let mut states = park.events().get_states(names).await?;
        let take = |part| states.remove(&(owner(webhook), key(part)));
        let parts: Vec<Vec<u8>> = (0..MAX_WEBHOOK_PARTS).map_while(take).collect();
        let record = serde_json::from_slice(&parts.concat()).ok();
        Ok((Self { parts }, record))
    }

    /// Whether the stored record is still this one.
    pub(super) async fn is_current(&self, park: &SmartPark, webhook: &str) -> Result<bool> {
        Ok(Self::load(park, webhook).await?.0 == *self)
    }

    /// Stores a record in the place of this one; `false` if somebody else changed it meanwhile.
    pub(super) async fn store(
        &mut self,
        park: &SmartPark,
        webhook: &str,
        record: &Record,
    ) -> Result<bool> {
        let bytes = serde_json::to_vec(record).unwrap_or_default();
        let parts: Vec<Vec<u8>> = bytes.chunks(WEBHOOK_PART_BYTES).map(<[u8]>::to_vec).collect();
        if parts.len() > MAX_WEBHOOK_PARTS {
            let why = "the car park has too many floors for a webhook".to_owned();
            return Err(Error::Internal(why));
        }
        let many = parts.len().max(self.parts.len());
        let changes = (0..many).filter_map(|part| {
            let (expected, new) = (self.parts.get(part).cloned(), parts.get(part).cloned());
            // The first part is always written: the write fails if another server was faster.
            (part == 0 || expected != new).then(|| StateChange {
                camera_id: owner(webhook),
                key: key(part),
                expected,
                new,
                keep_until: None,
            })
        });
        match park.events().record_with_state(Vec::new(), changes.collect()).await {
            Ok(_) => {
                self.parts = parts;
                Ok(true)
            }
            Err(Error::StateChanged) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Under which name the states of a webhook are stored.
pub(super) fn owner(webhook: &str) -> String {
    format!("webhook:{webhook}")
}

fn key(part: usize) -> String {
    format!("webhook/{part}")
}

mod position_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use smartpark_ledger::Position;

    pub(super) fn serialize<S: Serializer>(
        position: &Position,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(position)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Position, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("no position"))
    }
}
