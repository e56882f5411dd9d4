//! Both ends of a copy: facts are read here page by page, or put here, until what is stored is
//! what the source has. Events are read as they lie in the table, also those before the horizon
//! whose month has not been dropped yet: they are facts that statistics stand on.

use deadpool_postgres::{ClientWrapper, Pool};
use tokio_postgres::Row;

use super::{
    Postgres,
    connect::query,
    drift, floors, keys, past, repair, retention,
    rows::{self, Micros, damaged, event_columns, micros},
    seals, site, states,
    transaction::{Transaction, patiently},
    withdrawals, writes,
};
use crate::{
    Error, Floor, Result,
    count::{Fact, Flip, Source},
    decide::Writes,
    store::transfer::{
        self, AtLimitRow, Difference, Digest, Frame, Key, Mark, NOT_BEGUN, Origin, PlaceRow, Rows,
        Stretch, Table, Target, Totals,
    },
};

const MARK: &str = "-- copy: which site, and the last ids that were given
SELECT identity, CASE WHEN e.is_called THEN e.last_value ELSE 0 END,
    CASE WHEN f.is_called THEN f.last_value ELSE 0 END,
    CASE WHEN a.is_called THEN a.last_value ELSE 0 END
FROM site, events_id_seq e, floors_id_seq f, adjustments_id_seq a WHERE id = 1";

const TARGET: &str = "-- copy: what the target says about itself, one at a time
SELECT copy_of, copied_from, copied_sum FROM site WHERE id = 1 FOR UPDATE";

const COPY_OF: &str = "-- copy: whose\nSELECT copy_of FROM site WHERE id = 1";

/// Two copies into one database take turns.
const LOCK_COPY_OF: &str =
    "-- copy: whose, one at a time\nSELECT copy_of FROM site WHERE id = 1 FOR UPDATE";

const SET_COPY_OF: &str = "-- copy: not finished\nUPDATE site SET copy_of = $1 WHERE id = 1";

const FINISH: &str = "-- copy: finished, with a lineage that no other copy has
UPDATE site SET copy_of = NULL, lineage = 1 + floor(random() * 4503599627370495)::bigint,
    copied_from = $1, copied_sum = $2
WHERE id = 1";

const ORIGINS: &str = "-- copy: origins
SELECT floor_id, initial_slots, base_count, removed_delta FROM floor_origins ORDER BY floor_id";

const TOTALS: &str = "-- copy: totals
SELECT e.*, a.*, p.*, d.*,
       (SELECT count(*) FROM events_at_limit WHERE timestamp < horizon)
FROM retention,
    (SELECT count(*), sum(id)::bigint, min(timestamp), max(timestamp) FROM events) e,
    (SELECT count(*), sum(id)::bigint,
        sum(extract(epoch FROM place) * 1000000)::bigint FROM adjustments) a,
    (SELECT count(*), sum(extract(epoch FROM place) * 1000000)::bigint FROM event_places) p,
    (SELECT count(*), sum(length(data))::bigint FROM event_digests) d
WHERE retention.id = 1";

const ADJUSTMENTS: &str = "-- copy: adjustments
SELECT id, floor_id, kind, delta, current_vehicles, total_slots, reason, author, timestamp,
       created_at, place, is_dated
FROM adjustments WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3";

const DIGESTS: &str = "-- copy: digests
SELECT hour, floor_id, data FROM event_digests
WHERE (hour, floor_id) > ($1, $2) AND (hour, floor_id) <= ($3, $4)
ORDER BY hour, floor_id LIMIT $5";

const EVENTS: &str = concat!(
    "-- copy: events\nSELECT ",
    event_columns!(),
    " FROM events WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3"
);

const PLACES: &str = "-- copy: places of events
SELECT event_id, floor_id, place, camera_id, track_id, direction, timestamp FROM event_places
WHERE event_id > $1 AND event_id <= $2 ORDER BY event_id LIMIT $3";

const AT_LIMIT: &str = "-- copy: events at the limit before the horizon
SELECT event_id, floor_id, camera_id, timestamp FROM events_at_limit
WHERE event_id > $1 AND event_id <= $2
    AND timestamp < (SELECT horizon FROM retention WHERE id = 1)
ORDER BY event_id LIMIT $3";

const RENAME: &str = "-- copy: names make way for each other
UPDATE floors SET name = chr(1) || id";

