//! Instants: taken or refused as another reading says, and read again as they are written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smartpark::{Timestamp, intake::parse_instant};
use smartpark_fuzz::{SECRET, instant};

fuzz_target!(|text: &str| {
    let read = parse_instant(text);
    let micros = read.ok().map(Timestamp::as_microsecond);
    assert_eq!(micros, instant::micros(text), "{text:?}");
    match read {
        Ok(read) => {
            assert_eq!(read.subsec_nanosecond() % 1_000, 0, "{text:?}");
            let written = read.to_string();
            assert!(written.len() <= "9999-12-30T22:00:00.999999Z".len(), "{written}");
            assert_eq!(parse_instant(&written), Ok(read), "{text:?}");
        }
        Err(detail) => assert!(!detail.is_empty() && !detail.contains(SECRET), "{detail}"),
    }
});
