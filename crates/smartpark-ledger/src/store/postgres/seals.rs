//! The checksums beside floors, their origins, the horizon and the site: kept up to date by what
//! writes these rows, and compared by `check`.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::{
    connect::query,
    keys,
    rows::{self, adjustment, damaged, floor_columns, maybe_micros},
    site as stored_site, states,
    stream::Stream,
    withdrawals,
};
use crate::{
    Floor, Result,
    check::Report,
    decide::Adjustment,
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
    ", checksum, adjustments_checksum FROM floors ORDER BY id"
);

/// All adjustments, and the cursor that reads them.
const ADJUSTMENTS: (&str, &str) = (
    "-- checksums: adjustments
DECLARE sealed_adjustments NO SCROLL CURSOR FOR
SELECT id, floor_id, kind, delta, current_vehicles, total_slots, reason, author, timestamp,
       created_at, place, is_dated
FROM adjustments",
    "sealed_adjustments",
);

const ORIGINS: &str = "-- checksums: origins
SELECT floor_id, initial_slots, base_count, removed_delta, checksum FROM floor_origins
WHERE $1::bigint[] IS NULL OR floor_id = ANY ($1)";

const RETENTION: &str = "-- checksums: retention
SELECT horizon, last_event_id, checksum FROM retention WHERE id = 1";

const SITE: &str = "-- checksums: site\nSELECT identity, lineage, checksum FROM site WHERE id = 1";

/// Those who change keys take turns here: the checksum must cover what each of them did.
const LOCK_SITE: &str = "-- checksums: one at a time\nSELECT id FROM site WHERE id = 1 FOR UPDATE";

const SET_FLOORS: &str = "-- checksums: of floors
UPDATE floors f SET checksum = w.checksum
FROM unnest($1::bigint[], $2::bigint[]) AS w (id, checksum) WHERE f.id = w.id";

const SET_ADJUSTMENTS: &str = "-- checksums: of floors' adjustments
UPDATE floors f SET adjustments_checksum = w.checksum
FROM unnest($1::bigint[], $2::bigint[]) AS w (id, checksum) WHERE f.id = w.id";

const SET_ORIGINS: &str = "-- checksums: of origins
UPDATE floor_origins o SET checksum = w.checksum
FROM unnest($1::bigint[], $2::bigint[]) AS w (id, checksum) WHERE o.floor_id = w.id";

const SET_RETENTION: &str =
    "-- checksums: of the horizon\nUPDATE retention SET checksum = $1 WHERE id = 1";

const SET_SITE: &str = "-- checksums: of the site\nUPDATE site SET checksum = $1 WHERE id = 1";

/// Keeps the checksum of a floor's own values.
pub(super) async fn keep_floor(client: &ClientWrapper, floor: &Floor) -> Result<()> {
    query(client, SET_FLOORS, &[&vec![floor.id], &vec![checksum::floor(floor)]]).await?;
    Ok(())
}

/// Keeps the checksums of where these floors' histories begin, as they are stored now.
pub(super) async fn keep_origins(client: &ClientWrapper, floors: Option<&[i64]>) -> Result<()> {
    let origins = origins(client, floors).await?;
    let ids: Vec<i64> = origins.iter().map(|(origin, _)| origin.floor_id).collect();
    let sums: Vec<i64> = origins.iter().map(|(origin, _)| checksum::origin(origin)).collect();
    query(client, SET_ORIGINS, &[&ids, &sums]).await?;
    Ok(())
}

/// Keeps the checksum of the horizon, as it is stored now. The caller has locked it.
pub(super) async fn keep_retention(client: &ClientWrapper) -> Result<()> {
    let row = retention(client).await?;
    query(client, SET_RETENTION, &[&checksum::retention(row.horizon, row.last_event_id)]).await?;
    Ok(())
}

/// Keeps the checksum of the site and its keys, as they are stored now.
pub(super) async fn keep_site(client: &ClientWrapper) -> Result<()> {
    query(client, LOCK_SITE, &[]).await?;
    let row = site(client).await?;
    let keys = keys::all(client).await?;
    query(client, SET_SITE, &[&checksum::site(row.identity, row.lineage, &row.record, &keys)])
        .await?;
    Ok(())
}