const PUT_FLOOR: &str = "-- copy: put a floor
INSERT INTO floors (id, name, description, total_slots, current_vehicles, is_active, created_at,
    updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
    total_slots = excluded.total_slots, current_vehicles = excluded.current_vehicles,
    is_active = excluded.is_active, created_at = excluded.created_at,
    updated_at = excluded.updated_at";

const PUT_ORIGIN: &str = "-- copy: put an origin
INSERT INTO floor_origins (floor_id, initial_slots, base_count, removed_delta)
VALUES ($1, $2, $3, $4)
ON CONFLICT (floor_id) DO UPDATE SET initial_slots = excluded.initial_slots,
    base_count = excluded.base_count, removed_delta = excluded.removed_delta";

const SET_HORIZON: &str = "-- copy: horizon\nUPDATE retention SET horizon = $1 WHERE id = 1";

const KEEP_IDS: &str = "-- copy: ids go on after those of the source
SELECT setval('events_id_seq', greatest($1, last_value)) FROM events_id_seq WHERE $1 > 0
UNION ALL
SELECT setval('floors_id_seq', greatest($2, last_value)) FROM floors_id_seq WHERE $2 > 0
UNION ALL
SELECT setval('adjustments_id_seq', greatest($3, last_value)) FROM adjustments_id_seq
WHERE $3 > 0";

const KEEP_KEY_IDS: &str = "-- copy: ids of keys go on, too
SELECT setval('api_keys_id_seq', greatest(max(id), (SELECT last_value FROM api_keys_id_seq)))
FROM api_keys HAVING max(id) > 0";

const PUT_DIGESTS: &str = "-- copy: put digests
INSERT INTO event_digests (hour, floor_id, data)
SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::bytea[])";

const DELETE_ADJUSTMENTS: &str = "-- copy: take adjustments out
DELETE FROM adjustments WHERE id = ANY ($1)";

const DELETE_DIGESTS: &str = "-- copy: take digests out
DELETE FROM event_digests d USING unnest($1::timestamptz[], $2::bigint[]) AS w (hour, floor_id)
WHERE d.hour = w.hour AND d.floor_id = w.floor_id";

const DELETE_EVENTS: &str = "-- copy: take events out
DELETE FROM events e USING unnest($1::bigint[], $2::timestamptz[]) AS w (id, at)
WHERE e.id = w.id AND e.timestamp = w.at";

const DELETE_AT_LIMIT: &str = "-- copy: take events at the limit out
DELETE FROM events_at_limit WHERE event_id = ANY ($1)";

const DELETE_PLACES: &str = "-- copy: take places out
DELETE FROM event_places WHERE event_id = ANY ($1)";

impl Postgres {
    /// Refuses a copy that is not finished.
    pub(in crate::store) async fn require_whole(&self) -> Result<()> {
        patiently!(async { require_whole(&*self.inner.readers.get().await?).await })
    }

    /// Which database this is.
    pub(in crate::store) async fn copy_mark(&self) -> Result<Mark> {
        patiently!(async { mark(&*self.inner.readers.get().await?).await })
    }

    /// What there is to copy. Counts all rows: that may take longer than a request.
    pub(in crate::store) async fn copy_totals(&self) -> Result<Totals> {
        let snapshot = Transaction::snapshot(self.inner.readers.get().await?).await?;
        let totals = totals(&snapshot).await?;
        snapshot.commit().await?;
        Ok(totals)
    }

    /// The next rows of a table.
    pub(in crate::store) async fn copy_read(&self, table: Table, stretch: Stretch) -> Result<Rows> {
        let readers = &self.inner.readers;
        patiently!(async { read(&*readers.get().await?, table, stretch, table.page()).await })
    }

    /// Begins a copy of `source`, or goes on with it. Counts all rows of a finished copy: that may
    /// take longer than a request.
    pub(in crate::store) async fn copy_begin(&self, source: Mark) -> Result<()> {
        begin(&self.inner.writers, source).await
    }

    /// Makes floors, origins, keys and horizon those of the source.
    pub(in crate::store) async fn copy_frame(&self, source: Mark, frame: Frame) -> Result<()> {
        patiently!(put_frame(&self.inner.writers, source, &frame))
    }

