//! The files of a database: that they are private, in their place, and used by one server.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

use serde_json::json;

use super::program::{Folder, Ran, Server, after, ran};

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

fn entry(track: &str) -> serde_json::Value {
    json!({"camera_id": "c", "floor_id": 1, "track_id": track, "vehicle_type": "car",
        "direction": "entry", "timestamp": "2026-02-12T10:30:45Z"})
}

/// A folder of a server that recorded an event.
fn served() -> (Folder, Server) {
    let folder = Folder::with_floors(&[("A", 9)]);
    let server = Server::start(&folder, &[]);
    assert_eq!(server.post("/events", &entry("before")).0, 201);
    (folder, server)
}

fn number_of_events(folder: &Folder) -> u64 {
    folder.run(&["info", "--json"]).ok().json()["events"].as_u64().unwrap()
}

/// Waits until it has ended by itself, which is to say why.
fn must_end(mut server: Server, name: &str, told: &str) {
    loop {
        if let Some((code, log)) = server.ended() {
            assert_eq!(code, Some(1), "{name}: {log}");
            let last = log.lines().rfind(|line| line.contains("stopping: ")).unwrap_or_default();
            assert!(last.contains(told) && last.contains("start again"), "{name}: {log}");
            return;
        }
        std::thread::yield_now();
    }
}

/// What happens to the files of a running server.
type Fault = fn(&Path);

const FAULTS: [(&str, Fault, &str); 8] = [
    ("deleted", |at| fs::remove_file(at.join("smartpark.db")).unwrap(), "was deleted"),
    ("log deleted", |at| fs::remove_file(at.join("smartpark.db-wal")).unwrap(), "was deleted"),
    ("index deleted", |at| fs::remove_file(at.join("smartpark.db-shm")).unwrap(), "was deleted"),
    ("moved", |at| fs::rename(at.join("smartpark.db"), at.join("x")).unwrap(), "was deleted"),
    (
        "replaced",
        |at| fs::rename(at.join("backup.db"), at.join("smartpark.db")).unwrap(),
        "was replaced",
    ),
    (
        "log replaced",
        |at| {
            fs::copy(at.join("smartpark.db-wal"), at.join("wal")).unwrap();
            fs::rename(at.join("wal"), at.join("smartpark.db-wal")).unwrap();
        },
        "was replaced",
    ),
    (
        "overwritten",
        |at| assert!(fs::copy(at.join("backup.db"), at.join("smartpark.db")).unwrap() > 0),
        "was overwritten",
    ),
    (
        "cut to nothing",
        |at| drop(fs::File::create(at.join("smartpark.db")).unwrap()),
        "was overwritten",
    ),
];

#[test]
fn a_server_whose_file_is_not_in_its_place_acknowledges_nothing_and_ends() {
    for (name, fault, told) in FAULTS {
        let (folder, server) = served();
        folder.run(&["backup", "backup.db"]).ok();
        fault(folder.path());
        let (status, answer) = server.post("/events", &entry("after"));
        assert!(status >= 500, "{name}: {status} {answer}");
        must_end(server, name, told);
    }
}

#[test]
fn a_server_that_nobody_asks_notices_too() {
    for (name, fault, told) in FAULTS {
        let (folder, server) = served();
        folder.run(&["backup", "backup.db"]).ok();
        fault(folder.path());
        must_end(server, name, told);
    }
}

#[test]
fn a_folder_that_is_moved_takes_nothing_along() {
    let outer = Folder::new();
    let (inner, moved) = (outer.path().join("inner"), outer.path().join("moved"));
    fs::create_dir(&inner).unwrap();
    let url = format!("sqlite://{}/smartpark.db", inner.display());
    let folder = Folder::on_database(&url, &[("A", 9)]);
    let server = Server::start(&folder, &[]);
    assert_eq!(server.post("/events", &entry("before")).0, 201);
    fs::rename(&inner, &moved).unwrap();
    assert!(server.post("/events", &entry("after")).0 >= 500);
    must_end(server, "folder", "was deleted");
    fs::rename(&moved, &inner).unwrap();
    let server = Server::start(&folder, &[]);
    assert_eq!(server.post("/events", &entry("before")).0, 200, "it is there");
    server.stop();
}

#[test]
fn no_database_is_made_where_there_was_one() {
    let refused = |folder: &Folder, left: &str| {
        for command in [&SERVE[..], &["migrate"], &["seed"]] {
            let ran = folder.run(command).ended(1);
            assert!(ran.err.contains("there is no database at"), "{left}: {}", ran.err);
            assert!(ran.err.contains(left) && ran.err.contains("backup"), "{left}: {}", ran.err);
            assert!(!folder.path().join("smartpark.db").exists(), "{left}");
        }
    };
    for left in ["smartpark.db-wal", "smartpark.db-journal", "smartpark.db-shm"] {
        let folder = Folder::new();
        folder.file(left, b"");
        refused(&folder, left);
    }
    let (folder, server) = served();
    assert_eq!(server.stop().0, Some(0));
    fs::remove_file(folder.path().join("smartpark.db")).unwrap();
    refused(&folder, "smartpark.db-lock");
    // It is said how to begin anew.
    fs::remove_file(folder.path().join("smartpark.db-lock")).unwrap();
    folder.run(&["migrate"]).ok();
    let folder = Folder::new();
    symlink("nowhere/x.db", folder.path().join("smartpark.db")).unwrap();
    refused(&folder, "nowhere/x.db");
}

