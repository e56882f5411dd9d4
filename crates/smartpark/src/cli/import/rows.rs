//! From the rows of a file to events, in batches, in a thread ahead of the recording.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, BufRead},
};

use serde_json::{Map, Value};
use tokio::sync::mpsc::Sender;

use super::super::input::{Cells, Columns, Line, Lines, Mapping, Records, Wanted};
use crate::{
    Floor, NewEvent, csv_cells,
    error::FieldError,
    intake::{Misfit, RawEvent, Scalar},
    limits::IMPORT_BATCH_ROWS,
};

/// The fields of an event, in the order in which [`Reader`] takes them.
const FIELDS: [Wanted; 7] = [
    wanted("camera_id", &["camera_id"], true),
    wanted("floor", &["floor_id", "floor", "floor_name", "floor_id_or_name"], true),
    wanted("track_id", &["track_id"], true),
    wanted("vehicle_type", &["vehicle_type"], true),
    wanted("direction", &["direction"], true),
    wanted("confidence", &["confidence"], false),
    // Without its time an event could not be imported twice without being counted twice.
    wanted("timestamp", &["timestamp"], true),
];

const fn wanted(field: &'static str, names: &'static [&'static str], is_required: bool) -> Wanted {
    Wanted { field, names, is_required }
}

/// The columns of an event, as `--map` moves them.
pub(super) fn columns(maps: &[Mapping]) -> Result<Columns<7>, String> {
    Columns::new(&FIELDS, maps)
}

/// The name under which a floor stands by its id.
const ID: &str = "floor_id";
/// The place of the floor among the fields.
const FLOOR: usize = 1;

/// Floors by name.
pub(in crate::cli) struct FloorNames(HashMap<String, i64>);

impl FloorNames {
    /// The floors that there are.
    pub(in crate::cli) fn new(floors: &[Floor]) -> Self {
        Self::of(floors.iter().map(|floor| (floor.name.clone(), floor.id)))
    }

    /// Floors by their names.
    pub(in crate::cli) fn of(floors: impl IntoIterator<Item = (String, i64)>) -> Self {
        Self(floors.into_iter().collect())
    }

    /// The id of the floor with this name, or else the id that the text is. Under the name
    /// `floor_id` the other way round: what is called an id is one, whatever other floors are
    /// called.
    pub(in crate::cli) fn id(&self, column: &str, text: &str) -> Option<i64> {
        let name = |name: &str| self.0.get(name).copied();
        let by_name = || name(text).or_else(|| name(text.trim()));
        let by_id = || text.trim().parse().ok().filter(|&id: &i64| id >= 1);
        if column.trim().eq_ignore_ascii_case(ID) {
            by_id().or_else(by_name)
        } else {
            by_name().or_else(by_id)
        }
    }
}

/// One row of a file.
pub(super) struct Row {
    /// The physical line that it begins on, from 1.
    pub(super) line: u64,
    /// The event, or why it is none.
    pub(super) event: Result<NewEvent, String>,
}

/// The first record of a table.
pub(super) struct Header {
    width: usize,
    /// The place of each field.
    places: [Option<usize>; 7],
    /// What the column of the floor is called.
    floor: String,
}

/// Rows that follow each other, or why reading came to an end too early.
pub(super) type Batch = io::Result<Vec<Row>>;

/// Reads the rows of one file.
pub(super) enum Reader<R> {
    /// A table whose header has been read.
    Csv { records: Records<R>, header: Header, floors: FloorNames },
    /// Objects line by line.
    Ndjson { lines: Lines<R>, columns: Columns<7>, floors: FloorNames },
}

impl<R: BufRead> Reader<R> {
    /// A reader of a table. `None` where the file is empty.
    ///
    /// # Errors
    /// Says which columns are missing.
    pub(super) fn csv(
        lines: Lines<R>,
        columns: &Columns<7>,
        floors: FloorNames,
    ) -> anyhow::Result<Option<Self>> {
        let mut records = Records::new(lines);
        let Some((line, header)) = records.next()? else {
            return Ok(None);
        };
        let header = header.map_err(|fault| anyhow::anyhow!("line {line}: {fault}"))?;
        let names: Vec<&str> = header.iter().collect();
        let places = columns.locate(&names).map_err(super::super::Usage)?;
        let floor = places[FLOOR].map_or("", |place| names[place]).to_owned();
        let header = Header { width: header.len(), places, floor };
        Ok(Some(Self::Csv { records, header, floors }))
    }

    /// A reader of objects.
    pub(super) fn ndjson(lines: Lines<R>, columns: Columns<7>, floors: FloorNames) -> Self {
        Self::Ndjson { lines, columns, floors }
    }

    /// The next row; `None` at the end.
    fn next(&mut self) -> io::Result<Option<Row>> {
        match self {
            Self::Csv { records, header, floors } => {
                let Some((line, cells)) = records.next()? else {
                    return Ok(None);
                };
                let event = cells.map_err(str::to_owned);
                let event = event.and_then(|cells| from_cells(&cells, header, floors));
                Ok(Some(Row { line, event }))
            }
            Self::Ndjson { lines, columns, floors } => loop {
                match lines.next()? {
                    Some(line) if line.is_blank() => {}
                    Some(Line { number, text }) => {
                        let event = text.map_err(str::to_owned);
                        let event = event.and_then(|text| from_object(&text, columns, floors));
                        return Ok(Some(Row { line: number, event }));
                    }
                    None => return Ok(None),
                }
            },
        }
    }

    /// Hands all rows on in batches; ends early where nobody takes them any more.
    pub(super) fn run(mut self, batches: &Sender<Batch>) {
        loop {
            let mut rows = Vec::with_capacity(IMPORT_BATCH_ROWS);
            let ended = loop {
                if rows.len() == IMPORT_BATCH_ROWS {
                    break None;
                }
                match self.next() {
                    Ok(Some(row)) => rows.push(row),
                    Ok(None) => break Some(Ok(())),
                    Err(fault) => break Some(Err(fault)),
                }
            };
            // What stands before a fault is good.
            if !rows.is_empty() && batches.blocking_send(Ok(rows)).is_err() {
                return;
            }
            match ended {
                None => {}
                Some(Ok(())) => return,
                Some(Err(fault)) => {
                    // Where the other side has gone, nobody asks for the reason.
                    let _ = batches.blocking_send(Err(fault));
                    return;
                }
            }
        }
    }
}

fn from_cells(cells: &Cells, header: &Header, floors: &FloorNames) -> Result<NewEvent, String> {
    let Header { width, places, floor: column } = header;
    if cells.len() != *width {
        return Err(format!("has {} cells where the header has {width}", cells.len()));
    }
    let cell = |field: usize| places[field].and_then(|place| cells.get(place)).unwrap_or_default();
    let name = |field: usize| Scalar::from_text_cell(csv_cells::undo(cell(field)));
    let mut faults = Vec::new();
    let raw = RawEvent {
        camera_id: name(0),
        floor_id: floor(column, name(FLOOR), floors, &mut faults),
        track_id: name(2),
        vehicle_type: Scalar::from_text_cell(cell(3).trim()),
        direction: Scalar::from_text_cell(cell(4).trim()),
        confidence: Scalar::from_number_cell(cell(5)),
        timestamp: Scalar::from_text_cell(cell(6).trim()),
        faults,
    };
    judged(raw)
}

fn from_object(text: &str, columns: &Columns<7>, floors: &FloorNames) -> Result<NewEvent, String> {
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|fault| {
        // Its own words could repeat what stands there.
        match fault.classify() {
            serde_json::error::Category::Data => "not a JSON object".to_owned(),
            _ => format!("not JSON, at column {}", fault.column()),
        }
    })?;
    let named = |field: usize| {
        let mut names = columns.names(field).iter();
        names.find_map(|name| Some((name.as_str(), Scalar::from(object.get(name)?))))
    };
    let member = |field: usize| named(field).map(|(_, value)| value);
    let (column, id_or_name) = named(FLOOR).unzip();
    let mut faults = Vec::new();
    let raw = RawEvent {
        camera_id: member(0),
        floor_id: floor(column.unwrap_or(""), id_or_name, floors, &mut faults),
        track_id: member(2),
        vehicle_type: member(3),
        direction: member(4),
        confidence: member(5),
        timestamp: member(6),
        faults,
    };
    judged(raw)
}

