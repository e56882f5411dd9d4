//! Webhooks, from the program as its users run it: signed, in order, once more after a failure, and
//! never to an address inside.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};
use smartpark_formats::feed::{WebhookSecret, webhook_headers};

use crate::cli::program::{Folder, Server};

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A request that the receiver got.
#[derive(Debug)]
struct Got {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        &found.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).1
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The message's type and its free slots.
    fn told(&self) -> (String, i64) {
        let body = self.json();
        (body["type"].as_str().unwrap().to_owned(), body["data"]["free"].as_i64().unwrap())
    }

    /// The signature that a receiver works out.
    #[track_caller]
    fn assert_signed(&self) {
        let secret = WebhookSecret::parse(SECRET).unwrap();
        let seconds = self.header("webhook-timestamp").parse().unwrap();
        let at = Timestamp::from_second(seconds).unwrap();
        let id = self.header("webhook-id");
        let [_, _, (_, signature)] = webhook_headers(id, at, &self.body, &[secret]);
        assert_eq!(self.header("webhook-signature"), signature);
    }
}

/// A receiver that gives these answers in turn, and the last one from then on.
fn receiver(answers: &'static [&str]) -> (u16, Receiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (got, received) = channel();
    std::thread::spawn(move || {
        for number in 0.. {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut headers = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
                    break;
                }
                if let Some((name, value)) = line.trim().split_once(": ") {
                    headers.push((name.to_owned(), value.to_owned()));
                }
            }
            let length =
                headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
            reader.read_exact(&mut body).unwrap();
            let answer = answers[usize::min(number, answers.len() - 1)];
            let answer =
                format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).ok();
            if got.send(Got { headers, body }).is_err() {
                return;
            }
        }
    });
    (port, received)
}

fn next(received: &Receiver<Got>) -> Got {
    received.recv_timeout(Duration::from_secs(90)).expect("a message")
}

/// Adds a webhook to the configuration of a folder.
fn webhook(folder: &Folder, port: u16, more: &str) {
    folder.file("ops.whsec", format!("{SECRET}\n"));
    let path = folder.path().join("smartpark.toml");
    let before = std::fs::read_to_string(path).unwrap_or_default();
    let table = format!(
        "{before}\n[[webhook]]\nname = 'ops'\nurl = 'http://127.0.0.1:{port}/hooks'\n\
         secret_file = 'ops.whsec'\nevents = ['floor.full', 'floor.nearly_full', 'floor.free']\n\
         {more}\n"
    );
    folder.file("smartpark.toml", table);
}

/// Waits until it is stored that the receiver took this message.
fn settle(folder: &Folder, message: &Got) {
    let wanted = message.json()["data"]["position"].clone();
    loop {
        let state = folder.run(&["webhooks", "list", "--json"]).ok().json();
        if state["webhooks"][0]["position"] == wanted {
            return;
        }
    }
}

const ALLOWED: &str = "allow = ['127.0.0.0/8']";

fn car(server: &Server, floor: i64, track: &str, direction: &str) {
    let event = json!({"camera_id": "c", "floor_id": floor, "track_id": track,
        "vehicle_type": "car", "direction": direction});
    assert_eq!(server.post("/events", &event).0, 201);
}

