//! Withdrawals over HTTP: looked at first, made once, listed.

use serde_json::{Value, json};

use crate::server::{Answer, TestServer, entry};

fn withdraw(server: &TestServer, key: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    server.send("POST", "/withdrawals", &headers, body.to_string().as_bytes())
}

/// Nothing was withdrawn, for a reason of this kind.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, slug: &str) {
    let problem = answer.expect(status);
    assert_eq!(problem["type"], format!("urn:smartpark:problem:{slug}"), "{problem}");
}

#[test]
fn events_are_withdrawn_once_and_listed() {
    let server = TestServer::start();
    let id = server.post(&entry("a", 9)).expect(201)["event"]["id"].clone();
    server.post(&entry("b", 8)).expect(201);
    let selection = json!({"events": [id]});
    let preview = json!({"selection": selection, "preview": true});
    let effect = server.send_json("POST", "/withdrawals", &preview).expect(200);
    let floors = json!([{"floor_id": 1, "count_delta": -1, "vehicles": 1}]);
    assert_eq!(effect, json!({"events": 1, "changes": 0, "left": 0, "floors": floors}));
    assert_eq!(server.get("/floors/1").expect(200)["current_vehicles"], 2);
    let body = json!({"selection": selection, "reason": "a shadow"});
    let done = withdraw(&server, "k1", &body).expect(201);
    assert_eq!((&done["events"], &done["reason"]), (&json!(1), &json!("a shadow")));
    assert_eq!(withdraw(&server, "k1", &body).expect(201), done);
    assert_eq!(server.get("/floors/1").expect(200)["current_vehicles"], 1);
    let listed = server.get("/withdrawals").expect(200);
    assert_eq!(listed, json!({"withdrawals": [done], "next": null}));
    let changes = server.get("/changes?limit=1").expect(200);
    assert_eq!(changes["changes"][0]["kind"], "withdrawn");
    let back = json!({"selection": {"withdrawal": done["id"]}, "reason": "no shadow"});
    withdraw(&server, "k2", &back).expect(201);
    assert_eq!(server.get("/floors/1").expect(200)["current_vehicles"], 2);
}

#[test]
fn what_does_not_fit_is_refused() {
    let server = TestServer::start();
    let selection = json!({"start": "2026-02-12T10:00:00Z", "end": "2026-02-12T11:00:00Z"});
    let body = json!({"selection": selection, "reason": "a shadow"});
    assert_refused(&withdraw(&server, "k", &body), 409, "nothing-to-withdraw");
    assert_refused(&server.send_json("POST", "/withdrawals", &body), 422, "invalid-fields");
    for body in [
        json!({"selection": {}, "reason": "why"}),
        json!({"selection": selection, "reason": "x".repeat(1_001), "preview": true}),
        json!({"selection": selection, "reason": ""}),
        json!({"selection": {"events": ["1"]}, "reason": "why"}),
        json!({"selection": {"event": [1]}, "reason": "why"}),
        json!({"reason": "why"}),
        json!([]),
    ] {
        assert_refused(&withdraw(&server, "k", &body), 422, "invalid-fields");
    }
    let unknown = json!({"selection": {"withdrawal": 9}, "reason": "why"});
    assert_refused(&withdraw(&server, "k", &unknown), 404, "not-found");
}