/// Puts the id in the place of a floor's name, which stands under the name `column`.
fn floor<'a>(
    column: &str,
    value: Option<Scalar<'a>>,
    floors: &FloorNames,
    faults: &mut Vec<FieldError>,
) -> Option<Scalar<'a>> {
    let Some(Scalar::Text(text)) = &value else {
        return value;
    };
    Some(Scalar::Int(floors.id(column, text).unwrap_or_else(|| {
        faults.push(FieldError::new("floor", "names no floor"));
        1 // Any: the fault refuses the row.
    })))
}

fn judged(raw: RawEvent<'_>) -> Result<NewEvent, String> {
    let is_timed = !matches!(raw.timestamp, None | Some(Scalar::Null));
    let missing = || FieldError::new("timestamp", Cow::Borrowed("is required"));
    let judged = match raw.judge() {
        Ok(event) if is_timed => return Ok(event),
        Ok(_) => vec![missing()],
        Err(Misfit { mut faults, .. }) => {
            faults.extend((!is_timed).then(missing));
            faults
        }
    };
    Err(crate::Error::Invalid(judged).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floors() -> FloorNames {
        let named = [("1F", 1), ("Roof", 2), ("7", 3)];
        FloorNames(named.map(|(name, id)| (name.to_owned(), id)).into())
    }

    fn read(mut reader: Reader<&[u8]>) -> Vec<(u64, Result<i64, String>)> {
        let next = || {
            let row = reader.next().unwrap()?;
            Some((row.line, row.event.map(|event| event.floor_id)))
        };
        std::iter::from_fn(next).collect()
    }

    fn csv(text: &str) -> Vec<(u64, Result<i64, String>)> {
        let columns = columns(&[]).unwrap();
        let reader = Reader::csv(Lines::new(text.as_bytes()), &columns, floors());
        read(reader.unwrap().unwrap())
    }

    const HEADER: &str = "camera_id,floor,track_id,vehicle_type,direction,timestamp\n";

    #[test]
    fn a_floor_is_named_by_its_name_or_else_by_its_id() {
        let table = [("1F", Ok(1)), ("Roof", Ok(2)), ("7", Ok(3)), ("2", Ok(2)), ("99", Ok(99))];
        for (floor, id) in table {
            let row = format!("c,{floor},t,car,entry,2026-02-12T10:00:00Z\n");
            assert_eq!(csv(&format!("{HEADER}{row}")), [(2, id)], "{floor}");
        }
        for (floor, told) in [("2F", "floor names no floor"), ("", "floor_id is required")] {
            let row = format!("c,{floor},t,car,entry,2026-02-12T10:00:00Z\n");
            assert_eq!(csv(&format!("{HEADER}{row}")), [(2, Err(told.to_owned()))]);
        }
    }

    #[test]
    fn what_is_called_an_id_is_one_whatever_floors_are_called() {
        let header = HEADER.replace("floor", " Floor_ID");
        for (floor, id) in [("7", Ok(7)), (" 2 ", Ok(2)), ("Roof", Ok(2)), ("1F", Ok(1))] {
            let row = format!("c,{floor},t,car,entry,2026-02-12T10:00:00Z\n");
            assert_eq!(csv(&format!("{header}{row}")), [(2, id)], "{floor}");
        }
        for (member, id) in
            [("\"floor_id\":\"7\"", 7), ("\"floor_id\":7", 7), ("\"floor\":\"7\"", 3)]
        {
            let text = format!(
                "{{\"camera_id\":\"c\",{member},\"track_id\":\"t\",\"vehicle_type\":\"car\",\
                 \"direction\":\"exit\",\"timestamp\":\"2026-02-12T10:00:00Z\"}}"
            );
            let lines = Lines::new(text.as_bytes());
            let reader = Reader::ndjson(lines, columns(&[]).unwrap(), floors());
            assert_eq!(read(reader), [(1, Ok(id))], "{member}");
        }
    }

    #[test]
    fn rows_that_do_not_fit_say_why_and_where() {
        let table = [
            ("c,1F,t,car,entry", "has 5 cells where the header has 6"),
            ("c,1F,t,car,entry,", "timestamp is required"),
            ("c,1F,t,boat,entry,2026-02-12T10:00:00Z", "vehicle_type must be one of"),
            ("c,1F,t,car,in,2026-02-12T10:00:00Z", "direction must be one of"),
            ("c,1F,t,car,entry,2026-02-12T10:00:00", "timestamp must carry an offset"),
            (",1F,t,car,entry,2026-02-12T10:00:00Z", "camera_id"),
        ];
        for (row, told) in table {
            let rows = csv(&format!("{HEADER}\n{row}\n"));
            let [(3, Err(fault))] = rows.as_slice() else {
                panic!("{row}: {rows:?}");
            };
            assert!(fault.contains(told), "{row}: {fault}");
        }
    }

    #[test]
    fn objects_are_read_line_by_line_and_more_members_are_passed_over() {
        let text = concat!(
            r#"{"camera_id":"c","floor_id":1,"track_id":"t","vehicle_type":"car","#,
            r#""direction":"exit","timestamp":"2026-02-12T10:00:00Z","plate":[1]}"#,
            "\n\nnonsense\n[]\n",
            r#"{"camera_id":"c","level":"Roof","track_id":"t","vehicle_type":"car","#,
            r#""direction":"exit","timestamp":null}"#,
        );
        let columns = columns(&["floor=level".parse().unwrap()]).unwrap();
        let rows = read(Reader::ndjson(Lines::new(text.as_bytes()), columns, floors()));
        let told: Vec<(u64, String)> = rows
            .into_iter()
            .map(|(line, event)| (line, event.map_or_else(|fault| fault, |id| id.to_string())))
            .collect();
        let expected = [
            (1, "floor_id is required"),
            (3, "not JSON, at column 2"),
            (4, "not a JSON object"),
            (5, "timestamp is required"),
        ];
        assert_eq!(told, expected.map(|(line, fault)| (line, fault.to_owned())));
    }
}