    /// Makes a stretch of a table what it is in the source.
    pub(in crate::store) async fn copy_put(
        &self,
        source: Mark,
        table: Table,
        stretch: Stretch,
        rows: Rows,
    ) -> Result<(Key, u64)> {
        let (pool, now) = (&self.inner.writers, self.now());
        if let Rows::Events(events) = &rows {
            let instants = events.iter().map(|event| event.timestamp.as_microsecond());
            patiently!(self.inner.months.ensure(pool, now, instants.clone()))?;
        }
        patiently!(put(pool, source, table, stretch, rows.clone()))
    }

    /// Builds what is derived. (What the source had forgotten but not taken out yet no reader sees
    /// here, and it goes with its month.)
    pub(in crate::store) async fn copy_derive(&self, source: Mark) -> Result<()> {
        derive(&self.inner.writers, source).await
    }

    /// The copy is whole: from now on it may be used. Counts all rows, too.
    pub(in crate::store) async fn copy_finish(&self, source: Mark) -> Result<()> {
        finish(&self.inner.writers, source).await
    }
}

async fn mark(client: &ClientWrapper) -> Result<Mark> {
    let rows = query(client, MARK, &[]).await?;
    let row = rows.first().ok_or_else(no_site)?;
    Ok(Mark {
        identity: row.try_get(0)?,
        last_event_id: row.try_get(1)?,
        last_floor_id: row.try_get(2)?,
        last_adjustment_id: row.try_get(3)?,
    })
}

fn no_site() -> Error {
    damaged("a site")
}

async fn copy_of(client: &ClientWrapper, sql: &str) -> Result<Option<i64>> {
    let rows = query(client, sql, &[]).await?;
    Ok(rows.first().ok_or_else(no_site)?.try_get(0)?)
}

/// Refuses a copy that is not finished.
pub(super) async fn require_whole(client: &ClientWrapper) -> Result<()> {
    transfer::require_whole(copy_of(client, COPY_OF).await?)
}

/// Refuses to write to a copy that is not finished: a server may have run here when it began.
pub(super) async fn require_in_use(client: &ClientWrapper) -> Result<()> {
    in_use(copy_of(client, COPY_OF).await?)
}

/// The same, given whose copy it is. To try again at once does not help.
pub(super) fn in_use(copy_of: Option<i64>) -> Result<()> {
    transfer::require_whole(copy_of)
}

/// Marks new tables as the target of a copy that has not begun.
pub(super) async fn mark_not_begun(client: &ClientWrapper) -> Result<()> {
    query(client, SET_COPY_OF, &[&NOT_BEGUN]).await?;
    Ok(())
}

/// What is copied as a whole.
async fn frame(client: &ClientWrapper) -> Result<Frame> {
    let origins = query(client, ORIGINS, &[]).await?;
    let origins = origins.iter().map(|row| {
        Ok(Origin {
            floor_id: row.try_get(0)?,
            initial_slots: row.try_get(1)?,
            base_count: row.try_get(2)?,
            removed_delta: row.try_get(3)?,
        })
    });
    Ok(Frame {
        origins: origins.collect::<Result<_>>()?,
        floors: floors::all(client).await?,
        keys: keys::all(client).await?,
        site: site::read(client).await?,
        horizon: past::horizon(client).await?,
        states: states::all(client).await?,
        withdrawals: withdrawals::all(client).await?,
        withdrawn: withdrawals::all_withdrawn(client).await?,
    })
}

/// `client` stands in a snapshot.
async fn totals(client: &ClientWrapper) -> Result<Totals> {
    let frame = frame(client).await?;
    let rows = query(client, TOTALS, &[]).await?;
    let row = rows.first().ok_or_else(|| damaged("a retention"))?;
    let instant = |column| rows::maybe_micros(row, column);
    Ok(Totals {
        frame,
        events: [row.try_get(0)?, row.try_get(1)?, instant(2)?, instant(3)?],
        adjustments: [row.try_get(4)?, row.try_get(5)?, row.try_get(6)?],
        places: [row.try_get(7)?, row.try_get(8)?],
        digests: [row.try_get(9)?, row.try_get(10)?],
        at_limit: row.try_get(11)?,
    })
}

