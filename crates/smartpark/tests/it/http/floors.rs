//! Floors: listed, recommended, managed, recounted.

use serde_json::{Value, json};

use super::bad_input::assert_problem;
use crate::server::{NOW, TestServer, entry, event};

fn names(floors: &Value) -> Vec<&str> {
    floors.as_array().unwrap().iter().map(|floor| floor["name"].as_str().unwrap()).collect()
}

#[test]
fn floors_are_listed_with_their_sums() {
    let server = TestServer::start();
    server.post(&entry("a", 9)).expect(201);
    let active = server.get("/floors").expect(200);
    assert_eq!(names(&active["floors"]), ["Ground Floor", "Nook"]);
    let sums = |floors: &Value| {
        ["total_slots", "current_vehicles", "available_slots"]
            .map(|name| floors[name].as_i64().unwrap())
    };
    assert_eq!(sums(&active), [51, 1, 50]);
    let percentage = active["occupancy_percentage"].as_f64().unwrap();
    assert!((percentage - 100.0 / 51.0).abs() < 1e-9);
    assert_eq!(server.get("/floors?include_inactive=false").expect(200), active);
    let all = server.get("/floors?include_inactive=true").expect(200);
    assert_eq!(names(&all["floors"]), ["Basement", "Ground Floor", "Nook"]);
    assert_eq!(sums(&all), [111, 1, 110]);
    let ground = json!({
        "id": 1, "name": "Ground Floor", "description": "Main", "total_slots": 50,
        "current_vehicles": 1, "available_slots": 49, "occupancy_percentage": 2.0,
        "is_active": true, "created_at": NOW,
        // It moves with every change, also where the clock stands.
        "updated_at": "2026-02-12T12:00:00.000001Z",
    });
    assert_eq!(all["floors"][1], ground);
    assert_eq!(server.get("/floors/1").expect(200), ground);
}

#[test]
fn the_recommended_floor_is_active_and_has_room() {
    let server = TestServer::start();
    let best = server.get("/floors/recommended").expect(200);
    assert_eq!(best["floor"]["name"], "Ground Floor");
    assert_eq!(names(&best["alternatives"]), ["Nook"]);
    let full = json!({"current_vehicles": 50, "reason": "concert"});
    server.send_json("PUT", "/floors/1/count", &full).expect(200);
    let best = server.get("/floors/recommended").expect(200);
    assert_eq!(best["floor"]["name"], "Nook");
    assert_eq!(best["alternatives"], json!([]));
    server.post(&event(2, "a", "entry", 9)).expect(201);
    let none = server.get("/floors/recommended").expect(200);
    assert_eq!(none, json!({"floor": null, "alternatives": []}));
}

#[test]
fn floors_are_added() {
    let server = TestServer::start();
    let answer = server.send_json("POST", "/floors", &json!({"name": "Roof", "total_slots": 0}));
    let roof = answer.expect(201);
    assert_eq!(answer.header("location"), format!("/floors/{}", roof["id"]));
    assert_eq!(roof["is_active"], true);
    assert_eq!(roof["description"], json!(null));
    assert_eq!(roof["occupancy_percentage"], 0.0);
    assert_eq!(server.get(answer.header("location")).expect(200), roof);
    let whole =
        json!({"name": "Deck", "total_slots": 5, "description": "windy\n", "is_active": false});
    let deck = server.send_json("POST", "/floors", &whole).expect(201);
    assert_eq!((&deck["description"], &deck["is_active"]), (&json!("windy\n"), &json!(false)));
    let taken = server.send_json("POST", "/floors", &json!({"name": "Roof", "total_slots": 1}));
    assert_problem(&taken, 409, "name-taken", &["#/name"]);
}

#[test]
fn floors_are_changed() {
    let server = TestServer::start();
    let change = |body: Value| server.send_json("PATCH", "/floors/1", &body);
    let same = change(json!({})).expect(200);
    assert_eq!(same["name"], "Ground Floor");
    let changed =
        change(json!({"name": "Level 0", "total_slots": 52, "is_active": false})).expect(200);
    let told = json!([changed["name"], changed["total_slots"], changed["is_active"]]);
    assert_eq!(told, json!(["Level 0", 52, false]));
    assert_eq!(changed["description"], "Main");
    assert_eq!(change(json!({"description": null})).expect(200)["description"], json!(null));
    assert_problem(&change(json!({"name": "Nook"})), 409, "name-taken", &["#/name"]);

    server.post(&json!([entry("a", 9), entry("b", 8), entry("c", 7)])).expect(200);
    server.clock.set("2026-02-12T12:10:00Z".parse().unwrap());
    let refused = change(json!({"total_slots": 2}));
    assert_problem(&refused, 409, "slots-below-count", &["#/total_slots"]);
    assert_eq!(server.floor(1).total_slots, 52);
    let refused = change(json!({"total_slots": 2, "force": false}));
    assert_problem(&refused, 409, "slots-below-count", &["#/total_slots"]);
    let forced = change(json!({"total_slots": 2, "force": true})).expect(200);
    assert_eq!((&forced["total_slots"], &forced["current_vehicles"]), (&json!(2), &json!(2)));
}

#[test]
fn floors_are_removed_unless_they_have_events() {
    let server = TestServer::start();
    server.post(&entry("a", 9)).expect(201);
    let before = server.state();
    let remove = |id: i64| server.send("DELETE", &format!("/floors/{id}"), &[], b"");
    assert_problem(&remove(1), 409, "floor-has-events", &[]);
    assert_eq!(server.state(), before);
    let answer = remove(2);
    assert_eq!((answer.status, answer.bytes.len()), (204, 0));
    assert_eq!(server.get("/floors/2").status, 404);
    assert_problem(&remove(2), 404, "not-found", &[]);
}

#[test]
fn a_recount_sets_the_count_and_leaves_an_adjustment() {
    let server = TestServer::start();
    let body = json!({"current_vehicles": 12, "reason": "night round"});
    let before = server.state().1.adjustments;
    let floor = server.send_json("PUT", "/floors/1/count", &body).expect(200);
    assert_eq!((&floor["id"], &floor["current_vehicles"]), (&json!(1), &json!(12)));
    assert_eq!(server.state().1.adjustments, before + 1);
}
