//! What cameras sent from night to night, and on which days people counted.

use deadpool_postgres::ClientWrapper;

use super::{
    Postgres,
    connect::query,
    rows::{Micros, micros},
    transaction::patiently,
};
use crate::{
    Error, Result,
    decide::AdjustmentKind,
    estimate::cameras::Traffic,
    limits::MAX_QUALITY_RECOUNTS,
    store::{
        codes::adjustment_number,
        nights::{NightRecount, NightTraffic},
    },
};

const BUSY_HOURS: &str = "-- cameras' quality: events by hour
SELECT hour, sum(car_entries + car_exits + motorcycle_entries + motorcycle_exits
    + bus_entries + bus_exits + truck_entries + truck_exits)::bigint
FROM event_hours WHERE hour >= $1 AND hour < $2 GROUP BY hour";

const NIGHTS: &str = "-- cameras' quality: events of days by camera and floor
SELECT w.number, h.camera_id, h.floor_id,
    sum(car_entries + motorcycle_entries + bus_entries + truck_entries)::bigint,
    sum(car_exits + motorcycle_exits + bus_exits + truck_exits)::bigint
FROM unnest($1::timestamptz[], $2::timestamptz[]) WITH ORDINALITY AS w (first, past, number)
JOIN event_hours h ON h.hour >= w.first AND h.hour < w.past
GROUP BY w.number, h.camera_id, h.floor_id";

const RECOUNTS: &str = "-- cameras' quality: recounts
SELECT floor_id, place, current_vehicles FROM adjustments
WHERE kind = $1 AND place >= $2 AND place < $3 ORDER BY place DESC, id DESC LIMIT $4";

impl Postgres {
    /// The events of all cameras by the hour.
    pub(in crate::store) async fn busy_hours(
        &self,
        (from, to): (i64, i64),
    ) -> Result<Vec<(i64, u64)>> {
        patiently!(async {
            let client = self.inner.readers.get().await?;
            let rows = query(&client, BUSY_HOURS, &[&Micros(from), &Micros(to)]).await?;
            let row = |row: &tokio_postgres::Row| {
                Ok((micros(row, 0)?, row.try_get::<_, i64>(1)?.unsigned_abs()))
            };
            rows.iter().map(row).collect()
        })
    }

    /// What cameras sent and where people counted from each of these instants to the next.
    pub(in crate::store) async fn night_traffic(&self, ends: Vec<i64>) -> Result<NightTraffic> {
        patiently!(async { night_traffic(&*self.inner.readers.get().await?, &ends).await })
    }
}

async fn night_traffic(client: &ClientWrapper, ends: &[i64]) -> Result<NightTraffic> {
    let mut found = NightTraffic::default();
    let (Some(first), Some(last)) = (ends.first(), ends.last()) else { return Ok(found) };
    let firsts: Vec<Micros> = ends.iter().map(|end| Micros(*end)).collect();
    let pasts: Vec<Micros> = ends.iter().skip(1).map(|end| Micros(*end)).collect();
    let count = |number: i64| {
        let damaged = |_| Error::Internal("the sums of an hour are damaged".to_owned());
        u32::try_from(number).map_err(damaged)
    };
    for row in query(client, NIGHTS, &[&&firsts[..pasts.len()], &pasts]).await? {
        let number: i64 = row.try_get(0)?;
        found.traffic.push(Traffic {
            camera_id: row.try_get(1)?,
            floor_id: row.try_get(2)?,
            day: usize::try_from(number - 1).unwrap_or(0),
            entries: count(row.try_get(3)?)?,
            exits: count(row.try_get(4)?)?,
        });
    }
    let recount = i16::from(adjustment_number(AdjustmentKind::Recount));
    let limit = i64::from(MAX_QUALITY_RECOUNTS);
    let window = (Micros(*first), Micros(*last));
    for row in query(client, RECOUNTS, &[&recount, &window.0, &window.1, &limit]).await? {
        let (floor_id, place) = (row.try_get(0)?, micros(&row, 1)?);
        found.recounts.push(NightRecount { floor_id, place, found: row.try_get(2)? });
    }
    Ok(found)
}