/// The first `limit` rows of a stretch of a table.
async fn read(
    client: &ClientWrapper,
    table: Table,
    (after, upto): Stretch,
    limit: usize,
) -> Result<Rows> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let by_id = async |sql| query(client, sql, &[&after.0, &upto.0, &limit]).await;
    Ok(match table {
        Table::Adjustments => {
            Rows::Adjustments(each(&by_id(ADJUSTMENTS).await?, rows::adjustment)?)
        }
        Table::Events => Rows::Events(each(&by_id(EVENTS).await?, |row| rows::event(row, 0))?),
        Table::AtLimit => Rows::AtLimit(each(&by_id(AT_LIMIT).await?, |row| {
            let (event_id, floor_id) = (row.try_get(0)?, row.try_get(1)?);
            Ok(AtLimitRow { event_id, floor_id, camera_id: row.try_get(2)?, at: micros(row, 3)? })
        })?),
        Table::Places => Rows::Places(each(&by_id(PLACES).await?, place)?),
        Table::Digests => {
            let (first, last) = (Micros(after.0), Micros(upto.0));
            let rows = query(client, DIGESTS, &[&first, &after.1, &last, &upto.1, &limit]).await?;
            Rows::Digests(each(&rows, |row| {
                let (hour, floor_id) = (micros(row, 0)?, row.try_get(1)?);
                Ok(Digest { hour, floor_id, data: row.try_get(2)? })
            })?)
        }
    })
}

fn each<T>(rows: &[Row], row: impl FnMut(&Row) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(row).collect()
}

fn place(row: &Row) -> Result<PlaceRow> {
    let direction = rows::direction(row, 5)?;
    let (camera_id, track_id, timestamp) = (row.try_get(3)?, row.try_get(4)?, micros(row, 6)?);
    let source = Source::Event { camera_id, track_id, direction, timestamp };
    let fact = Fact { at: micros(row, 2)?, source, act: direction.into(), id: row.try_get(0)? };
    Ok(PlaceRow { floor_id: row.try_get(1)?, fact })
}

async fn begin(pool: &Pool, source: Mark) -> Result<()> {
    let transaction = Transaction::begin(pool).await?;
    // A server may run here. What it was recording has ended then, and what it records later sees
    // that this is an unfinished copy.
    query(&transaction, floors::LOCK_RETENTION, &[]).await?;
    retention::lock_floors(&transaction).await?;
    let rows = query(&transaction, TARGET, &[]).await?;
    let row = rows.first().ok_or_else(no_site)?;
    let has_floors = !floors::all(&transaction).await?.is_empty();
    let target = Target {
        copy_of: row.try_get(0)?,
        copied_from: row.try_get(1)?,
        copied_sum: row.try_get(2)?,
        is_empty: !has_floors && keys::all(&transaction).await?.is_empty(),
    };
    let held =
        if target.may_go_on(source.identity) { Some(totals(&transaction).await?) } else { None };
    target.admit(source.identity, held.as_ref())?;
    query(&transaction, SET_COPY_OF, &[&source.identity]).await?;
    transaction.commit().await
}

/// A transaction that works on the unfinished copy of `source`.
async fn step(pool: &Pool, source: Mark) -> Result<Transaction> {
    let transaction = Transaction::begin(pool).await?;
    let copy_of = copy_of(&transaction, LOCK_COPY_OF).await?;
    transfer::require_unfinished(copy_of, source.identity)?;
    Ok(transaction)
}

async fn put_frame(pool: &Pool, source: Mark, frame: &Frame) -> Result<()> {
    let transaction = step(pool, source).await?;
    let kept = |floor: &Floor| frame.floors.iter().any(|other| other.id == floor.id);
    for gone in floors::all(&transaction).await?.iter().filter(|floor| !kept(floor)) {
        floors::delete(&transaction, gone.id).await.map_err(|error| match error {
            Error::FloorHasEvents => transfer::foreign_data(),
            other => other,
        })?;
    }
    query(&transaction, RENAME, &[]).await?;
    for floor in &frame.floors {
        let made = Micros(floor.created_at.as_microsecond());
        let changed = Micros(floor.updated_at.as_microsecond());
        let Floor { id, name, description, total_slots, current_vehicles, is_active, .. } = floor;
        query(
            &transaction,
            PUT_FLOOR,
            &[id, name, description, total_slots, current_vehicles, is_active, &made, &changed],
        )
        .await?;
    }
    for origin in &frame.origins {
        let Origin { floor_id, initial_slots, base_count, removed_delta } = origin;
        query(&transaction, PUT_ORIGIN, &[floor_id, initial_slots, base_count, removed_delta])
            .await?;
    }
    keys::replace(&transaction, &frame.keys).await?;
    states::replace(&transaction, &frame.states).await?;
    withdrawals::replace(&transaction, &frame.withdrawals, &frame.withdrawn).await?;
    site::put(&transaction, &frame.site).await?;
    query(&transaction, SET_HORIZON, &[&frame.horizon.map(Micros)]).await?;
    keep_ids(&transaction, source).await?;
    transaction.commit().await
}

