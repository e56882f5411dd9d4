//! What this server's own cameras ask of it: the answers of `POST /events` and `GET /floors`,
//! without a request. Nobody asks them for a key: they are a part of the server.

use serde::Serialize;

use super::{
    body::Format,
    problem::Problem,
    record::{self, BatchView},
    rows::{self, FloorIds},
    views::json_bytes,
};
use smartpark_ledger::{Error, SmartPark};

/// A status and a body.
pub type OwnAnswer = (u16, Vec<u8>);

/// Records events, one a line.
pub async fn record(park: &SmartPark, lines: &[u8]) -> OwnAnswer {
    let rows = match rows::parse_now(Format::Lines, lines, &FloorIds::default()) {
        Ok(rows) => rows.into_many(),
        Err(problem) => return refusal(&problem),
    };
    let (mut events, mut places, mut bad) = (Vec::new(), Vec::new(), Vec::new());
    for (index, row) in rows.into_iter().enumerate() {
        match row {
            Ok(event) => {
                events.push(event);
                places.push(index);
            }
            Err(refused) => bad.push((index, refused.problem)),
        }
    }
    match park.events().record_events(events).await {
        Ok(results) => {
            let results = places.into_iter().zip(results);
            let mut batch = BatchView::default();
            bad.extend(record::tally(&mut batch, results));
            (200, record::with_errors(batch, &mut bad))
        }
        Err(error) => refusal(&Problem::from(error)),
    }
}

#[derive(Serialize)]
struct Floors {
    floors: Vec<Floor>,
}

#[derive(Serialize)]
struct Floor {
    id: i64,
    name: String,
}

/// The names and ids of all floors.
pub async fn floors(park: &SmartPark) -> OwnAnswer {
    let floors = park.floors().get_all_floors().await;
    let view = |floor: smartpark_ledger::Floor| Floor { id: floor.id, name: floor.name };
    let view = floors.map(|floors| Floors { floors: floors.into_iter().map(view).collect() });
    view.map_or_else(|error: Error| refusal(&error.into()), |view| (200, json_bytes(&view)))
}

fn refusal(problem: &Problem) -> OwnAnswer {
    (problem.kind().status().as_u16(), json_bytes(&problem.view()))
}
