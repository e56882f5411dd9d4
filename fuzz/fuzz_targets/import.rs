//! Files for `smartpark import`: each row once and on its line, however the file is cut; what
//! `GET /events.csv` writes of the events is read back as the same.
#![no_main]

use std::io::{BufReader, Cursor, Read, Result};

use libfuzzer_sys::fuzz_target;
use smartpark::{
    Event, Floor, NewEvent, Timestamp,
    cli::fuzzing::{Row, read_rows},
    csv_cells::{defuse, undo},
    http::fuzzing::table,
};
use smartpark_fuzz::{is_name, pieces};

fuzz_target!(|bytes: &[u8]| {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let is_csv = text.trim_ascii_start().first() != Some(&b'{');
    let read = read_rows(is_csv, Cursor::new(bytes), &floors());
    let cut = BufReader::with_capacity(7, Pieces(pieces(bytes)));
    assert_eq!(read_rows(is_csv, cut, &floors()), read, "the pieces matter");
    let ended = [bytes, b"\n"].concat();
    assert_eq!(read_rows(is_csv, Cursor::new(ended), &floors()), read, "a last break matters");
    std::str::from_utf8(bytes).unwrap_or_default().split([',', '\n']).for_each(check_cell);
    // A file that is refused as a whole has no rows.
    let Ok(rows) = read else { return };
    check_lines(bytes, is_csv, &rows);
    let events: Vec<NewEvent> =
        rows.into_iter().filter_map(|(_, event)| event.ok().flatten()).collect();
    events.iter().for_each(check_event);
    check_written(&events);
});

/// A name that is a number and not the floor's id: the two must not be mixed up.
fn floors() -> Vec<Floor> {
    let floor = |(id, name): (i64, &str)| Floor {
        id,
        name: name.to_owned(),
        description: None,
        total_slots: 1,
        current_vehicles: 0,
        is_active: true,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    [(1, "1F"), (2, "Roof, north"), (3, "7"), (4, "=4")].map(floor).into()
}

/// A file that is read piece by piece.
struct Pieces<'a>(Vec<&'a [u8]>);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let Some(first) = self.0.first_mut() else { return Ok(0) };
        let read = first.read(into)?;
        if first.is_empty() {
            self.0.remove(0);
        }
        Ok(read)
    }
}

/// A cell is no formula, and what it was made of.
fn check_cell(text: &str) {
    let cell = defuse(text);
    assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{text:?}");
    assert_eq!(undo(&cell), text);
}

/// Each row begins on a line of its own that holds something. Of objects no such line is passed
/// over; of a table those above the header and records without any text are.
fn check_lines(bytes: &[u8], is_csv: bool, rows: &[Row]) {
    let is_blank = |line: &[u8]| std::str::from_utf8(line).is_ok_and(|it| it.trim().is_empty());
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = (1..).zip(broken(text));
    let full: Vec<u64> =
        lines.filter(|(_, line)| !is_blank(line)).map(|(number, _)| number).collect();
    let begun: Vec<u64> = rows.iter().map(|(line, _)| *line).collect();
    if is_csv {
        assert!(begun.is_sorted_by(|one, next| one < next), "{begun:?}");
        assert!(begun.iter().all(|line| full.contains(line)), "{begun:?} of {full:?}");
    } else {
        assert_eq!(begun, full);
    }
}

/// The lines of a text, which end with a line feed, a carriage return, or both.
fn broken(text: &[u8]) -> Vec<&[u8]> {
    let (mut lines, mut rest) = (Vec::new(), text);
    while let Some(end) = rest.iter().position(|byte| b"\r\n".contains(byte)) {
        let (line, after) = rest.split_at(end);
        lines.push(line);
        rest = after.strip_prefix(b"\r\n").unwrap_or(&after[1..]);
    }
    lines.push(rest);
    lines
}

fn check_event(event: &NewEvent) {
    assert!(is_name(&event.camera_id) && is_name(&event.track_id), "{event:?}");
    assert!(event.floor_id >= 1 && (0.0..=1.0).contains(&event.confidence), "{event:?}");
    assert!(event.timestamp.is_some(), "without its time it could be counted twice: {event:?}");
}

/// What is written of the events is read as the same.
fn check_written(events: &[NewEvent]) {
    let recorded = |(id, event): (i64, &NewEvent)| Event {
        id,
        camera_id: event.camera_id.clone(),
        floor_id: event.floor_id,
        track_id: event.track_id.clone(),
        vehicle_type: event.vehicle_type,
        direction: event.direction,
        confidence: event.confidence,
        timestamp: event.timestamp.unwrap_or_default(),
        created_at: Timestamp::UNIX_EPOCH,
        count_delta: 0,
        at_limit: None,
    };
    let written: Vec<Event> = (1..).zip(events).map(recorded).collect();
    // Of a floor that does not exist the file has only the id.
    let name = |id: i64| floors().into_iter().find(|floor| floor.id == id).map(|it| it.name);
    let text = table(&written, |id| name(id).unwrap_or_default());
    let read = read_rows(true, text.as_bytes(), &floors()).expect("it has all columns");
    let read: Vec<_> = read.into_iter().map(|(_, event)| event).collect();
    let expected: Vec<_> = events.iter().cloned().map(|event| Ok(Some(event))).collect();
    assert_eq!(read, expected, "{text}");
}