/// Makes a stretch of a table what it is in the source, which has exactly `rows` there. Returns
/// how far that was done, and how many rows were put in.
async fn put(
    pool: &Pool,
    source: Mark,
    table: Table,
    stretch: Stretch,
    rows: Rows,
) -> Result<(Key, u64)> {
    let transaction = step(pool, source).await?;
    let limit = 2 * table.page();
    let stored = read(&transaction, table, stretch, limit).await?;
    let difference = Difference::new(stored, rows, stretch.1, limit);
    let withdrawn = match difference.stale.is_empty() {
        true => Vec::new(),
        false => withdrawals::all_withdrawn(&transaction).await?,
    };
    difference.refuse_foreign(past::horizon(&transaction).await?, &withdrawn)?;
    if !difference.stale.is_empty() {
        delete(&transaction, table, &difference.stale).await?;
    }
    let written = difference.fresh.len() as u64;
    insert(&transaction, difference.fresh).await?;
    transaction.commit().await?;
    Ok((difference.reached, written))
}

async fn delete(client: &ClientWrapper, table: Table, keys: &[Key]) -> Result<()> {
    let (first, second): (Vec<i64>, Vec<i64>) = keys.iter().copied().unzip();
    let instants = |column: &[i64]| column.iter().map(|at| Micros(*at)).collect::<Vec<_>>();
    match table {
        Table::Adjustments => query(client, DELETE_ADJUSTMENTS, &[&first]).await?,
        Table::AtLimit => query(client, DELETE_AT_LIMIT, &[&first]).await?,
        Table::Places => query(client, DELETE_PLACES, &[&first]).await?,
        Table::Digests => query(client, DELETE_DIGESTS, &[&instants(&first), &second]).await?,
        Table::Events => query(client, DELETE_EVENTS, &[&first, &instants(&second)]).await?,
    };
    Ok(())
}

async fn insert(client: &ClientWrapper, rows: Rows) -> Result<()> {
    let mut writes = Writes::default();
    match rows {
        Rows::Adjustments(rows) => writes.adjustments = rows,
        Rows::Events(rows) => writes.events = rows,
        Rows::Places(rows) => {
            writes.places = rows.into_iter().map(|row| (row.floor_id, row.fact)).collect();
        }
        Rows::AtLimit(rows) => {
            let flips = rows.into_iter().map(|row| {
                let AtLimitRow { event_id, floor_id, camera_id, at } = row;
                (floor_id, Flip { event_id, camera_id, at, at_limit: true })
            });
            writes.at_limit = flips.collect();
        }
        Rows::Digests(rows) if rows.is_empty() => {}
        Rows::Digests(rows) => {
            let hours: Vec<Micros> = rows.iter().map(|row| Micros(row.hour)).collect();
            let floors: Vec<i64> = rows.iter().map(|row| row.floor_id).collect();
            let data: Vec<Vec<u8>> = rows.into_iter().map(|row| row.data).collect();
            query(client, PUT_DIGESTS, &[&hours, &floors, &data]).await?;
        }
    }
    writes::run(&writes, client).await
}

async fn derive(pool: &Pool, source: Mark) -> Result<()> {
    let transaction = step(pool, source).await?;
    // Where a count is wrong it was wrong in the source: the check names it.
    repair::derive(&transaction).await?;
    drift::keep_ids(&transaction).await?;
    seals::keep_all(&transaction).await?;
    transaction.commit().await
}

/// No id that the source gave is given again.
async fn keep_ids(client: &ClientWrapper, source: Mark) -> Result<()> {
    let Mark { identity: _, last_event_id, last_floor_id, last_adjustment_id } = source;
    query(client, KEEP_IDS, &[&last_event_id, &last_floor_id, &last_adjustment_id]).await?;
    Ok(())
}

async fn finish(pool: &Pool, source: Mark) -> Result<()> {
    let transaction = step(pool, source).await?;
    keep_ids(&transaction, source).await?;
    query(&transaction, KEEP_KEY_IDS, &[]).await?;
    let held = totals(&transaction).await?.sum();
    query(&transaction, FINISH, &[&source.identity, &held]).await?;
    seals::keep_site(&transaction).await?;
    transaction.commit().await
}
