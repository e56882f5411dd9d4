//! What cameras sent from night to night, and on which days people counted.

use rusqlite::Connection;

use super::{Sqlite, rows::Code};
use crate::{
    Result,
    decide::AdjustmentKind,
    estimate::cameras::Traffic,
    limits::MAX_QUALITY_RECOUNTS,
    store::nights::{NightRecount, NightTraffic},
};

const BUSY_HOURS: &str = "-- cameras' quality: events by hour
SELECT hour, sum(car_entries + car_exits + motorcycle_entries + motorcycle_exits
    + bus_entries + bus_exits + truck_entries + truck_exits)
FROM event_hours WHERE hour >= ?1 AND hour < ?2 GROUP BY hour";

const NIGHT: &str = "-- cameras' quality: events of a day by camera and floor
SELECT camera_id, floor_id, sum(car_entries + motorcycle_entries + bus_entries + truck_entries),
    sum(car_exits + motorcycle_exits + bus_exits + truck_exits)
FROM event_hours WHERE hour >= ?1 AND hour < ?2 GROUP BY camera_id, floor_id";

const RECOUNTS: &str = "-- cameras' quality: recounts
SELECT floor_id, place, current_vehicles FROM adjustments
WHERE kind = ?1 AND place >= ?2 AND place < ?3 ORDER BY place DESC, id DESC LIMIT ?4";

impl Sqlite {
    /// The events of all cameras by the hour.
    pub(in crate::store) async fn busy_hours(
        &self,
        (from, to): (i64, i64),
    ) -> Result<Vec<(i64, u64)>> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(BUSY_HOURS)?;
            let rows = statement.query_map((from, to), |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// What cameras sent and where people counted from each of these instants to the next.
    pub(in crate::store) async fn night_traffic(&self, ends: Vec<i64>) -> Result<NightTraffic> {
        self.read(move |connection| night_traffic(connection, &ends)).await
    }
}

fn night_traffic(connection: &Connection, ends: &[i64]) -> Result<NightTraffic> {
    let mut found = NightTraffic::default();
    let (Some(first), Some(last)) = (ends.first(), ends.last()) else { return Ok(found) };
    let mut night = connection.prepare_cached(NIGHT)?;
    for (day, pair) in ends.windows(2).enumerate() {
        let rows = night.query_map((pair[0], pair[1]), |row| {
            let (entries, exits) = (row.get(2)?, row.get(3)?);
            Ok(Traffic { camera_id: row.get(0)?, floor_id: row.get(1)?, day, entries, exits })
        })?;
        for row in rows {
            found.traffic.push(row?);
        }
    }
    let mut recounts = connection.prepare_cached(RECOUNTS)?;
    let asked = (Code(AdjustmentKind::Recount), first, last, MAX_QUALITY_RECOUNTS);
    let rows = recounts.query_map(asked, |row| {
        Ok(NightRecount { floor_id: row.get(0)?, place: row.get(1)?, found: row.get(2)? })
    })?;
    found.recounts = rows.collect::<rusqlite::Result<_>>()?;
    Ok(found)
}
