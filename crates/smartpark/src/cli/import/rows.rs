//! From the rows of a file to events, in batches, in a thread ahead of the recording.

use std::io::{self, BufRead};

use smartpark_formats::file::{Header, MappedWord, Reading, Rules};
use tokio::sync::mpsc::Sender;

use super::super::input::{Line, Lines, Records};
use crate::{NewEvent, limits::IMPORT_BATCH_ROWS};

/// One row of a file.
pub(super) struct Row {
    /// The physical line that it begins on, from 1.
    pub(super) line: u64,
    /// The event, or why it is none; nothing if it is of something that is not counted.
    pub(super) event: Result<Option<NewEvent>, String>,
    /// The foreign words in it.
    pub(super) mapped: Vec<MappedWord>,
}

impl Row {
    fn new(line: u64, Reading { event, mapped }: Reading) -> Self {
        Self { line, event, mapped }
    }
}

/// Rows that follow each other, or why reading came to an end too early.
pub(super) type Batch = io::Result<Vec<Row>>;

/// Reads the rows of one file.
pub(super) enum Reader<R> {
    /// A table whose header has been read.
    Csv { records: Records<R>, header: Box<Header<9>>, rules: Box<Rules> },
    /// Objects line by line.
    Ndjson { lines: Lines<R>, rules: Box<Rules> },
}

impl<R: BufRead> Reader<R> {
    /// A reader of a table. `None` where the file is empty.
    ///
    /// # Errors
    /// Says which columns are missing, and what stands there instead.
    pub(super) fn csv(lines: Lines<R>, rules: Rules) -> anyhow::Result<Option<Self>> {
        let opened = Records::open(lines, rules.columns())?;
        let rules = Box::new(rules);
        Ok(opened.map(|(records, header)| Self::Csv { records, header: Box::new(header), rules }))
    }

    /// A reader of objects.
    pub(super) fn ndjson(lines: Lines<R>, rules: Rules) -> Self {
        Self::Ndjson { lines, rules: Box::new(rules) }
    }

    /// The next row; `None` at the end.
    fn next(&mut self) -> io::Result<Option<Row>> {
        match self {
            Self::Csv { records, header, rules } => loop {
                let Some((line, cells)) = records.next()? else {
                    return Ok(None);
                };
                let cells = match cells {
                    Ok(cells) => cells,
                    Err(told) => {
                        let reading = Reading { event: Err(told.to_owned()), mapped: Vec::new() };
                        return Ok(Some(Row::new(line, reading)));
                    }
                };
                let reading = rules.from_cells(&cells, header);
                // Files that were put together of several have their header again, perhaps with
                // the columns in another order.
                let again = reading.event.as_ref().err();
                match again.and_then(|_| rules.header_again(&cells, header)) {
                    Some(next) => **header = next,
                    None => return Ok(Some(Row::new(line, reading))),
                }
            },
            Self::Ndjson { lines, rules } => loop {
                match lines.next()? {
                    Some(line) if line.is_blank() => {}
                    Some(Line { number, text }) => {
                        let reading = match text {
                            Ok(text) => rules.from_object(&text),
                            Err(told) => {
                                Reading { event: Err(told.to_owned()), mapped: Vec::new() }
                            }
                        };
                        return Ok(Some(Row::new(number, reading)));
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

#[cfg(test)]
mod tests {
    use smartpark_formats::file::{Columns, EVENT, FloorNames, Mapping};

    use super::*;

    fn rules(maps: &[&str]) -> Rules {
        let maps: Vec<Mapping> = maps.iter().map(|map| map.parse().unwrap()).collect();
        let named = [("1F", 1), ("Roof", 2), ("7", 3)];
        let floors = FloorNames::of(named.map(|(name, id)| (name.to_owned(), id)));
        Rules::new(Columns::new(&EVENT, &maps, &[]).unwrap(), floors, "here".to_owned())
    }

    fn read(mut reader: Reader<&[u8]>) -> Vec<(u64, Result<i64, String>)> {
        let next = || {
            let row = reader.next().unwrap()?;
            Some((row.line, row.event.map(|event| event.map_or(0, |event| event.floor_id))))
        };
        std::iter::from_fn(next).collect()
    }

    fn csv(text: &str) -> Vec<(u64, Result<i64, String>)> {
        let reader = Reader::csv(Lines::new(text.as_bytes()), rules(&[]));
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
            let reader = Reader::ndjson(lines, rules(&[]));
            assert_eq!(read(reader), [(1, Ok(id))], "{member}");
        }
    }

    #[test]
    fn rows_that_do_not_fit_say_why_and_where() {
        let table = [
            ("c,1F,t,car,entry", "has 5 cells where the header has 6"),
            ("c,1F,t,car,entry,", "timestamp is required"),
            ("c,1F,t,boat,entry,2026-02-12T10:00:00Z", "vehicle_type must be one of"),
            ("c,1F,t,car,up,2026-02-12T10:00:00Z", "direction must be one of"),
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
        let rows = read(Reader::ndjson(Lines::new(text.as_bytes()), rules(&["floor=level"])));
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
