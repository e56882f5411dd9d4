//! The checksums beside floors, their origins, the horizon and the site: kept up to date by what
//! writes these rows, and compared by `check`.

use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    floors, keys,
    rows::{self, floor_columns},
    site as stored_site, states,
    transfer::adjustment,
    withdrawals,
};
use crate::{
    Floor, Result,
    check::Report,
    store::{
        checksum,
        seals::{
            AdjustmentSums, SealedFloor, SealedRetention, SealedSite, compare_floors,
            compare_origins, compare_retention, compare_site, compare_states, compare_withdrawals,
            note_damage,
        },
        transfer::Origin,
    },
};

const FLOORS: &str = concat!(
    "-- checksums: floors\nSELECT ",
    floor_columns!(),
    ", checksum, adjustments_checksum FROM floors"
);

const ADJUSTMENTS: &str = "-- checksums: adjustments
SELECT id, floor_id, kind, delta, current_vehicles, total_slots, reason, author, timestamp,
       created_at, place, is_dated
FROM adjustments";

const ORIGINS: &str = "-- checksums: origins
SELECT floor_id, initial_slots, base_count, removed_delta, checksum FROM floor_origins";

const ORIGIN: &str = "-- checksums: an origin
SELECT floor_id, initial_slots, base_count, removed_delta, checksum FROM floor_origins
WHERE floor_id = ?1";

const RETENTION: &str = "-- checksums: retention
SELECT horizon, last_event_id, checksum FROM retention WHERE id = 1";

const SITE: &str = "-- checksums: site\nSELECT identity, lineage, checksum FROM site WHERE id = 1";

const SET_FLOOR: &str = "-- checksums: of a floor\nUPDATE floors SET checksum = ?2 WHERE id = ?1";

const SET_ADJUSTMENTS: &str = "-- checksums: of a floor's adjustments
UPDATE floors SET adjustments_checksum = ?2 WHERE id = ?1";

const SET_ORIGIN: &str =
    "-- checksums: of an origin\nUPDATE floor_origins SET checksum = ?2 WHERE floor_id = ?1";

const SET_RETENTION: &str =
    "-- checksums: of the horizon\nUPDATE retention SET checksum = ?1 WHERE id = 1";

const SET_SITE: &str = "-- checksums: of the site\nUPDATE site SET checksum = ?1 WHERE id = 1";

/// Keeps the checksum of a floor's own values.
pub(super) fn keep_floor(connection: &Connection, floor: &Floor) -> Result<()> {
    connection.prepare_cached(SET_FLOOR)?.execute((floor.id, checksum::floor(floor)))?;
    Ok(())
}

/// Keeps the checksum of where a floor's history begins, as it is stored now.
pub(super) fn keep_origin(connection: &Connection, floor_id: i64) -> Result<()> {
    let mut statement = connection.prepare_cached(ORIGIN)?;
    let found = statement.query_row([floor_id], sealed_origin).optional()?;
    found.map_or(Ok(()), |(origin, _)| set_origin(connection, &origin))
}

fn set_origin(connection: &Connection, origin: &Origin) -> Result<()> {
    let checksum = checksum::origin(origin);
    connection.prepare_cached(SET_ORIGIN)?.execute((origin.floor_id, checksum))?;
    Ok(())
}

/// Keeps the checksum of the horizon, as it is stored now.
pub(super) fn keep_retention(connection: &Connection) -> Result<()> {
    let row = retention(connection)?;
    let checksum = checksum::retention(row.horizon, row.last_event_id);
    connection.prepare_cached(SET_RETENTION)?.execute([checksum])?;
    Ok(())
}

/// Keeps the checksum of the site and its keys, as they are stored now.
pub(super) fn keep_site(connection: &Connection) -> Result<()> {
    let row = site(connection)?;
    let checksum = checksum::site(row.identity, row.lineage, &row.record, &keys::all(connection)?);
    connection.prepare_cached(SET_SITE)?.execute([checksum])?;
    Ok(())
}

