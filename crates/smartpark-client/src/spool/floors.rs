//! Events that name a floor, until the floor's id is known.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, params};

use super::{Spool, rows::first};
use crate::{Result, crossing::NO_FLOOR};

impl Spool {
    /// The names of floors whose ids are still to be found.
    pub(crate) fn floors_to_find(&self) -> Result<Vec<String>> {
        self.read(|connection| {
            // One step of the index for each name, however many events wait.
            let sql = "SELECT MIN(floor) FROM events WHERE floor IS NOT NULL AND floor > ?1";
            let mut next = connection.prepare_cached(sql)?;
            let mut names: Vec<String> = Vec::new();
            loop {
                let last = names.last().map_or("", String::as_str);
                let found: Option<Option<String>> = next.query_row([last], first).optional()?;
                match found.flatten() {
                    Some(name) => names.push(name),
                    None => return Ok(names),
                }
            }
        })
    }

    /// Writes the ids of floors into the events that name them. From then on their bodies stay as
    /// they are. Returns how many events this lets go.
    pub(crate) fn set_floors(&self, ids: &BTreeMap<String, i64>) -> Result<usize> {
        let sql = "UPDATE events SET floor = NULL, body = ?2 || substr(body, ?3) WHERE floor = ?1";
        let rest = i64::try_from(NO_FLOOR.len() + 1).unwrap_or(i64::MAX);
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(sql)?;
            let mut changed = 0;
            for (name, id) in ids {
                let start = format!("{{\"floor_id\":{id},");
                changed += statement.execute(params![name, start, rest])?;
            }
            Ok(changed)
        })
    }
}
