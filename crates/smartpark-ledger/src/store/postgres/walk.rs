//! Walks along the facts of a window: in their order, some at a time, however many there are.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Row, types::ToSql};

use super::{
    floors, past,
    rows::{Micros, damaged, direction, micros},
    stream::Stream,
};
use crate::{
    Error, Floor, Result,
    count::{Fullness, Instants, Moment, Occupancy, Step, Walk, Walker},
    store::codes::adjustment_of,
};

/// Those of one floor at one place stand side by side.
const EVENTS: (&str, &str) = (
    "-- get_history: events
DECLARE history_events NO SCROLL CURSOR FOR
SELECT floor_id, timestamp, direction FROM events e
WHERE timestamp >= $1 AND timestamp < $2 AND ($3::bigint IS NULL OR floor_id = $3)
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)
ORDER BY timestamp, floor_id",
    "history_events",
);

const PLACED: (&str, &str) = (
    "-- get_history: events that stand elsewhere than at their timestamps
DECLARE history_placed NO SCROLL CURSOR FOR
SELECT floor_id, place, direction FROM event_places
WHERE place >= $1 AND place < $2 AND ($3::bigint IS NULL OR floor_id = $3)
ORDER BY place, floor_id",
    "history_placed",
);

const ADJUSTMENTS: (&str, &str) = (
    "-- get_history: adjustments
DECLARE history_adjustments NO SCROLL CURSOR FOR
SELECT floor_id, place, kind, current_vehicles, total_slots FROM adjustments
WHERE place >= $1 AND place < $2 AND ($3::bigint IS NULL OR floor_id = $3)
ORDER BY place, floor_id, id",
    "history_adjustments",
);

/// The steps of a window, of one floor or of all that are active. `client` stands in a snapshot.
pub(super) async fn history(
    client: &ClientWrapper,
    floor_id: Option<i64>,
    window: (i64, i64),
    width: i64,
) -> Result<Vec<Step>> {
    let walks = past::walks_at(client, chosen(client, floor_id).await?, window.0).await?;
    let mut occupancy = Occupancy::begin(walks, window, width);
    walk(client, floor_id, window, &mut occupancy).await?;
    Ok(occupancy.finish())
}

/// Since when a floor is full or nearly full, as far as a window tells. `client` stands in a
/// snapshot.
pub(super) async fn fullness(
    client: &ClientWrapper,
    floor_id: i64,
    window: (i64, i64),
) -> Result<Fullness> {
    let floors = chosen(client, Some(floor_id)).await?;
    let walks = past::walks_at(client, floors, window.0).await?;
    let begin = walks.first().map_or(Walk { count: 0, slots: 0 }, |(_, walk)| *walk);
    let mut fullness = Fullness::begin(begin);
    walk(client, Some(floor_id), window, &mut fullness).await?;
    Ok(fullness)
}

async fn chosen(client: &ClientWrapper, floor_id: Option<i64>) -> Result<Vec<Floor>> {
    let Some(id) = floor_id else {
        let mut floors = floors::all(client).await?;
        floors.retain(|floor| floor.is_active);
        return Ok(floors);
    };
    let floor = floors::by_id(client, id).await?;
    floor.map(|floor| vec![floor]).ok_or(Error::NotFound("the floor"))
}

/// Gives `walker` every fact in `window`.
async fn walk(
    client: &ClientWrapper,
    floor_id: Option<i64>,
    window: (i64, i64),
    walker: &mut impl Walker,
) -> Result<()> {
    let (from, to) = (Micros(window.0), Micros(window.1));
    let within: [&(dyn ToSql + Sync); 3] = [&from, &to, &floor_id];
    let mut events = Stream::begin(client, EVENTS, &within, event).await?;
    let mut placed = Stream::begin(client, PLACED, &within, event).await?;
    let mut adjustments = Stream::begin(client, ADJUSTMENTS, &within, adjustment).await?;
    let mut walker = Instants::of(walker);
    loop {
        let mut first = None;
        for stream in [&mut events, &mut placed, &mut adjustments] {
            let next = stream.peek().await?.map(Moment::rank);
            first = first.into_iter().chain(next).min();
        }
        let Some(first) = first else { break };
        for stream in [&mut events, &mut placed, &mut adjustments] {
            while let Some(moment) = stream.next_if(|next| next.rank() == first).await? {
                walker.take(moment);
            }
        }
    }
    walker.finish();
    Ok(())
}

fn event(row: &Row) -> Result<Moment> {
    let act = direction(row, 2)?.into();
    Ok(Moment { floor_id: row.try_get(0)?, at: micros(row, 1)?, act, is_event: true })
}

fn adjustment(row: &Row) -> Result<Moment> {
    let kind = adjustment_of(row.try_get::<_, i16>(2)?.into());
    let kind = kind.ok_or_else(|| damaged("an adjustment"))?;
    let act = kind.act(row.try_get(3)?, row.try_get(4)?);
    Ok(Moment { floor_id: row.try_get(0)?, at: micros(row, 1)?, act, is_event: false })
}
