//! The look-up of events that were recorded before under the keys of a group.
//!
//! Trackers count from 1 at each camera, so thousands of events share a track, and as many may
//! share an instant. Only the unique index finds a key in one step. The conditions are written so
//! that no other index fits them: a comparison of rows begins with the camera, and the order that
//! is asked for is that of the unique index alone (see `planning!`). The bounds of the whole group
//! leave out the months that it does not touch, before any of them is opened.

use std::collections::HashMap;

use deadpool_postgres::ClientWrapper;

use super::{
    connect::query,
    rows::{self, Micros, event_columns},
};
use crate::{Event, Result};

pub(super) const TWINS: &str = concat!(
    "-- record_event: duplicates\nSELECT w.place, e.*
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::timestamptz[])
    AS w (place, camera_id, track_id, direction, at)
CROSS JOIN LATERAL (SELECT ",
    event_columns!(),
    " FROM events
    WHERE (camera_id, track_id, direction, timestamp)
            >= (w.camera_id, w.track_id, w.direction, w.at)
      AND (camera_id, track_id, direction, timestamp)
            <= (w.camera_id, w.track_id, w.direction, w.at)
      AND timestamp >= w.at AND timestamp <= w.at AND timestamp >= $6 AND timestamp <= $7
    ORDER BY camera_id, track_id, direction, timestamp LIMIT 1) e"
);

pub(super) const TWINS_NEAR: &str = concat!(
    "-- record_event: duplicates without a timestamp\nSELECT w.place, e.*
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[])
    AS w (place, camera_id, track_id, direction)
CROSS JOIN LATERAL (SELECT ",
    event_columns!(),
    " FROM events
    WHERE (camera_id, track_id, direction, timestamp)
            >= (w.camera_id, w.track_id, w.direction, $5)
      AND (camera_id, track_id, direction, timestamp)
            <= (w.camera_id, w.track_id, w.direction, $6)
      AND timestamp >= $5 AND timestamp <= $6
    ORDER BY camera_id DESC, track_id DESC, direction DESC, timestamp DESC LIMIT 1) e"
);

/// Keys as columns.
#[derive(Default)]
pub(super) struct Keys<'g> {
    places: Vec<i64>,
    cameras: Vec<&'g str>,
    tracks: Vec<&'g str>,
    directions: Vec<i16>,
    at: Vec<Micros>,
}

impl<'g> Keys<'g> {
    /// Adds the key of the row at this place of the group.
    pub(super) fn push(
        &mut self,
        place: usize,
        (camera, track, direction): (&'g str, &'g str, i16),
        at: i64,
    ) {
        self.places.push(i64::try_from(place).unwrap_or(i64::MAX));
        self.cameras.push(camera);
        self.tracks.push(track);
        self.directions.push(direction);
        self.at.push(Micros(at));
    }

    /// The events at exactly these instants, by the places of the rows.
    pub(super) async fn exact(&self, client: &ClientWrapper) -> Result<HashMap<usize, Event>> {
        let instants = || self.at.iter().map(|at| at.0);
        let (Some(first), Some(last)) = (instants().min(), instants().max()) else {
            return Ok(HashMap::new());
        };
        let Self { places, cameras, tracks, directions, at } = self;
        let (first, last) = (Micros(first), Micros(last));
        let found =
            query(client, TWINS, &[places, cameras, tracks, directions, at, &first, &last]).await?;
        found.iter().map(by_place).collect()
    }

    /// The latest events between two instants, whatever the instants of the rows.
    pub(super) async fn near(
        &self,
        client: &ClientWrapper,
        (from, to): (i64, i64),
    ) -> Result<HashMap<usize, Event>> {
        if self.places.is_empty() {
            return Ok(HashMap::new());
        }
        let Self { places, cameras, tracks, directions, .. } = self;
        let (from, to) = (Micros(from), Micros(to));
        let found =
            query(client, TWINS_NEAR, &[places, cameras, tracks, directions, &from, &to]).await?;
        found.iter().map(by_place).collect()
    }
}

fn by_place(row: &tokio_postgres::Row) -> Result<(usize, Event)> {
    let place = usize::try_from(row.try_get::<_, i64>(0)?);
    Ok((place.map_err(|_| rows::damaged("a place"))?, rows::event(row, 1)?))
}
