//! Reads a floor's facts for the estimates.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Row, types::ToSql};

use super::{
    Postgres, floors, past,
    rows::{Micros, damaged, direction, micros},
    stream::Stream,
    transaction::{Transaction, patiently},
    wants::Wants,
};
use crate::{
    Error, Floor, Result,
    count::{Act, Level, Walk},
    estimate::observed::Observer,
    store::{
        codes::adjustment_of,
        observation::{Ask, Known, Observation},
    },
};

const EVENTS: (&str, &str) = (
    "-- estimates: events of a floor
DECLARE observe_events NO SCROLL CURSOR FOR
SELECT timestamp AS at, direction, camera_id, track_id FROM events e
WHERE floor_id = $1 AND timestamp >= $2 AND timestamp < $3
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)
UNION ALL
SELECT place, direction, camera_id, track_id FROM event_places
WHERE floor_id = $1 AND place >= $2 AND place < $3
ORDER BY at, camera_id, track_id, direction",
    "observe_events",
);

const ADJUSTMENTS: (&str, &str) = (
    "-- estimates: adjustments of a floor
DECLARE observe_adjustments NO SCROLL CURSOR FOR
SELECT place, kind, current_vehicles, total_slots FROM adjustments
WHERE floor_id = $1 AND place >= $2 AND place < $3 ORDER BY place, id",
    "observe_adjustments",
);

impl Postgres {
    /// What the estimates need of a floor.
    pub(in crate::store) async fn observe(&self, ask: Ask) -> Result<Observation> {
        patiently!(async {
            let client = self.inner.readers.get().await?;
            let snapshot = Transaction::snapshot(client).await?;
            let observation = observe(&snapshot, &ask).await?;
            snapshot.commit().await?;
            Ok(observation)
        })
    }
}

async fn observe(client: &ClientWrapper, ask: &Ask) -> Result<Observation> {
    let floor = floors::by_id(client, ask.floor_id).await?;
    let floor = floor.ok_or(Error::NotFound("the floor"))?;
    let horizon = past::horizon(client).await?;
    let mut wants = Wants::default();
    wants.level(ask.floor_id, Level::DAY, ask.from, i64::MAX);
    wants.asked += 1;
    let found = wants.load_one(client).await?;
    let known = Known { horizon, marks: found.nodes };
    let days = match ask.changed(&known) {
        Some(window) => Some(walk(client, &floor, window).await?),
        None => None,
    };
    let hour = walk(client, &floor, ask.hour(horizon)).await?;
    Ok(ask.answer(floor, known, days, hour))
}

async fn walk(client: &ClientWrapper, floor: &Floor, window: (i64, i64)) -> Result<Observer> {
    let walks = past::walks_at(client, vec![floor.clone()], window.0).await?;
    let begin = walks.first().map_or(Walk { count: 0, slots: 0 }, |(_, walk)| *walk);
    let mut observer = Observer::begin(begin);
    let (from, to) = (Micros(window.0), Micros(window.1));
    let within: [&(dyn ToSql + Sync); 3] = [&floor.id, &from, &to];
    let mut adjustments = Stream::begin(client, ADJUSTMENTS, &within, adjustment).await?;
    let mut events = Stream::begin(client, EVENTS, &within, event).await?;
    while let Some((at, act, camera)) = events.next().await? {
        // An adjustment stands after the events of its instant.
        while let Some((earlier, act)) = adjustments.next_if(|it| it.0 < at).await? {
            observer.take(earlier, act, None);
        }
        observer.take(at, act, Some(&camera));
    }
    while let Some((at, act)) = adjustments.next().await? {
        observer.take(at, act, None);
    }
    events.close().await?;
    adjustments.close().await?;
    Ok(observer)
}

fn event(row: &Row) -> Result<(i64, Act, String)> {
    Ok((micros(row, 0)?, direction(row, 1)?.into(), row.try_get(2)?))
}

fn adjustment(row: &Row) -> Result<(i64, Act)> {
    let kind = adjustment_of(row.try_get::<_, i16>(1)?.into());
    let kind = kind.ok_or_else(|| damaged("an adjustment"))?;
    Ok((micros(row, 0)?, kind.act(row.try_get(2)?, row.try_get(3)?)))
}
