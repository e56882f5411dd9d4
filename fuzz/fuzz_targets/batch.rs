//! Many events, as an array and one a line, through what reads the body of `POST /events`: as many
//! rows as were sent, each in its place and judged as it would be alone, however the body is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, value::RawValue};
use smartpark::{
    NewEvent,
    http::fuzzing::{Judged, Read, read_body},
    limits::MAX_BATCH_ROWS,
};
use smartpark_fuzz::{event::assert_judged, pieces, problem};

fuzz_target!(|bytes: &[u8]| {
    let json = read_body(false, &[bytes]);
    let lines = read_body(true, &[bytes]);
    let pieces = pieces(bytes);
    assert_eq!(read_body(false, &pieces), json, "the pieces of JSON matter");
    assert_eq!(read_body(true, &pieces), lines, "the pieces of lines matter");
    check_lines(bytes, lines);
    let text = std::str::from_utf8(bytes).ok();
    // Taking items out as they stand does not look into them; this does.
    let text = text.filter(|text| serde_json::from_str::<Value>(text).is_ok());
    let items = text.and_then(|text| serde_json::from_str(text).ok());
    match (json, items) {
        (Ok(Read::Many(rows)), Some(items)) => check_array(&rows, items),
        (Ok(Read::Many(_)), None) => panic!("an array that no other reading takes for one"),
        (Err(document), Some(items)) if items.len() > MAX_BATCH_ROWS => {
            problem::faults(&document, 413, "too-many-rows");
        }
        // One event, or no JSON: that is for the target `event`.
        _ => {}
    }
});

fn check_array(rows: &[Judged<NewEvent>], items: Vec<&RawValue>) {
    assert_eq!(rows.len(), items.len());
    for (row, item) in rows.iter().zip(&items) {
        assert_judged(row, item.get());
        match read_body(false, &[item.get().as_bytes()]) {
            Ok(Read::One(alone)) => assert_eq!(*row, alone, "a row is judged otherwise alone"),
            // An array in an array is no event.
            Ok(Read::Many(_)) => assert!(row.is_err()),
            Err(document) => panic!("a row that alone is no JSON: {document}"),
        }
    }
    // One a line they are the same rows, where a line can hold each of them.
    if !items.iter().any(|item| item.get().contains('\n')) {
        let lines: Vec<&str> = items.iter().map(|item| item.get()).collect();
        let same = read_body(true, &[lines.join("\n").as_bytes()]);
        assert!(matches!(same, Ok(Read::Many(same)) if same == rows), "lines are judged otherwise");
    }
}

fn check_lines(bytes: &[u8], read: Judged<Read>) {
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines: Vec<&[u8]> = lines.filter(|line| !line.trim_ascii().is_empty()).collect();
    let rows = match read {
        Ok(Read::Many(rows)) => rows,
        Ok(Read::One(_)) => panic!("lines are always a batch"),
        Err(document) => {
            problem::faults(&document, 413, "too-many-rows");
            return assert!(lines.len() > MAX_BATCH_ROWS);
        }
    };
    assert_eq!(rows.len(), lines.len());
    for (row, line) in rows.iter().zip(lines) {
        let alone = read_body(true, &[line]);
        assert!(matches!(alone, Ok(Read::Many(alone)) if alone == [row.clone()]));
        if let Err(document) = row
            && document.contains(":not-json\"")
        {
            assert!(problem::faults(document, 400, "not-json").is_empty());
            problem::assert_repeats_no_value(document, []);
        } else {
            assert_judged(row, std::str::from_utf8(line).expect("JSON is UTF-8"));
        }
    }
}