#[test]
fn the_log_of_another_file_is_never_taken_over() {
    let (folder, server) = served();
    let path = folder.path().join("smartpark.db");
    folder.run(&["backup", "backup.db"]).ok();
    assert_eq!(server.post("/events", &entry("lost by the restore")).0, 201);
    server.kill();
    let (log, index) = (path.with_extension("db-wal"), path.with_extension("db-shm"));
    let whole = fs::read(&log).unwrap();
    // A backup, and another site's file, in the place of the one that the log is of.
    let other = Folder::with_floors(&[("B", 5), ("C", 6)]);
    for replacement in [folder.path().join("backup.db"), other.path().join("smartpark.db")] {
        fs::copy(&replacement, &path).unwrap();
        for command in [&SERVE[..], &["migrate"], &["floors"], &["check"]] {
            let ran = folder.run(command).ended(1);
            assert!(ran.err.contains("belongs to another file"), "{command:?}: {}", ran.err);
        }
        assert_eq!(fs::read(&path).unwrap(), fs::read(&replacement).unwrap());
        assert_eq!(fs::read(&log).unwrap(), whole);
    }
    // The log of another file beside one that was stopped in good order.
    fs::remove_file(&index).unwrap();
    fs::rename(&log, other.path().join("smartpark.db-wal")).unwrap();
    let ran = other.run(&["check"]).ended(1);
    assert!(ran.err.contains("belongs to another file"), "{}", ran.err);
    // As the message says.
    fs::remove_file(other.path().join("smartpark.db-wal")).unwrap();
    other.run(&["check"]).ok();
    fs::copy(folder.path().join("backup.db"), &path).unwrap();
    assert_eq!(number_of_events(&folder), 1);
}

/// Every kill leaves a log that is this file's, however many logs there were before.
#[test]
fn the_own_log_is_always_taken_over() {
    let folder = Folder::with_floors(&[("A", 900)]);
    let mut events = 0;
    for round in 0..5 {
        let server = Server::start(&folder, &[]);
        for event in 0..3 {
            assert_eq!(server.post("/events", &entry(&format!("{round} {event}"))).0, 201);
            // Each of these begins or goes on with a log of its own.
            folder.run(&["floors", "recount", "A", "0", "--reason", "x"]).ok();
            events += 1;
        }
        server.kill();
        if round % 2 == 0 {
            folder.run(&["floors", "set", "A", "--slots", &format!("{}", 901 + round)]).ok();
        }
        assert_eq!(number_of_events(&folder), events);
    }
    folder.run(&["check"]).ok();
}

#[test]
fn one_server_by_whatever_name() {
    let (folder, server) = served();
    let path = folder.path().join("smartpark.db");
    let link = folder.path().join("link.db");
    symlink(&path, &link).unwrap();
    let sub = folder.path().join("sub");
    fs::create_dir(&sub).unwrap();
    symlink(folder.path(), sub.join("back")).unwrap();
    fs::remove_file(folder.path().join("smartpark.db-lock")).unwrap();
    let refused = |url: &str, told: &str| {
        let ran = folder.run(&[&SERVE[..], &["--database", url]].concat()).ended(1);
        assert!(ran.err.contains(told), "{url}: {}", ran.err);
    };
    let another = "another smartpark server runs on it";
    refused("sqlite://smartpark.db", another);
    refused("sqlite://./sub/../smartpark.db", another);
    refused("sqlite://link.db", another);
    refused("sqlite://sub/back/smartpark.db", another);
    refused(&format!("sqlite://{}", path.display()), another);
    // Another name has another log: nobody may use it.
    fs::hard_link(&path, folder.path().join("hard.db")).unwrap();
    refused("sqlite://hard.db", "2 names");
    let ran = folder.run(&["floors", "--database", "sqlite://hard.db"]).ended(1);
    assert!(ran.err.contains("2 names"), "{}", ran.err);
    assert_eq!(server.post("/events", &entry("after")).0, 201);
    assert_eq!(server.stop().0, Some(0));
    fs::remove_file(folder.path().join("hard.db")).unwrap();
    assert_eq!(number_of_events(&folder), 2);
}

#[test]
fn the_name_that_a_server_ran_under_goes_on_beside_a_hard_link() {
    let (folder, server) = served();
    fs::hard_link(folder.path().join("smartpark.db"), folder.path().join("hard.db")).unwrap();
    folder.run(&["check"]).ok();
    server.kill();
    let server = Server::start(&folder, &[]);
    assert_eq!(server.post("/events", &entry("before")).0, 200, "it is there");
    server.stop();
}

