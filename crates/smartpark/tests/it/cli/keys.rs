//! Keys on the command line, and the servers that ask for them.

use serde_json::{Value, json};

use super::program::{Folder, Server, agent};
use crate::postgres::Schema;

/// Makes a key; returns it.
fn add(folder: &Folder, database: &str, args: &[&str]) -> String {
    let ran = folder.run(&[&["key", "add", "--database", database], args].concat()).ok();
    assert!(ran.err.contains("not shown again"), "{}", ran.err);
    ran.out.trim_end().to_owned()
}

/// The status of a GET with these headers, and the cookie that came with it.
fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let mut request = agent().get(format!("{}{path}", server.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = request.call().unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Asks again and again until the answer has this status: keys end within seconds, not at once.
#[track_caller]
fn until(status: u16, server: &Server, headers: &[(&str, &str)]) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while get(server, "/floors", headers).0 != status {
        assert!(std::time::Instant::now() < deadline, "{headers:?} is not {status}");
    }
}

/// Signs in; the cookie.
fn sign_in(server: &Server, key: &str) -> String {
    let request = agent().post(format!("{}/session", server.url));
    let body = json!({"key": key}).to_string();
    let answer = request.header("content-type", "application/json").send(body).unwrap();
    assert_eq!(answer.status(), 200);
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

#[test]
fn a_key_is_printed_once_and_listed_without_its_secret() {
    let folder = Folder::with_floors(&[("1F", 3)]);
    let args = ["key", "add", "gate", "--role", "camera", "--camera", "c1", "--floor", "1F"];
    let ran = folder.run(&args).ok();
    let key = ran.out.trim_end();
    assert_eq!((key.len(), ran.out.lines().count()), (76, 1));
    assert!(!ran.err.contains(key), "{}", ran.err);
    let made = folder.run(&["key", "add", "desk", "--role", "admin", "--json"]).ok().json();
    let secret = made["key"].as_str().unwrap();
    assert_eq!(made["prefix"], &secret[..11]);
    let list = folder.run(&["key", "list"]).ok();
    assert!(list.out.contains("gate") && list.out.contains(&key[..11]), "{}", list.out);
    let json = folder.run(&["key", "list", "--json"]).ok();
    for (secret, out) in [(key, &list.out), (secret, &list.out), (key, &json.out)] {
        assert!(!out.contains(&secret[12..]), "{out}");
    }
    let gate = &json.json()["keys"][0];
    assert_eq!((&gate["cameras"], &gate["floors"]), (&json!(["c1"]), &json!([1])));
    assert_eq!(gate["role"], "camera");
    folder.run(&["key", "add", "gate", "--role", "viewer"]).ended(1);
    let again = folder.run(&["key", "rotate", "gate"]).ok();
    assert_ne!(again.out.trim_end(), key);
    let revoked = folder.run(&["key", "revoke", again.out.trim_end(), "--json"]).ok();
    assert!(revoked.json()["revoked"]["revoked_at"].is_string(), "{revoked:?}");
    let names = |args: &[&str]| {
        let list = folder.run(&[&["key", "list", "--json"], args].concat()).ok().json();
        let keys = list["keys"].as_array().cloned().unwrap();
        keys.iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["desk"]);
    assert_eq!(names(&["--all"]), ["gate", "desk"]);
}

/// What holds for the servers of a database, however many they are.
fn servers_know_keys(folder: &Folder, database: &str, servers: &[Server]) {
    let viewer = add(folder, database, &["screen", "--role", "viewer"]);
    let header = [("x-api-key", viewer.as_str())];
    for server in servers {
        until(401, server, &[]);
        assert_eq!(get(server, "/floors", &header).0, 200);
    }
    // A session that was begun on one server is known to all.
    let cookie = sign_in(&servers[0], &viewer);
    let cookie = [("cookie", cookie.as_str())];
    for server in servers {
        let (status, session) = get(server, "/session", &cookie);
        assert_eq!((status, &session["name"]), (200, &json!("screen")));
        assert_eq!(get(server, "/floors", &cookie).0, 200);
    }
    folder.run(&["key", "revoke", "screen", "--database", database]).ok();
    for server in servers {
        until(401, server, &header);
        until(401, server, &cookie);
        assert_eq!(get(server, "/session", &cookie).1["role"], Value::Null);
    }
}

#[test]
fn a_server_knows_keys_within_seconds_on_sqlite() {
    let folder = Folder::with_floors(&[("1F", 3)]);
    let server = Server::start(&folder, &[]);
    servers_know_keys(&folder, folder.url(), &[server]);
}

#[test]
fn all_servers_know_keys_within_seconds_on_postgres() {
    let (folder, schema) = (Folder::new(), Schema::new());
    let url = schema.url();
    let servers = [(); 2].map(|()| Server::start(&folder, &["--database", &url]));
    servers_know_keys(&folder, &url, &servers);
    drop(servers);
}

#[test]
fn other_machines_are_served_where_there_is_a_key_and_a_proxy() {
    let folder = Folder::with_floors(&[("1F", 3)]);
    let line = ["--listen", "0.0.0.0:0", "--behind-proxy", "127.0.0.1,10.0.0.0/8"];
    let refused = folder.run(&[&["serve"], &line[..]].concat()).ended(2);
    assert!(refused.err.contains("smartpark key add"), "{}", refused.err);
    let admin = add(&folder, folder.url(), &["desk", "--role", "admin"]);
    let mut server = Server::start(&folder, &line);
    server.url = server.url.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(get(&server, "/floors", &[]).0, 401);
    assert_eq!(get(&server, "/floors", &[("x-api-key", &admin)]).0, 200);
    // A revoked key is none: the next start is refused.
    folder.run(&["key", "revoke", "desk"]).ok();
    drop(server);
    folder.run(&[&["serve"], &line[..]].concat()).ended(2);
}

#[test]
fn no_secret_reaches_the_log() {
    let folder = Folder::with_floors(&[("1F", 3)]);
    let key = add(&folder, folder.url(), &["desk", "--role", "admin"]);
    let server = Server::start(&folder, &["--log-level", "trace", "--rate-limit", "1000"]);
    let wrong = format!("{}{}", &key[..12], "5".repeat(64));
    let cookie = sign_in(&server, &key);
    let forged = format!("{}{}", &cookie[..cookie.len() - 64], "6".repeat(64));
    for secret in [&key, &wrong] {
        let bearer = format!("Bearer {secret}");
        let odd = format!("Bearer {secret} {secret}");
        let all = [("x-api-key", secret), ("authorization", &bearer), ("authorization", &odd)];
        for header in all {
            get(&server, "/floors", &[(header.0, header.1)]);
            get(&server, "/session", &[(header.0, header.1)]);
        }
        get(&server, &format!("/floors?key={secret}"), &[]);
        server.post("/session", &json!({"key": [secret]}));
        server.post("/session", &json!({"key": secret, (secret.as_str()): 1}));
        server.post("/events", &json!({"camera_id": secret}));
    }
    for cookie in [&cookie, &forged] {
        get(&server, "/floors", &[("cookie", cookie)]);
        get(&server, "/stream?after=x", &[("cookie", cookie)]);
    }
    folder.run(&["key", "rotate", &key, "--log-level", "trace"]).ok();
    let (_, log) = server.stop();
    assert!(log.contains("listening on"), "{log}");
    let signature = &cookie[cookie.len() - 64..];
    for secret in [&key[12..], &"5".repeat(64), signature, &"6".repeat(64)] {
        assert!(!log.contains(&secret[..16]) && !log.contains(&secret[48..]), "{log}");
    }
}