/// Keeps all of them, as the rows are stored now.
pub(super) fn keep_all(connection: &Connection) -> Result<()> {
    let adjustments = adjustment_sums(connection)?;
    for floor in floors::all(connection)? {
        keep_floor(connection, &floor)?;
        let sum = adjustments.of(floor.id);
        connection.prepare_cached(SET_ADJUSTMENTS)?.execute((floor.id, sum))?;
    }
    for (origin, _) in origins(connection)? {
        set_origin(connection, &origin)?;
    }
    keep_retention(connection)?;
    keep_site(connection)
}

/// Compares all of them with the rows.
pub(super) fn check(connection: &Connection, report: &mut Report) -> Result<()> {
    let read = floors(connection).and_then(|floors| Ok((floors, adjustment_sums(connection)?)));
    if let Some((floors, adjustments)) = note_damage(report, read)? {
        compare_floors(report, &floors, &adjustments);
    }
    compare_origins(report, &origins(connection)?);
    compare_retention(report, &retention(connection)?);
    compare_states(report, &states::sealed(connection)?);
    let withdrawn = withdrawals::all_withdrawn(connection)?;
    compare_withdrawals(report, &withdrawals::all(connection)?, &withdrawn);
    let read = site(connection).and_then(|site| Ok((site, keys::all(connection)?)));
    if let Some((site, keys)) = note_damage(report, read)? {
        compare_site(report, &site, &keys);
    }
    Ok(())
}

fn floors(connection: &Connection) -> Result<Vec<SealedFloor>> {
    let mut statement = connection.prepare_cached(FLOORS)?;
    let rows = statement.query_map([], |row| {
        let floor = rows::floor(row)?;
        Ok(SealedFloor { floor, checksum: row.get(8)?, adjustments: row.get(9)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn adjustment_sums(connection: &Connection) -> Result<AdjustmentSums> {
    let mut statement = connection.prepare_cached(ADJUSTMENTS)?;
    let mut sums = AdjustmentSums::default();
    for row in statement.query_map([], adjustment)? {
        sums.add(&row?);
    }
    Ok(sums)
}

/// All origins, with their checksums.
fn origins(connection: &Connection) -> Result<Vec<(Origin, i64)>> {
    let mut statement = connection.prepare_cached(ORIGINS)?;
    let origins = statement.query_map([], sealed_origin)?;
    Ok(origins.collect::<rusqlite::Result<_>>()?)
}

fn sealed_origin(row: &Row<'_>) -> rusqlite::Result<(Origin, i64)> {
    let origin = Origin {
        floor_id: row.get(0)?,
        initial_slots: row.get(1)?,
        base_count: row.get(2)?,
        removed_delta: row.get(3)?,
    };
    Ok((origin, row.get(4)?))
}

fn retention(connection: &Connection) -> Result<SealedRetention> {
    Ok(connection.prepare_cached(RETENTION)?.query_row([], |row| {
        let (horizon, last_event_id) = (row.get(0)?, row.get(1)?);
        Ok(SealedRetention { horizon, last_event_id, checksum: row.get(2)? })
    })?)
}

fn site(connection: &Connection) -> Result<SealedSite> {
    let record = stored_site::read(connection)?;
    Ok(connection.prepare_cached(SITE)?.query_row([], |row| {
        let (identity, lineage) = (row.get(0)?, row.get(1)?);
        Ok(SealedSite { identity, lineage, record, checksum: row.get(2)? })
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SmartPark, store::Engine};

    /// A cleanup keeps the checksum of thousands of floors while recording waits.
    #[tokio::test]
    async fn the_origin_of_a_floor_is_found_by_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/new.db", folder.path().display());
        let park = SmartPark::open(&url).await.unwrap();
        let Engine::Sqlite(sqlite) = &park.engine else { panic!("another engine") };
        let plan = sqlite.inner.writer.task(|connection| {
            let explain = format!("EXPLAIN QUERY PLAN {ORIGIN}");
            Ok(connection.query_row(&explain, [1], |row| row.get::<_, String>(3))?)
        });
        let plan = plan.await.unwrap();
        assert!(plan.starts_with("SEARCH"), "{plan}");
        park.close().await;
    }
}
