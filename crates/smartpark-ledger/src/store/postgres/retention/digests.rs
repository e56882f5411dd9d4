//! What is kept of a month that is forgotten: digests for statistics, and what its events did to
//! the counts.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::ClientWrapper;

use super::super::{
    connect::query,
    rows::{self, Micros, maybe_micros},
    seals,
};
use crate::{
    Result,
    decide::sums::{DAY, HourKey, hour_of},
    store::{
        checksum,
        digest::{self, Trace},
    },
};

const NEXT: &str = "-- cleanup_old_events: the next event of a partition
SELECT min(timestamp) FROM events WHERE timestamp >= $1 AND timestamp < $2";

const OF_A_DAY: &str = "-- cleanup_old_events: the events of a day
SELECT e.id, e.camera_id, e.floor_id, e.track_id, e.vehicle_type, e.direction, e.confidence,
       e.timestamp, e.created_at, e.count_delta, e.at_limit, l.event_id IS NOT NULL
FROM events e LEFT JOIN events_at_limit l ON l.event_id = e.id
WHERE e.timestamp >= $1 AND e.timestamp < $2 ORDER BY e.timestamp, e.id";

const DELETE_AT_LIMIT: &str = "-- cleanup_old_events: at the limit
DELETE FROM events_at_limit WHERE timestamp < $1";

const DELETE_PLACES: &str = "-- cleanup_old_events: places
DELETE FROM event_places WHERE timestamp < $1";

const KEEP_DELTAS: &str = "-- cleanup_old_events: what the deleted events did to the counts
UPDATE floor_origins o SET removed_delta = o.removed_delta + w.delta
FROM unnest($1::bigint[], $2::bigint[]) AS w (floor_id, delta) WHERE o.floor_id = w.floor_id";

const KEEP_CHECKSUMS: &str = "-- cleanup_old_events: digests instead of events
UPDATE event_hours h SET checksum = h.checksum + w.change
FROM unnest($1::timestamptz[], $2::bigint[], $3::text[], $4::bigint[])
    AS w (hour, floor_id, camera_id, change)
WHERE h.hour = w.hour AND h.floor_id = w.floor_id AND h.camera_id = w.camera_id";

const PUT_DIGESTS: &str = "-- cleanup_old_events: what is kept of the hours
INSERT INTO event_digests AS d (hour, floor_id, data)
SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::bytea[])
ON CONFLICT (hour, floor_id) DO UPDATE SET data = d.data || excluded.data";

/// Keeps as digests what is needed of the events before `end`.
pub(super) async fn boil_down(client: &ClientWrapper, end: i64) -> Result<()> {
    let mut deltas: HashMap<i64, i64> = HashMap::new();
    let mut from = i64::MIN;
    loop {
        let rows = query(client, NEXT, &[&Micros(from), &Micros(end)]).await?;
        let Some(next) = rows.first().map_or(Ok(None), |row| maybe_micros(row, 0))? else { break };
        let day = next.div_euclid(DAY) * DAY;
        digest_day(client, day, day + DAY, &mut deltas).await?;
        from = day + DAY;
    }
    let (floors, deltas): (Vec<i64>, Vec<i64>) = deltas.into_iter().unzip();
    query(client, KEEP_DELTAS, &[&floors, &deltas]).await?;
    seals::keep_origins(client, Some(&floors)).await?;
    query(client, DELETE_AT_LIMIT, &[&Micros(end)]).await?;
    query(client, DELETE_PLACES, &[&Micros(end)]).await?;
    Ok(())
}

async fn digest_day(
    client: &ClientWrapper,
    from: i64,
    to: i64,
    deltas: &mut HashMap<i64, i64>,
) -> Result<()> {
    let mut traces: BTreeMap<(i64, i64), Vec<Trace>> = BTreeMap::new();
    let mut checksums: HashMap<HourKey, i64> = HashMap::new();
    for row in query(client, OF_A_DAY, &[&Micros(from), &Micros(to)]).await? {
        let event = rows::event(&row, 0)?;
        let at = event.timestamp.as_microsecond();
        let (hour, floor_id, camera_id) = (hour_of(at), event.floor_id, event.camera_id.clone());
        let checksum = checksum::event(&event);
        *deltas.entry(floor_id).or_default() += event.count_delta;
        let trace = Trace {
            at,
            camera_id: event.camera_id,
            vehicle_type: event.vehicle_type,
            direction: event.direction,
            at_limit: row.try_get(11)?,
        };
        *checksums.entry((hour, floor_id, camera_id)).or_default() +=
            checksum::trace(floor_id, &trace) - checksum;
        traces.entry((hour, floor_id)).or_default().push(trace);
    }
    keep_checksums(client, checksums).await?;
    let (mut hours, mut floors, mut digests) = (Vec::new(), Vec::new(), Vec::new());
    for ((hour, floor_id), traces) in traces {
        let mut data = Vec::new();
        digest::append(&mut data, hour, &traces);
        hours.push(Micros(hour));
        floors.push(floor_id);
        digests.push(data);
    }
    query(client, PUT_DIGESTS, &[&hours, &floors, &digests]).await?;
    Ok(())
}

/// Lets the checksums of hours cover digests instead of events.
async fn keep_checksums(client: &ClientWrapper, changes: HashMap<HourKey, i64>) -> Result<()> {
    let (mut hours, mut floors, mut cameras, mut sums) = (vec![], vec![], vec![], vec![]);
    for ((hour, floor_id, camera_id), change) in changes {
        hours.push(Micros(hour));
        floors.push(floor_id);
        cameras.push(camera_id);
        sums.push(change);
    }
    query(client, KEEP_CHECKSUMS, &[&hours, &floors, &cameras, &sums]).await?;
    Ok(())
}
