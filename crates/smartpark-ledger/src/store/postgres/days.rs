//! The history of a floor, day after day: what `check` folds again, and what repairing rebuilds
//! from. Facts are read in one walk along their index: to ask for each day would be to look at
//! every month's partition for each.

use deadpool_postgres::ClientWrapper;

use super::{
    rows::Micros,
    stream::Stream,
    wants::{adjustment_fact, event_fact},
};
use crate::{
    Result,
    count::{Fact, Level, Span},
};

/// The events of a floor, and the cursor that reads them.
const EVENTS: (&str, &str) = (
    "-- check: events of a floor
DECLARE check_events NO SCROLL CURSOR FOR
SELECT floor_id, timestamp, camera_id, track_id, direction, id, timestamp FROM events e
WHERE floor_id = $1 AND timestamp >= $2
    AND NOT EXISTS (SELECT 1 FROM event_places p WHERE p.event_id = e.id)
ORDER BY timestamp",
    "check_events",
);

const PLACED: (&str, &str) = (
    "-- check: events of a floor that stand elsewhere than at their timestamps
DECLARE check_placed NO SCROLL CURSOR FOR
SELECT floor_id, place, camera_id, track_id, direction, event_id, timestamp FROM event_places
WHERE floor_id = $1 AND place >= $2 ORDER BY place",
    "check_placed",
);

const ADJUSTMENTS: (&str, &str) = (
    "-- check: adjustments of a floor
DECLARE check_adjustments NO SCROLL CURSOR FOR
SELECT floor_id, place, id, kind, current_vehicles, total_slots FROM adjustments
WHERE floor_id = $1 AND place >= $2 ORDER BY place, id",
    "check_adjustments",
);

/// The days of a floor that have facts.
pub(super) struct Days<'c> {
    events: Stream<'c, Fact>,
    placed: Stream<'c, Fact>,
    adjustments: Stream<'c, Fact>,
}

impl<'c> Days<'c> {
    /// Begins with the first fact from `from` on. `client` stands in a transaction, and reads one
    /// floor at a time.
    pub(super) async fn begin(client: &'c ClientWrapper, floor_id: i64, from: i64) -> Result<Self> {
        let (id, from) = (&floor_id, &Micros(from));
        Ok(Self {
            events: Stream::begin(client, EVENTS, &[id, from], event_fact).await?,
            placed: Stream::begin(client, PLACED, &[id, from], event_fact).await?,
            adjustments: Stream::begin(client, ADJUSTMENTS, &[id, from], adjustment_fact).await?,
        })
    }

    /// The next day, and its facts in their order.
    pub(super) async fn next(&mut self) -> Result<Option<(Span, Vec<Fact>)>> {
        let mut first = None;
        for stream in [&mut self.events, &mut self.placed, &mut self.adjustments] {
            let next = stream.peek().await?.map(|fact| fact.at);
            first = first.into_iter().chain(next).min();
        }
        let Some(first) = first else { return Ok(None) };
        let day = Span::of(first, Level::DAY);
        let mut facts = Vec::new();
        for stream in [&mut self.events, &mut self.placed, &mut self.adjustments] {
            while let Some(fact) = stream.next_if(|fact| fact.at < day.end()).await? {
                facts.push(fact);
            }
        }
        facts.sort_by(Fact::place);
        Ok(Some((day, facts)))
    }

    /// Ends the walk: that along another floor can begin.
    pub(super) async fn close(self) -> Result<()> {
        self.events.close().await?;
        self.placed.close().await?;
        self.adjustments.close().await
    }
}