#[test]
fn a_crash_while_the_file_was_made_is_no_second_name() {
    let folder = Folder::with_floors(&[("A", 9)]);
    let made = folder.path().join("smartpark.db.new-4711-0");
    fs::hard_link(folder.path().join("smartpark.db"), &made).unwrap();
    folder.run(&["check"]).ok();
    assert!(!made.exists());
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn every_file_is_private_whatever_the_mask() {
    for mask in ["000", "022", "077", "0277"] {
        let folder = Folder::new();
        let run = |args: &[&str]| -> Ran {
            let command = after(&format!("umask {mask}"), &folder.command(args));
            ran(&{ command }.output().unwrap()).ok()
        };
        run(&["seed", "--samples"]);
        let server = Server::spawn(after(&format!("umask {mask}"), &folder.command(&SERVE)));
        run(&["backup", "backup.db"]);
        run(&["export", "events.csv.gz"]);
        run(&["copy", "--from", folder.url(), "--to", "sqlite://copy.db"]);
        let names = folder.files();
        assert!(names.len() >= 7, "{names:?}");
        for name in names {
            assert_eq!(mode(&folder.path().join(&name)), 0o600, "{name} with {mask}");
        }
        server.stop();
    }
}

#[test]
fn a_server_takes_the_rights_of_others_away() {
    let (folder, server) = served();
    server.kill();
    for name in ["smartpark.db", "smartpark.db-wal", "smartpark.db-lock"] {
        let wide = fs::Permissions::from_mode(0o664);
        fs::set_permissions(folder.path().join(name), wide).unwrap();
    }
    let server = Server::start(&folder, &[]);
    for name in folder.files() {
        assert_eq!(mode(&folder.path().join(&name)), 0o600, "{name}");
    }
    let (_, log) = server.stop();
    assert!(log.contains("had mode 664: now only its owner may read it"), "{log}");
}

#[test]
fn what_may_only_be_read_is_read() {
    let folder = Folder::with_floors(&[("A", 9)]);
    folder.run(&["backup", "backup.db"]).ok();
    // A backup, and the file of a server that was stopped.
    for name in ["backup.db", "smartpark.db"] {
        let place = folder.path().join(format!("only-{name}"));
        fs::create_dir(&place).unwrap();
        fs::copy(folder.path().join(name), place.join(name)).unwrap();
        fs::set_permissions(place.join(name), fs::Permissions::from_mode(0o444)).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o555)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let url = format!("sqlite://{}", place.join(name).display());
        let read = |args: &[&str]| {
            let mut command = folder.command(&[args, &["--database", &url]].concat());
            as_nobody(&mut command);
            ran(&command.output().unwrap())
        };
        assert!(read(&["floors"]).ok().out.contains('A'), "{name}");
        read(&["check"]).ok();
        let refused = read(&["floors", "add", "B", "--slots", "3"]).ended(1);
        assert!(refused.err.contains("read-only"), "{name}: {}", refused.err);
        read(&SERVE).ended(1);
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1, "{name}");
    }
}

/// The command is run by a user who owns nothing, if this one is root.
fn as_nobody(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    if fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0) {
        command.uid(65_534).gid(65_534);
    }
}

#[test]
fn a_server_that_was_stopped_leaves_all_in_one_file() {
    let (folder, server) = served();
    server.get("/floors");
    let stats = server.get("/statistics").0;
    assert_eq!(stats, 200);
    folder.run(&["floors", "recount", "A", "3", "--reason", "x"]).ok();
    assert_eq!(server.stop().0, Some(0));
    assert_eq!(folder.files(), ["smartpark.db", "smartpark.db-lock"]);
    let alone = Folder::new();
    fs::copy(folder.path().join("smartpark.db"), alone.path().join("smartpark.db")).unwrap();
    assert_eq!(number_of_events(&alone), 1);
    let floors = alone.run(&["floors", "--json"]).ok().json();
    assert_eq!(floors["floors"][0]["current_vehicles"], 3);
    assert_eq!(alone.files(), ["smartpark.db"]);
}

/// Somebody else holds the lock for as long as he likes: who posts is told, and so is who asks
/// whether the server is ready; the log names the process.
#[test]
fn a_process_that_holds_the_lock_is_named() {
    let (folder, server) = served();
    let path = folder.path().join("smartpark.db");
    let mut other = rusqlite::Connection::open(path).unwrap();
    let held = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    assert_eq!(server.post("/events", &entry("while it is held")).0, 503);
    assert_eq!(server.get("/health/ready").0, 503);
    assert_eq!(server.get("/floors").0, 200);
    let told = format!("process {} is writing to it", std::process::id());
    // The log comes through a pipe, so it may be behind the answers.
    while !server.log().contains(&told) {
        std::thread::yield_now();
    }
    held.commit().unwrap();
    while server.get("/health/ready").0 != 200 {
        std::thread::yield_now();
    }
    assert_eq!(server.post("/events", &entry("while it is held")).0, 201);
    server.stop();
}