fn full_and_free(folder: Folder) {
    let (port, received) = receiver(&["503 Away", "200 OK"]);
    webhook(&folder, port, ALLOWED);
    let server = Server::start(&folder, &[]);
    for track in ["a", "b"] {
        car(&server, 1, track, "entry");
    }
    car(&server, 1, "a", "exit");
    car(&server, 1, "d", "entry");
    let (first, again) = (next(&received), next(&received));
    first.assert_signed();
    again.assert_signed();
    assert_eq!(first.header("webhook-id"), again.header("webhook-id"), "an idempotency key");
    assert_eq!(first.body, again.body);
    assert_eq!(first.told(), ("floor.full".to_owned(), 0));
    let rest = [next(&received), next(&received)];
    let told: Vec<_> = rest.iter().map(Got::told).collect();
    assert_eq!(told, [("floor.free".to_owned(), 1), ("floor.full".to_owned(), 0)]);
    settle(&folder, &rest[1]);
    assert_eq!(server.stop().0, Some(0));
    // What was taken is not told again by the next server, and what happens then is.
    let server = Server::start(&folder, &[]);
    car(&server, 1, "d", "exit");
    assert_eq!(next(&received).told(), ("floor.free".to_owned(), 1));
    // A running server notices that it is to tell again; every message has the id that it had.
    let from = first.json()["data"]["position"].as_str().unwrap().to_owned();
    folder.run(&["webhooks", "replay", "ops", "--from", &from]).ok();
    assert_eq!(next(&received).told(), ("floor.free".to_owned(), 1));
    assert_eq!(next(&received).told(), ("floor.full".to_owned(), 0));
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn floors_that_fill_and_empty_are_told_in_order_and_again_after_a_failure() {
    full_and_free(Folder::with_floors(&[("1F", 2)]));
}

#[test]
fn floors_that_fill_and_empty_are_told_on_postgresql_too() {
    full_and_free(Folder::with_floors_in_postgres(&[("1F", 2)]));
}

#[test]
fn a_message_whose_answer_was_lost_has_the_same_id_after_a_kill() {
    let (port, received) = receiver(&["503 Away", "200 OK"]);
    let folder = Folder::with_floors(&[("1F", 1), ("2F", 1)]);
    webhook(&folder, port, &format!("{ALLOWED}\nfloors = ['2F']\nformat = 'cloudevents'"));
    let server = Server::start(&folder, &[]);
    car(&server, 1, "a", "entry");
    car(&server, 2, "b", "entry");
    let first = next(&received);
    assert_eq!(first.header("content-type"), "application/cloudevents+json");
    let event = first.json();
    assert_eq!(event["type"], "org.smartpark.floor.full");
    assert_eq!((&event["subject"], &event["data"]["name"]), (&json!("floor/2"), &json!("2F")));
    assert_eq!(event["id"], first.header("webhook-id"));
    server.kill();
    let server = Server::start(&folder, &[]);
    let again = next(&received);
    assert_eq!(first.header("webhook-id"), again.header("webhook-id"));
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn a_receiver_that_is_gone_is_left_alone_until_a_person_says_otherwise() {
    let (port, received) = receiver(&["410 Gone", "200 OK"]);
    let folder = Folder::with_floors(&[("1F", 1)]);
    webhook(&folder, port, ALLOWED);
    let server = Server::start(&folder, &[]);
    car(&server, 1, "a", "entry");
    let first = next(&received);
    let state = || folder.run(&["webhooks", "list", "--json"]).ok().json()["webhooks"][0].clone();
    while state()["state"] != "off" {
        std::thread::yield_now();
    }
    folder.run(&["webhooks", "replay", "ops"]).ok();
    assert_eq!(next(&received).header("webhook-id"), first.header("webhook-id"));
    while state()["state"] != "ok" {
        std::thread::yield_now();
    }
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn a_test_tells_how_the_receiver_answered() {
    let (port, received) = receiver(&["200 OK", "302 Found"]);
    let folder = Folder::with_floors(&[("1F", 1)]);
    webhook(&folder, port, ALLOWED);
    folder.run(&["webhooks", "test", "ops"]).ok();
    let got = next(&received);
    got.assert_signed();
    assert_eq!(got.json()["type"], "webhook.test");
    let ran = folder.run(&["webhooks", "test", "ops"]).ended(1);
    assert!(ran.out.contains("redirects are not followed"), "{}", ran.out);
    let ran = folder.run(&["webhooks", "test", "other"]).ended(2);
    assert!(ran.err.contains("there is no webhook other; there are: ops"), "{}", ran.err);
    let secret = folder.run(&["webhook", "secret"]).ok().out;
    assert!(WebhookSecret::parse(&secret).is_ok(), "{secret}");
}

#[test]
fn addresses_inside_are_refused_however_they_are_written() {
    let (port, received) = receiver(&["200 OK"]);
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0"] {
        let folder = Folder::with_floors(&[("1F", 1)]);
        folder.file("ops.whsec", SECRET);
        let table = format!(
            "[[webhook]]\nname = 'ops'\nurl = 'https://{host}:{port}/'\nevents = ['floor.full']\n\
             secret_file = 'ops.whsec'\nallow = ['10.0.0.0/8']\n"
        );
        folder.file("smartpark.toml", table);
        let ran = folder.run(&["webhooks", "test", "ops"]).ended(1);
        assert!(ran.out.contains("not on the public internet"), "{host}: {}", ran.out);
    }
    assert!(received.try_recv().is_err(), "something came");
}

#[test]
fn a_webhook_of_a_floor_that_does_not_exist_keeps_the_server_from_starting() {
    let folder = Folder::with_floors(&[("1F", 1)]);
    webhook(&folder, 9, &format!("{ALLOWED}\nfloors = ['9F']"));
    let ran = folder.run(&["serve", "--listen", "127.0.0.1:0"]).ended(2);
    assert!(ran.err.contains("webhook ops: there is no floor 9F"), "{}", ran.err);
}