/// Keeps all of them, as the rows are stored now. `client` stands in a transaction that has locked
/// the floors and the horizon.
pub(super) async fn keep_all(client: &ClientWrapper) -> Result<()> {
    let adjustments = adjustment_sums(client).await?;
    let floors = floors(client).await?;
    let ids: Vec<i64> = floors.iter().map(|sealed| sealed.floor.id).collect();
    let own: Vec<i64> = floors.iter().map(|sealed| checksum::floor(&sealed.floor)).collect();
    let sums: Vec<i64> = ids.iter().map(|id| adjustments.of(*id)).collect();
    query(client, SET_FLOORS, &[&ids, &own]).await?;
    query(client, SET_ADJUSTMENTS, &[&ids, &sums]).await?;
    keep_origins(client, None).await?;
    keep_retention(client).await?;
    keep_site(client).await
}

/// Compares all of them with the rows. `client` stands in a snapshot.
pub(super) async fn check(client: &ClientWrapper, report: &mut Report) -> Result<()> {
    let sums = adjustment_sums(client).await;
    if let Some(adjustments) = note_damage(report, sums)? {
        compare_floors(report, &floors(client).await?, &adjustments);
    }
    compare_origins(report, &origins(client, None).await?);
    compare_retention(report, &retention(client).await?);
    compare_states(report, &states::sealed(client).await?);
    let withdrawn = withdrawals::all_withdrawn(client).await?;
    compare_withdrawals(report, &withdrawals::all(client).await?, &withdrawn);
    let keys = keys::all(client).await;
    if let Some(keys) = note_damage(report, keys)? {
        compare_site(report, &site(client).await?, &keys);
    }
    Ok(())
}

async fn floors(client: &ClientWrapper) -> Result<Vec<SealedFloor>> {
    let floor = |row: &Row| {
        let (checksum, adjustments) = (row.try_get(8)?, row.try_get(9)?);
        Ok(SealedFloor { floor: rows::floor(row, 0)?, checksum, adjustments })
    };
    query(client, FLOORS, &[]).await?.iter().map(floor).collect()
}

async fn adjustment_sums(client: &ClientWrapper) -> Result<AdjustmentSums> {
    let mut sums = AdjustmentSums::default();
    let mut rows: Stream<'_, Adjustment> =
        Stream::begin(client, ADJUSTMENTS, &[], adjustment).await?;
    while let Some(row) = rows.next().await? {
        sums.add(&row);
    }
    rows.close().await?;
    Ok(sums)
}

/// All origins, or those of some floors, with their checksums.
async fn origins(client: &ClientWrapper, floors: Option<&[i64]>) -> Result<Vec<(Origin, i64)>> {
    let origin = |row: &Row| {
        let origin = Origin {
            floor_id: row.try_get(0)?,
            initial_slots: row.try_get(1)?,
            base_count: row.try_get(2)?,
            removed_delta: row.try_get(3)?,
        };
        Ok((origin, row.try_get(4)?))
    };
    query(client, ORIGINS, &[&floors]).await?.iter().map(origin).collect()
}

async fn retention(client: &ClientWrapper) -> Result<SealedRetention> {
    let rows = query(client, RETENTION, &[]).await?;
    let row = rows.first().ok_or_else(|| damaged("a retention"))?;
    let (horizon, last_event_id) = (maybe_micros(row, 0)?, row.try_get(1)?);
    Ok(SealedRetention { horizon, last_event_id, checksum: row.try_get(2)? })
}

async fn site(client: &ClientWrapper) -> Result<SealedSite> {
    let rows = query(client, SITE, &[]).await?;
    let row = rows.first().ok_or_else(|| damaged("a site"))?;
    let (identity, lineage) = (row.try_get(0)?, row.try_get(1)?);
    let record = stored_site::read(client).await?;
    Ok(SealedSite { identity, lineage, record, checksum: row.try_get(2)? })
}
