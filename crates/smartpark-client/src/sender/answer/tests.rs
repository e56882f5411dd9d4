use super::*;

fn response(status: u16, body: &str) -> Answer {
    Answer::Response { status, retry_after: None, body: body.as_bytes().to_vec() }
}

/// The outcomes of rows in one word each.
fn told(answer: &Answer, events: usize) -> String {
    let word = |outcome: &Option<Outcome>| match outcome {
        None => "again",
        Some(Outcome::Delivered) => "delivered",
        Some(Outcome::Held(_)) => "held",
        Some(Outcome::Dead(_)) => "dead",
        Some(Outcome::TooOld(_)) => "too-old",
    };
    match meaning(answer, events) {
        Meaning::Rows(outcomes) => outcomes.iter().map(word).collect::<Vec<_>>().join(" "),
        Meaning::Refused(outcome) => format!("refused: {}", word(&Some(outcome))),
        Meaning::Unknown { .. } => "unknown".to_owned(),
    }
}

#[test]
fn a_status_decides_what_becomes_of_a_request() {
    let problem = |slug: &str| format!("{{\"type\":\"urn:smartpark:problem:{slug}\"}}");
    let table = [
        (301, "", "unknown"),
        (400, "", "refused: dead"),
        (401, "unauthorized", "refused: dead"),
        (404, "not-found", "refused: dead"),
        (408, "too-slow", "unknown"),
        (409, "at-limit", "refused: delivered"),
        (409, "name-taken", "refused: dead"),
        (422, "invalid-fields", "refused: dead"),
        (422, "unknown-floor", "refused: dead"),
        (422, "in-future", "refused: held"),
        (422, "future", "refused: held"),
        (422, "clock_lag", "refused: held"),
        (422, "too-old", "refused: too-old"),
        (429, "too-many-requests", "unknown"),
        (500, "internal", "unknown"),
        (503, "unavailable", "unknown"),
        (599, "", "unknown"),
    ];
    for (status, slug, expected) in table {
        assert_eq!(told(&response(status, &problem(slug)), 1), expected, "{status} {slug}");
    }
}

#[test]
fn rows_are_told_apart() {
    let body = r#"{"recorded":1,"duplicates":1,"at_limit":0,"rejected":3,"errors":[
        {"index":4,"type":"urn:smartpark:problem:unavailable","status":503},
        {"index":1,"type":"urn:smartpark:problem:in-future","status":422},
        {"index":3,"type":"urn:smartpark:problem:unknown-floor","status":422}]}"#;
    assert_eq!(told(&response(200, body), 5), "delivered held delivered dead again");
    assert_eq!(told(&response(201, r#"{"duplicate":false,"event":{}}"#), 1), "delivered");
}

#[test]
fn an_answer_that_is_not_about_these_events_says_nothing() {
    let bodies = [
        "",
        "<html>Log in to the hotel's network</html>",
        "{}",
        "[]",
        r#"{"recorded":1,"duplicates":0,"rejected":0,"errors":[]}"#,
        r#"{"recorded":2,"duplicates":1,"rejected":0,"errors":[]}"#,
        r#"{"recorded":1,"duplicates":0,"rejected":1,"errors":[]}"#,
        r#"{"recorded":1,"duplicates":0,"rejected":1,"errors":[{"index":2,"status":422}]}"#,
        r#"{"recorded":0,"duplicates":0,"rejected":2,
            "errors":[{"index":0,"status":422},{"index":0,"status":422}]}"#,
        r#"{"recorded":18446744073709551615,"duplicates":3,"rejected":0,"errors":[]}"#,
        r#"{"recorded":2,"duplicates":0,"rejected":0,"err"#,
        r#"{"duplicate":true}"#,
    ];
    for body in bodies {
        assert_eq!(told(&response(200, body), 2), "unknown", "{body}");
    }
}

#[test]
fn reasons_are_for_people_and_bounded() {
    let body = r##"{"type":"x","detail":"1 field does not fit\u0007",
        "errors":[{"pointer":"#/floor_id","detail":"names no floor"}]}"##;
    let Meaning::Refused(Outcome::Dead(refusal)) = meaning(&response(422, body), 1) else {
        panic!("it is not refused")
    };
    assert_eq!(refusal.reason, "1 field does not fit; floor_id names no floor");
    assert_eq!(shown(&"x".repeat(9_999)).len(), MAX_REASON_CHARS);
}
