//! What devices sent and SmartPark did not count, summed by hour, camera and reason.

use super::Sqlite;
use crate::{Result, model::NotCountedInHour};

const ADD: &str = "-- store_not_counted: add
INSERT INTO not_counted (hour, camera_id, reason, detail, times, last_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (hour, camera_id, reason, detail) DO UPDATE SET
    times = times + excluded.times, last_at = max(last_at, excluded.last_at)";

const FORGET: &str = "-- store_not_counted: old ones go\nDELETE FROM not_counted WHERE hour < ?1";

const SINCE: &str = "-- get_not_counted
SELECT hour, camera_id, reason, detail, times, last_at FROM not_counted WHERE hour >= ?1";

impl Sqlite {
    /// Adds to the sums, and forgets those before the hour `oldest`.
    pub(in crate::store) async fn add_not_counted(
        &self,
        rows: Vec<NotCountedInHour>,
        oldest: i64,
    ) -> Result<()> {
        self.write(move |session| {
            session.connection.prepare_cached(FORGET)?.execute([oldest])?;
            let mut add = session.connection.prepare_cached(ADD)?;
            for row in &rows {
                let NotCountedInHour { hour, camera_id, reason, detail, times, last_at } = row;
                add.execute((hour, camera_id, reason, detail, times, last_at))?;
            }
            Ok(())
        })
        .await
    }

    /// The sums from an hour on.
    pub(in crate::store) async fn not_counted(&self, since: i64) -> Result<Vec<NotCountedInHour>> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(SINCE)?;
            let rows = statement.query_map([since], |row| {
                Ok(NotCountedInHour {
                    hour: row.get(0)?,
                    camera_id: row.get(1)?,
                    reason: row.get(2)?,
                    detail: row.get(3)?,
                    times: row.get(4)?,
                    last_at: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}
