//! One event as JSON, through what reads the body of `POST /events`: an event that is what a plain
//! reading says, or a problem that names all that is wrong and repeats no value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use smartpark::http::fuzzing::{Read, read_body};
use smartpark_fuzz::{event::assert_judged, problem};

fuzz_target!(|bytes: &[u8]| {
    let text = std::str::from_utf8(bytes).ok();
    let json = text.filter(|text| serde_json::from_str::<Value>(text).is_ok());
    match (read_body(false, &[bytes]), json) {
        (Ok(Read::One(row)), Some(json)) => assert_judged(&row, json),
        // That is for the target `batch`.
        (Ok(Read::Many(_)), Some(json)) => assert!(json.trim_start().starts_with('[')),
        (Err(document), None) => {
            assert!(problem::faults(&document, 400, "not-json").is_empty(), "{document}");
            problem::assert_repeats_no_value(&document, []);
        }
        (read, _) => panic!("only one of two readings takes this for JSON: {read:?}"),
    }
});
