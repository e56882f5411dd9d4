//! The rows of a body: one event, an array of them, or one a line.

use std::collections::HashMap;

use super::{
    body::{Format, Whole},
    kind::Kind,
    problem::{Place, Problem},
};
use smartpark_ledger::{
    NewEvent, SmartPark,
    error::FieldError,
    intake::{Input, Misfit, RawEvent, Unreadable, folded_name, read_events_with},
    limits::MAX_BATCH_ROWS,
};

/// Bodies larger than this are parsed on a thread of their own, so that one large batch does not
/// hold the small requests up. In bytes.
const PARSE_APART_ABOVE: usize = 128 * 1024;

/// An event, or why it is none.
pub(super) type Row = Result<NewEvent, Refused>;

/// A row that is no event.
#[derive(Debug)]
pub(super) struct Refused {
    /// The camera, where that much fits.
    pub(super) camera_id: Option<Box<str>>,
    pub(super) problem: Problem,
}

/// What a body holds.
#[derive(Debug)]
pub(super) enum Rows {
    /// A single event.
    One(Row),
    /// A batch.
    Many(Vec<Row>),
}

impl Rows {
    /// The rows of a batch, or the one row.
    pub(super) fn into_many(self) -> Vec<Row> {
        match self {
            Self::One(row) => vec![row],
            Self::Many(rows) => rows,
        }
    }
}

/// The ids of floors by name, for events that name theirs.
#[derive(Debug, Default)]
pub(super) struct FloorIds(HashMap<String, i64>);

impl FloorIds {
    /// Those that the events in a body may need: of most bodies none, which then read no floors.
    pub(super) async fn of(body: &Whole, park: &SmartPark) -> Result<Self, Problem> {
        if !may_name_a_floor(&body.bytes) {
            return Ok(Self::default());
        }
        let floors = park.floors().get_all_floors().await?;
        let mut ids = HashMap::with_capacity(floors.len());
        for floor in &floors {
            ids.entry(folded_name(&floor.name).into_owned()).or_insert(floor.id);
        }
        ids.extend(floors.into_iter().map(|floor| (floor.name, floor.id)));
        Ok(Self(ids))
    }

    /// The floor with this name, however its accents are written.
    fn id(&self, name: &str) -> Option<i64> {
        self.0.get(name).or_else(|| self.0.get(folded_name(name).as_ref())).copied()
    }
}

/// Whether a member of an object in this text may be called `floor`: also if it is written with an
/// escape.
fn may_name_a_floor(text: &[u8]) -> bool {
    text.windows(7).any(|part| part == b"\"floor\"") || text.windows(4).any(|it| it == b"\\u00")
}

/// Parses and judges a body.
pub(super) async fn parse(format: Format, whole: Whole, floors: FloorIds) -> Result<Rows, Problem> {
    if whole.bytes.len() <= PARSE_APART_ABOVE {
        return parse_now(format, &whole.bytes, &floors);
    }
    let apart = tokio::task::spawn_blocking(move || parse_now(format, &whole.bytes, &floors));
    apart.await.unwrap_or_else(|error| {
        tracing::error!(?error, "parsing a body failed");
        Err(Problem::new(Kind::Internal))
    })
}

pub(super) fn parse_now(format: Format, bytes: &[u8], floors: &FloorIds) -> Result<Rows, Problem> {
    if format == Format::Lines {
        return lines(bytes, floors).map(Rows::Many);
    }
    match read_events_with(bytes, &|name| floors.id(name))
        .map_err(|error| not_json(&error.to_string()))?
    {
        Input::One(judged) => Ok(Rows::One(judged.map_err(misfit))),
        Input::Many(rows) => {
            let rows = rows.into_iter().map(|judged| judged.map_err(misfit));
            Ok(Rows::Many(rows.collect()))
        }
        Input::TooMany => Err(Problem::new(Kind::TooManyRows)),
    }
}

/// The rows of a body with one a line. Blank lines are no rows.
fn lines(bytes: &[u8], floors: &FloorIds) -> Result<Vec<Row>, Problem> {
    let mut rows = Vec::new();
    let lines = bytes.split(|byte| *byte == b'\n');
    for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
        if rows.len() == MAX_BATCH_ROWS {
            return Err(Problem::new(Kind::TooManyRows));
        }
        rows.push(match RawEvent::read(line) {
            Ok(raw) => raw.judge_with(&|name| floors.id(name)).map_err(misfit),
            Err(object @ Unreadable::NotAnObject) => {
                let faults = vec![FieldError::new("", object.to_string())];
                Err(misfit(Misfit { camera_id: None, faults }))
            }
            // The parser sees one line only, so its "line 1" would mislead.
            Err(Unreadable::NotJson(detail)) => {
                let detail = detail.replace(" at line 1 column ", " at column ");
                let problem = not_json(&format!("not JSON: {detail}"));
                Err(Refused { camera_id: None, problem })
            }
        });
    }
    Ok(rows)
}

fn misfit(misfit: Misfit) -> Refused {
    let Misfit { camera_id, faults } = misfit;
    let camera_id = camera_id.map(String::into_boxed_str);
    Refused { camera_id, problem: Problem::invalid(faults, Place::Body) }
}

/// A text that is no JSON, in the parser's words (which never repeat it).
pub(super) fn not_json(error: &str) -> Problem {
    Problem::new(Kind::NotJson).detail(format!("{error}; nothing of it was stored"))
}
