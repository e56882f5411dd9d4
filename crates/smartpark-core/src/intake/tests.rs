//! Tables of inputs and what they are judged to be.

use super::*;
use crate::limits::MAX_BATCH_ROWS;

/// A good event with the member `field` replaced by `json`.
fn with(field: &str, json: &str) -> String {
    let good = [
        ("camera_id", r#""cam_001""#),
        ("floor_id", "1"),
        ("track_id", r#""t1""#),
        ("vehicle_type", r#""car""#),
        ("direction", r#""entry""#),
        ("confidence", "0.92"),
        ("timestamp", r#""2026-02-12T10:30:45Z""#),
    ];
    let members = good.map(|(name, value)| {
        let value = if name == field { json } else { value };
        format!(r#""{name}":{value}"#)
    });
    format!("{{{}}}", members.join(","))
}

fn judge(json: &str) -> Result<NewEvent, Vec<(String, String)>> {
    let raw = RawEvent::read(json.as_bytes()).expect("it is a JSON object");
    let pair = |fault: FieldError| (fault.field.into_owned(), fault.detail.into_owned());
    raw.judge().map_err(|misfit| misfit.faults.into_iter().map(pair).collect())
}

#[test]
fn a_good_event_is_taken_as_it_is() {
    let event = judge(&with("", "")).unwrap();
    let expected = NewEvent::new("cam_001", 1, "t1", VehicleType::Car, Direction::Entry)
        .at("2026-02-12T10:30:45Z".parse().unwrap())
        .confidence(0.92);
    assert_eq!(event, expected);
}

#[test]
fn optional_members_may_be_absent_or_null() {
    let bare = r#"{"camera_id":"c","floor_id":1,"track_id":"t","vehicle_type":"bus",
        "direction":"exit"}"#;
    let nulls = bare.replace('}', r#","confidence":null,"timestamp":null}"#);
    for json in [bare, &nulls] {
        let event = judge(json).unwrap();
        assert_eq!(event.timestamp, None);
        assert!((event.confidence - DEFAULT_CONFIDENCE).abs() < f64::EPSILON);
    }
}

#[test]
fn each_field_that_does_not_fit_is_named() {
    const LENGTH: &str = "must have 1 to 100 characters";
    const CONTROL: &str = "must not contain control characters";
    const TYPES: &str = "must be one of: car, motorcycle, bus, truck";
    const WAYS: &str = "must be one of: entry, exit";
    let long = format!(r#""{}""#, "x".repeat(101));
    let table: &[(&str, &str, &str)] = &[
        ("camera_id", "null", NOT_A_NAME),
        ("camera_id", "1", NOT_A_NAME),
        ("camera_id", "true", NOT_A_NAME),
        ("camera_id", "[\"cam\"]", NOT_A_NAME),
        ("camera_id", "\"\"", LENGTH),
        ("camera_id", &long, LENGTH),
        ("camera_id", r#""a\u0000b""#, CONTROL),
        ("camera_id", r#""a\nb""#, CONTROL),
        ("camera_id", r#""a\u0085b""#, CONTROL),
        ("track_id", "{\"a\":1}", NOT_A_NAME),
        ("track_id", &long, LENGTH),
        ("floor_id", "0", NOT_A_FLOOR_ID),
        ("floor_id", "-1", NOT_A_FLOOR_ID),
        ("floor_id", "1.0", NOT_A_FLOOR_ID),
        ("floor_id", "1e0", NOT_A_FLOOR_ID),
        ("floor_id", "\"1\"", NOT_A_FLOOR_ID),
        ("floor_id", "9223372036854775808", NOT_A_FLOOR_ID),
        ("floor_id", "99999999999999999999999", NOT_A_FLOOR_ID),
        ("floor_id", "null", NOT_A_FLOOR_ID),
        ("vehicle_type", "\"Car\"", TYPES),
        ("vehicle_type", "\"\"", TYPES),
        ("vehicle_type", "null", TYPES),
        ("vehicle_type", "0", TYPES),
        ("direction", "\"in\"", WAYS),
        ("direction", "[]", WAYS),
        ("confidence", "-0.001", NOT_A_CONFIDENCE),
        ("confidence", "1.0000001", NOT_A_CONFIDENCE),
        ("confidence", "2", NOT_A_CONFIDENCE),
        ("confidence", "18446744073709551615", NOT_A_CONFIDENCE),
        ("confidence", "\"0.5\"", NOT_A_CONFIDENCE),
        ("confidence", "false", NOT_A_CONFIDENCE),
    ];
    for (field, json, detail) in table {
        let expected = vec![((*field).to_owned(), (*detail).to_owned())];
        assert_eq!(judge(&with(field, json)), Err(expected), "{field}: {json}");
    }
    for json in ["1700000000", "true", "[]", "{}", "\"\""] {
        let faults = judge(&with("timestamp", json)).unwrap_err();
        assert_eq!(faults.len(), 1, "{json}");
        assert_eq!(faults[0].0, "timestamp", "{json}");
    }
}

#[test]
fn values_at_the_edge_fit() {
    let long = format!(r#""{}""#, "é".repeat(100));
    let table: &[(&str, &str)] = &[
        ("camera_id", &long),
        ("camera_id", r#"" <b>\"caméra\"</b> ""#),
        ("camera_id", "\"שער צפון 🚗 \u{200f}\""),
        ("floor_id", "9223372036854775807"),
        ("confidence", "0"),
        ("confidence", "1"),
        ("confidence", "1.0"),
        ("confidence", "-0"),
        ("confidence", "1e-320"),
    ];
    for (field, json) in table {
        assert!(judge(&with(field, json)).is_ok(), "{field}: {json}");
    }
    // To the last bit: or a repeat of what was answered would differ.
    let written = "0.9922337237048567";
    assert_eq!(judge(&with("confidence", written)).unwrap().confidence.to_string(), written);
    let zero = judge(&with("confidence", "-0")).unwrap().confidence;
    assert!(zero.is_sign_positive());
}

#[test]
fn a_floor_may_be_named() {
    let floors = |name: &str| (name == "Level 1").then_some(7);
    let judge = |members: &str| {
        let json = with("", "").replace(r#""floor_id":1,"#, members);
        let pair = |fault: FieldError| (fault.field.into_owned(), fault.detail.into_owned());
        RawEvent::read(json.as_bytes()).unwrap().judge_with(&floors).map(|it| it.floor_id).map_err(
            |misfit| misfit.faults.into_iter().map(pair).collect::<Vec<(String, String)>>(),
        )
    };
    let fault = |field: &str, detail: &str| Err(vec![(field.to_owned(), detail.to_owned())]);
    for (members, expected) in [
        (r#""floor":"Level 1","#, Ok(7)),
        (r#""floor":"Level 1","floor_id":7,"#, Ok(7)),
        (r#""floor":"Level 1","floor_id":null,"#, Ok(7)),
        (r#""floor":null,"floor_id":3,"#, Ok(3)),
        (r#""floor":"Level 1","floor_id":3,"#, fault("floor", ANOTHER_FLOOR)),
        (r#""floor":"Level 2","#, fault("floor", NO_SUCH_FLOOR)),
        (r#""floor":"Level 2","floor_id":3,"#, fault("floor", NO_SUCH_FLOOR)),
        (r#""floor":7,"#, fault("floor", NOT_A_NAME)),
        (r#""floor":"Level 1","floor_id":0,"#, fault("floor_id", NOT_A_FLOOR_ID)),
        ("", fault("floor_id", REQUIRED)),
    ] {
        assert_eq!(judge(members), expected, "{members}");
    }
}

#[test]
fn all_faults_are_named_at_once() {
    let faults = judge(r#"{"camera_id":"","camera_id":"x","colour":"red","colour":1}"#);
    let faults = faults.unwrap_err();
    let fields: Vec<&str> = faults.iter().map(|(field, _)| field.as_str()).collect();
    let expected =
        ["camera_id", "floor_id", "track_id", "vehicle_type", "direction", "camera_id", "colour"];
    assert_eq!(fields, expected);
    assert_eq!(faults[1].1, REQUIRED);
    assert_eq!(faults[5].1, "must be given only once");
    assert_eq!(faults[6].1, "is not a known field");
}

#[test]
fn a_member_that_was_null_first_is_repeated_too() {
    let twice = with("confidence", r#"null,"confidence":0.5"#);
    assert_eq!(judge(&twice).unwrap_err()[0].0, "confidence");
}

#[test]
fn names_of_unknown_members_are_shown_short_and_clean() {
    let name = format!(r"a\n\u001b{}", "b".repeat(200));
    let json = with("timestamp", &format!(r#"null,"{name}":{{"x":[1,2]}}"#));
    let faults = judge(&json).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].0, format!("a{}", "b".repeat(99)));
}

#[test]
fn of_very_many_unknown_members_the_number_is_told() {
    let many: Vec<String> = (0..50).map(|i| format!(r#""x{i}":0"#)).collect();
    let json = with("timestamp", &format!("null,{}", many.join(",")));
    let faults = judge(&json).unwrap_err();
    assert_eq!(faults.len(), 21);
    let last = (String::new(), "has 30 more members that are not known".to_owned());
    assert_eq!(faults[20], last);
}

#[test]
fn what_is_no_json_is_told_from_what_does_not_fit() {
    let deep = |depth| with("camera_id", &("[".repeat(depth) + &"]".repeat(depth)));
    let good = with("", "");
    let not_json: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b" ".to_vec(),
        b"{".to_vec(),
        b"{'camera_id':1}".to_vec(),
        format!("{good} x").into_bytes(),
        format!("{good}{good}").into_bytes(),
        format!("\u{feff}{good}").into_bytes(),
        with("confidence", "NaN").into_bytes(),
        with("confidence", "1e999").into_bytes(),
        with("confidence", "01").into_bytes(),
        with("confidence", "[1e999]").into_bytes(),
        with("confidence", r#"1,"x":[{"y":-1e999}]"#).into_bytes(),
        with("camera_id", r#""\ud800""#).into_bytes(),
        with("camera_id", r#"{"a":"\q"}"#).into_bytes(),
        with("camera_id", "\"\n\"").into_bytes(),
        [&b"{\"x\":\""[..], b"\xff", b"\"}"].concat(),
        [&b"{\"camera_id\":\""[..], b"\xc3", b"\"}"].concat(),
        deep(200).into_bytes(),
        deep(100_000).into_bytes(),
        vec![b'['; 1_000_000],
    ];
    for json in not_json {
        let shown = String::from_utf8_lossy(&json[..json.len().min(80)]).into_owned();
        let one = RawEvent::read(&json).map(|_| ());
        assert!(matches!(one, Err(Unreadable::NotJson(_))), "{shown}");
        let any = read_events(&json).map(|_| ());
        assert!(matches!(any, Err(Unreadable::NotJson(_))), "{shown}");
    }
    assert!(judge(&deep(100)).is_err());
    for json in ["[]", "1", "-1", "1.5", "null", "true", "\"x\"", "[{}]"] {
        let one = RawEvent::read(json.as_bytes());
        assert_eq!(one, Err(Unreadable::NotAnObject), "{json}");
    }
}

#[test]
fn the_position_of_a_syntax_error_is_told_but_not_the_input() {
    let error = RawEvent::read(b"{\"camera_id\": secret}").unwrap_err();
    let text = error.to_string();
    assert_eq!(text, "not JSON: expected value at line 1 column 15");
}

#[test]
fn an_array_is_judged_row_by_row() {
    let json = format!("[{}, [], 5, {}]", with("", ""), with("floor_id", "0"));
    let Ok(Input::Many(rows)) = read_events(json.as_bytes()) else { panic!("an array is many") };
    let faults = vec![FieldError::new("", NOT_AN_OBJECT)];
    let object = Err(Misfit { camera_id: None, faults });
    assert!(rows[0].is_ok());
    assert_eq!(rows[1], object);
    assert_eq!(rows[2], object);
    let misfit = rows[3].as_ref().unwrap_err();
    assert_eq!(misfit.faults[0].field, "floor_id");
    assert_eq!(misfit.camera_id.as_deref(), Some("cam_001"));
    assert_eq!(read_events(b"[]"), Ok(Input::Many(vec![])));
    assert!(matches!(read_events(with("", "").as_bytes()), Ok(Input::One(Ok(_)))));
    assert_eq!(read_events(b"7"), Ok(Input::One(object)));
}

#[test]
fn an_array_that_is_too_long_is_refused_as_a_whole() {
    let rows = |count: usize| format!("[{}]", vec!["0"; count].join(","));
    let most = read_events(rows(MAX_BATCH_ROWS).as_bytes());
    assert!(matches!(most, Ok(Input::Many(rows)) if rows.len() == MAX_BATCH_ROWS));
    let more = rows(MAX_BATCH_ROWS + 1);
    assert_eq!(read_events(more.as_bytes()), Ok(Input::TooMany));
    let broken = more.replace(']', ",");
    assert!(read_events(broken.as_bytes()).is_err());
}

#[test]
fn instants_are_strictly_rfc_3339() {
    let good = [
        ("2026-02-12T10:30:45Z", "2026-02-12T10:30:45Z"),
        ("2026-02-12t10:30:45z", "2026-02-12T10:30:45Z"),
        ("2026-02-12T10:30:45+01:00", "2026-02-12T09:30:45Z"),
        ("2026-02-12T10:30:45-23:59", "2026-02-13T10:29:45Z"),
        ("2026-02-12T10:30:45-00:00", "2026-02-12T10:30:45Z"),
        ("2026-02-12T10:30:45.1Z", "2026-02-12T10:30:45.1Z"),
        ("2026-02-12T10:30:45.1234569999999Z", "2026-02-12T10:30:45.123456Z"),
        ("1950-01-01T00:00:00.9999999Z", "1950-01-01T00:00:00.999999Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"),
        ("2017-01-01T00:59:60.5+01:00", "2016-12-31T23:59:59.999999Z"),
        ("1960-12-31T23:59:60Z", "1960-12-31T23:59:59.999999Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
    ];
    for (text, expected) in good {
        let instant = parse_instant(text).map(|instant| instant.to_string());
        assert_eq!(instant.as_deref(), Ok(expected), "{text}");
    }
    let not_an_instant = [
        "",
        "now",
        "2026-02-12",
        "2026-02-12 10:30:45Z",
        "2026-02-12T10:30Z",
        "2026-02-12T10:30:45.Z",
        "2026-02-12T10:30:45,5Z",
        "2026-02-12T10:30:45Z ",
        " 2026-02-12T10:30:45Z",
        "2026-02-12T10:30:45ZZ",
        "2026-02-12T10:30:45+01",
        "2026-02-12T10:30:45+0100",
        "2026-02-12T10:30:45+24:00",
        "2026-02-12T10:30:45+01:60",
        "2026-02-12T10:30:45Z[UTC]",
        "2026-02-12T10:30:45\u{2212}01:00",
        "2026-02-30T10:30:45Z",
        "2026-13-01T10:30:45Z",
        "2026-00-01T10:30:45Z",
        "2025-02-29T00:00:00Z",
        "2026-02-12T24:00:00Z",
        "2026-02-12T10:60:45Z",
        "2026-02-12T10:30:61Z",
        "2026-02-12T10:30:60Z",
        "1960-12-31T23:59:60+01:00",
        "10000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "+2026-02-12T10:30:45Z",
        "20260212T103045Z",
        "２026-02-12T10:30:45Z",
        "1770892245",
    ];
    for text in not_an_instant {
        assert!(
            matches!(parse_instant(text), Err(detail) if detail.starts_with("must be an existing")),
            "{text}"
        );
    }
    for text in ["2026-02-12T10:30:45", "2026-02-12T10:30:45.25"] {
        assert!(matches!(parse_instant(text), Err(detail) if detail.contains("offset")), "{text}");
    }
    for text in ["0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-01:00"] {
        assert!(matches!(parse_instant(text), Err(detail) if detail.contains("years")), "{text}");
        assert!(matches!(parse_bound(text), Err(detail) if detail.contains("years")), "{text}");
    }
}

#[test]
fn a_bound_may_lie_in_the_last_hours_of_the_year_9999() {
    const LAST: Timestamp = Timestamp::constant(253_402_207_200, 999_999_000);
    assert!(Timestamp::MAX.as_microsecond() == LAST.as_microsecond());
    for text in ["9999-12-31T23:59:59Z", "9999-12-31T22:59:59-01:00", "9999-12-30T22:00:01Z"] {
        assert!(matches!(parse_instant(text), Err(detail) if detail.contains("future")), "{text}");
        // A camera that says so has a clock that is ahead, which the recorder refuses as such.
        let event = judge(&with("timestamp", &format!("\"{text}\""))).unwrap();
        assert_eq!(event.timestamp, Some(LAST), "{text}");
        assert_eq!(parse_bound(text), Ok(LAST), "{text}");
    }
    for text in ["9999-12-30T22:00:00Z", "2026-02-12T10:30:45Z"] {
        assert_eq!(parse_bound(text), parse_instant(text), "{text}");
    }
}

#[test]
fn cells_of_a_table_become_values() {
    let text = |text| Some(Scalar::Text(Cow::Borrowed(text)));
    assert_eq!(Scalar::from_text_cell(""), None);
    assert_eq!(Scalar::from_text_cell("3"), text("3"));
    let numbers = [
        ("", None),
        ("3", Some(Scalar::Int(3))),
        (" 3 ", Some(Scalar::Int(3))),
        ("1.00", Some(Scalar::Float(1.0))),
        ("8e-1", Some(Scalar::Float(0.8))),
        ("1e999", text("1e999")),
        ("inf", text("inf")),
        ("NaN", text("NaN")),
        ("0x10", text("0x10")),
        ("three", text("three")),
    ];
    for (cell, expected) in numbers {
        assert_eq!(Scalar::from_number_cell(cell), expected, "{cell}");
    }
    let json: Value = serde_json::from_str(r#"[null, true, 3, 0.5, "x", []]"#).unwrap();
    let scalars: Vec<Scalar<'_>> = json.as_array().unwrap().iter().map(Scalar::from).collect();
    let expected = [
        Scalar::Null,
        Scalar::Bool(true),
        Scalar::Int(3),
        Scalar::Float(0.5),
        Scalar::Text("x".into()),
        Scalar::Nested,
    ];
    assert_eq!(scalars, expected);
}
