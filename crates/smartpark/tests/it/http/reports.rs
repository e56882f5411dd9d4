//! Reports, as programs, spreadsheets and browsers get them.

use serde_json::{Value, json};

use crate::server::{TestServer, entry, event};

/// A server with a car that came and one that left on the day before.
fn served() -> TestServer {
    let server = TestServer::start();
    server.send_json("PATCH", "/floors/2", &json!({"name": "<Nook> & \"Co\""})).expect(200);
    server.post(&json!([entry("a", 100_000), event(2, "b", "entry", 90_000)])).expect(200);
    server
}

#[test]
fn a_report_is_told_as_json() {
    let server = served();
    let report = server.get("/report?month=2026-02").expect(200);
    assert_eq!(report["figures"]["entries"], 2);
    assert_eq!((&report["before"], &report["is_complete"]), (&Value::Null, &json!(false)));
    assert_eq!(report["days"][10]["date"], "2026-02-11");
    assert_eq!(report["floors"].as_array().unwrap().len(), 3);
    assert_eq!(report["heat"].as_array().unwrap().len(), 7);
    let day = server.get("/report?day=2026-02-11").expect(200);
    assert_eq!(day["figures"]["entries"], 2);
    let week = server.get("/report?week=2026-W07").expect(200);
    assert_eq!(
        (&week["period"], &week["start"]),
        (&"2026-W07".into(), &"2026-02-09T00:00:00Z".into())
    );
    let range = server.get("/report?start=2026-02-10&end=2026-02-11").expect(200);
    assert_eq!(
        (&range["end"], range["days"].as_array().unwrap().len()),
        (&"2026-02-12T00:00:00Z".into(), 2)
    );
}

#[test]
fn a_report_is_a_table_and_a_page() {
    let server = served();
    let table = server.get("/report.csv?start=2026-02-10&end=2026-02-11");
    assert_eq!(table.status, 200);
    let name = "attachment; filename=\"report-2026-02-10_2026-02-11.csv\"";
    assert_eq!(table.header("content-disposition"), name);
    let mut rows = csv::Reader::from_reader(table.bytes.as_slice());
    let rows: Vec<csv::StringRecord> = rows.records().collect::<Result<_, _>>().unwrap();
    // The site and three floors, each with two days.
    assert_eq!(rows.len(), 12);
    assert_eq!((&rows[0][1], &rows[0][2], &rows[0][3]), ("", "2026-02-10/2026-02-11", "2"));
    assert!(rows.iter().any(|row| &row[1] == "<Nook> & \"Co\"" && &row[2] == "2026-02-11"));
    let page = server.get("/report.html?month=2026-02");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").contains("style-src 'sha256-"));
    let text = String::from_utf8(page.bytes).unwrap();
    assert!(text.contains("&lt;Nook&gt; &amp; &quot;Co&quot;") && !text.contains("<Nook>"));
}

#[test]
fn periods_that_do_not_fit_are_named() {
    let server = served();
    let table = [
        ("", "month"),
        ("month=2026-13", "month"),
        ("month=2026-02-11", "month"),
        ("month=2026-03", "month"),
        ("week=2026-07", "week"),
        ("day=2026-02", "day"),
        ("month=2026-02&day=2026-02-11", "month"),
        ("start=2026-02-11", "end"),
        ("end=2026-02-11", "start"),
        ("start=2026-02-11&end=2026-02-10", "end"),
        ("start=2025-01-01&end=2025-12-31", "start"),
        ("year=2026&month=2026-02", "year"),
    ];
    for (query, field) in table {
        let told = server.get(&format!("/report?{query}"));
        let faults = told.expect(422)["errors"].as_array().unwrap().clone();
        let names = |fault: &Value| fault["pointer"].as_str().unwrap().ends_with(field);
        assert!(faults.iter().any(names), "{query}: {faults:?}");
    }
}
