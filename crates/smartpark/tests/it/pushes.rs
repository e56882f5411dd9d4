//! Pushes to a ParkAPI server and to context brokers, from the program as its users run it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use serde_json::{Value, json};

use crate::cli::program::{Folder, Server};

/// A request that a target got.
struct Got {
    line: String,
    headers: Vec<String>,
    body: Value,
}

impl Got {
    fn has(&self, header: &str) -> bool {
        self.headers.iter().any(|line| line.eq_ignore_ascii_case(header))
    }
}

/// A target that gives these answers in turn, and the last one from then on.
fn target(answers: &'static [(&str, &str)]) -> (u16, Receiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (got, receiver) = channel();
    std::thread::spawn(move || {
        for number in 0.. {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
                    break;
                }
                lines.push(line.trim().to_owned());
            }
            let length = lines.iter().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
            });
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).unwrap();
            let (status, text) = answers[usize::min(number, answers.len() - 1)];
            let length = text.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
            );
            stream.write_all(answer.as_bytes()).ok();
            let line = if lines.is_empty() { String::new() } else { lines.remove(0) };
            let body = serde_json::from_slice(&body).unwrap_or_default();
            if got.send(Got { line, headers: lines, body }).is_err() {
                return;
            }
        }
    });
    (port, receiver)
}

fn next(receiver: &Receiver<Got>) -> Got {
    receiver.recv_timeout(Duration::from_secs(60)).expect("a push")
}

const SITE: &str = "[site]\nid = 'central'\nlatitude = 48.5956\nlongitude = 8.8702\n";

#[test]
fn the_whole_state_is_pushed_again_after_a_failure_and_after_a_change() {
    let (port, got) = target(&[
        ("503 Away", ""),
        ("200 OK", r#"{"items": [], "errors": [{"message": "no"}]}"#),
        ("200 OK", r#"{"items": [{}], "errors": []}"#),
    ]);
    let folder = Folder::with_floors(&[("1F", 10)]);
    folder.file("uid.password", "secret words\n");
    let push = format!(
        "{SITE}[[push]]\nto = 'parkapi-v3'\nurl = 'http://127.0.0.1:{port}/sub'\n\
         source = 'uid'\npassword_file = 'uid.password'\n"
    );
    folder.file("smartpark.toml", push);
    let server = Server::start(&folder, &[]);
    let car = json!({"camera_id": "c", "floor_id": 1, "track_id": "t", "vehicle_type": "car",
        "direction": "entry"});
    let first = next(&got);
    assert!(first.line.starts_with("POST /sub/api/admin/v1/parking-sites/upsert-list "));
    // `uid:secret words` in base64.
    assert!(first.has("authorization: Basic dWlkOnNlY3JldCB3b3Jkcw=="), "{:?}", first.headers);
    assert_eq!(first.body["items"][0]["uid"], "central");
    assert_eq!(server.post("/events", &car).0, 201);
    let second = next(&got);
    assert_eq!(second.body["items"][0]["realtime_free_capacity"], 9, "the state of then");
    // The second answer refused the site: it is sent again, and the refusal is shown.
    next(&got);
    let attention = server.get("/attention").1["items"].to_string();
    assert!(attention.contains("it answered 503"), "{attention}");
    assert!(attention.contains("it refused 1 of the sites"), "{attention}");
    assert_eq!(
        server
            .post(
                "/events",
                &json!({"camera_id": "c", "floor_id": 1, "track_id": "u",
        "vehicle_type": "car", "direction": "entry"})
            )
            .0,
        201
    );
    assert_eq!(next(&got).body["items"][0]["realtime_free_capacity"], 8, "soon after a change");
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn context_brokers_get_their_entities_with_their_tenant() {
    let (port, got) = target(&[("204 No Content", "")]);
    let (other_port, other) = target(&[("204 No Content", "")]);
    let folder = Folder::with_floors(&[("1F", 10)]);
    let pushes = format!(
        "{SITE}[[push]]\nto = 'ngsi-ld'\nurl = 'http://127.0.0.1:{port}'\ntenant = 'town'\n\
         [[push]]\nto = 'ngsi-v2'\nurl = 'http://127.0.0.1:{other_port}'\ntenant = 'town'\n"
    );
    folder.file("smartpark.toml", pushes);
    let server = Server::start(&folder, &[]);
    let linked = next(&got);
    assert!(linked.line.starts_with("POST /ngsi-ld/v1/entityOperations/upsert?options=update "));
    assert!(linked.has("ngsild-tenant: town") && linked.has("content-type: application/ld+json"));
    assert_eq!(linked.body[0]["type"], "OffStreetParking");
    let second = next(&other);
    assert!(second.line.starts_with("POST /v2/op/update ") && second.has("fiware-service: town"));
    assert_eq!(second.body["actionType"], "append");
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn the_check_of_feeds_says_what_readers_will_miss() {
    let folder = Folder::with_floors(&[("1F", 10)]);
    let ran = folder.run(&["feeds", "check"]).ended(1);
    assert!(ran.out.contains("no latitude and longitude"), "{}", ran.out);
    let site = format!(
        "{SITE}address = 'Marktstraße 1, 71083 Musterstadt'\nkind = 'garage'\n\
         operator = 'Stadtwerke'\nopening_hours = '24/7'\n"
    );
    folder.file("smartpark.toml", site);
    let told = folder.run(&["feeds", "check", "--json"]).ended(1).json();
    let missing: Vec<&str> =
        told["missing"].as_array().unwrap().iter().map(|it| it["what"].as_str().unwrap()).collect();
    assert_eq!(missing, ["no sign of life of a camera"]);
    let now = smartpark::Clock::system().now().to_string();
    let car = [
        "record",
        "--camera-id",
        "c",
        "--floor",
        "1F",
        "--track-id",
        "t",
        "--direction",
        "entry",
        "--timestamp",
        &now,
    ];
    folder.run(&car).ok();
    let told = folder.run(&["feeds", "check", "--json"]).ok().json();
    assert_eq!(told["feeds"].as_array().unwrap().len(), 7);
}
