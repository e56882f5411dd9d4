//! The tables of withdrawals as a whole: copied, forgotten by cleanup, and read by `check`.

use deadpool_postgres::ClientWrapper;

use super::{
    super::{connect::query, rows::Micros, seals},
    LIST, put, put_withdrawn, withdrawal_row, withdrawn_columns, withdrawn_row,
};
use crate::{
    Result,
    store::withdrawals::{WithdrawalRow, WithdrawnRow},
};

const ALL: &str = concat!(
    "-- withdrawals: all withdrawn facts\nSELECT ",
    withdrawn_columns!(),
    " FROM withdrawn_facts ORDER BY is_event, id"
);

const FORGET: &str = "-- withdrawals: forget
DELETE FROM withdrawn_facts WHERE timestamp < $1
RETURNING floor_id, withdrawal_id, delta, checksum";

const FORGET_DELTAS: &str = "-- withdrawals: what cleanup forgets moved the count
UPDATE floor_origins o SET removed_delta = o.removed_delta + w.delta
FROM (SELECT floor_id, sum(delta)::bigint AS delta
      FROM unnest($1::bigint[], $2::bigint[]) AS c (floor_id, delta) GROUP BY floor_id) w
WHERE o.floor_id = w.floor_id";

const FORGET_SUMS: &str = "-- withdrawals: the checksums of what cleanup forgets
UPDATE withdrawals SET checksum = withdrawals.checksum - w.checksum
FROM (SELECT id, sum(checksum)::bigint AS checksum
      FROM unnest($1::bigint[], $2::bigint[]) AS c (id, checksum) GROUP BY id) w
WHERE w.id = withdrawals.id";

/// Makes both tables those of the source of a copy.
pub(in super::super) async fn replace(
    client: &ClientWrapper,
    withdrawals: &[WithdrawalRow],
    withdrawn: &[WithdrawnRow],
) -> Result<()> {
    client.batch_execute("DELETE FROM withdrawn_facts; DELETE FROM withdrawals").await?;
    put(client, withdrawals).await?;
    put_withdrawn(client, withdrawn).await
}

/// Forgets withdrawn facts before a new horizon.
pub(in super::super) async fn forget(client: &ClientWrapper, horizon: i64) -> Result<()> {
    let (mut floors, mut ids, mut deltas, mut sums) = (vec![], vec![], vec![], vec![]);
    for row in query(client, FORGET, &[&Micros(horizon)]).await? {
        floors.push(row.try_get::<_, i64>(0)?);
        ids.push(row.try_get::<_, i64>(1)?);
        deltas.push(row.try_get::<_, i64>(2)?);
        sums.push(row.try_get::<_, i64>(3)?);
    }
    if floors.is_empty() {
        return Ok(());
    }
    query(client, FORGET_DELTAS, &[&floors, &deltas]).await?;
    query(client, FORGET_SUMS, &[&ids, &sums]).await?;
    seals::keep_origins(client, Some(&floors)).await
}

/// All withdrawals.
pub(in super::super) async fn all(client: &ClientWrapper) -> Result<Vec<WithdrawalRow>> {
    query(client, LIST, &[&i64::MAX, &i64::MAX]).await?.iter().map(withdrawal_row).collect()
}

/// All withdrawn facts.
pub(in super::super) async fn all_withdrawn(client: &ClientWrapper) -> Result<Vec<WithdrawnRow>> {
    query(client, ALL, &[]).await?.iter().map(withdrawn_row).collect()
}
