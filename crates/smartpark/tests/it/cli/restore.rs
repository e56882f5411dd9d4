//! `smartpark restore`: a backup comes into the place of the database, whatever lies there.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::PathBuf,
};

use serde_json::{Value, json};

use super::program::{Folder, Server};

fn entry(track: usize) -> Value {
    json!({"camera_id": "c", "floor_id": 1, "track_id": track.to_string(), "vehicle_type": "car",
        "direction": "entry", "timestamp": "2026-02-12T10:30:45Z"})
}

/// Records so many events on a server.
fn record(server: &Server, tracks: std::ops::Range<usize>) {
    for track in tracks {
        assert_eq!(server.post("/events", &entry(track)).0, 201);
    }
}

fn events(folder: &Folder, database: &str) -> u64 {
    let url = format!("sqlite://{}", folder.path().join(database).display());
    let info = folder.run(&["info", "--json", "--database", &url]).ok().json();
    info["events"].as_u64().unwrap()
}

/// The files of old databases that a restore moved aside.
fn aside(folder: &Folder) -> Vec<String> {
    let is_old = |name: &String| name.contains(".before-restore-");
    folder.files().into_iter().filter(is_old).collect()
}

/// A folder with a backup of five events, and a database of eight whose server was killed.
fn killed() -> Folder {
    let folder = Folder::with_floors(&[("A", 99)]);
    let server = Server::start(&folder, &[]);
    record(&server, 0..5);
    folder.run(&["backup", "--check", "backup.db"]).ok();
    record(&server, 5..8);
    server.kill();
    folder
}

#[test]
fn a_server_that_stopped_leaves_all_in_one_file() {
    let folder = Folder::with_floors(&[("A", 99)]);
    let server = Server::start(&folder, &[]);
    record(&server, 0..20);
    assert_eq!(server.stop().0, Some(0));
    assert_eq!(folder.files(), ["smartpark.db", "smartpark.db-lock"]);
    fs::copy(folder.path().join("smartpark.db"), folder.path().join("copied.db")).unwrap();
    assert_eq!(events(&folder, "copied.db"), 20);
    folder.run(&["floors", "recount", "A", "3", "--reason", "counted"]).ok();
    let left = ["copied.db", "smartpark.db", "smartpark.db-lock"];
    assert_eq!(folder.files(), left, "after a command that was alone");
}

#[test]
fn a_backup_comes_into_place_and_the_old_database_is_kept() {
    let folder = killed();
    let backup = fs::read(folder.path().join("backup.db")).unwrap();
    assert!(folder.files().contains(&"smartpark.db-wal".to_owned()));
    let ran = folder.run(&["restore", "backup.db"]).ok();
    for step in ["Copied backup.db", "Checked the copy: all", "Moved the old", "Put the copy in"] {
        assert!(ran.err.contains(step), "{step}: {}", ran.err);
    }
    assert!(ran.out.contains("received at 20") && ran.out.contains("Next: start"), "{}", ran.out);
    folder.run(&["check"]).ok();
    assert_eq!(events(&folder, "smartpark.db"), 5);
    assert_eq!(fs::read(folder.path().join("backup.db")).unwrap(), backup);
    let mode = fs::metadata(folder.path().join("smartpark.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The old one is whole, with what its log held.
    assert_eq!(events(&folder, &aside(&folder)[0]), 8);
    let server = Server::start(&folder, &[]);
    record(&server, 5..9);
    assert_eq!(server.stop().0, Some(0));
    assert_eq!(events(&folder, "smartpark.db"), 9);
    // Going back is the same command.
    let old = aside(&folder)[0].clone();
    let restored = folder.run(&["restore", &old, "--json"]).ok().json();
    assert_eq!((&restored["is_placed"], &restored["report"]["events"]), (&json!(true), &json!(8)));
    assert_eq!(events(&folder, "smartpark.db"), 8);
}

#[test]
fn a_restore_refuses_beside_a_running_server() {
    let folder = killed();
    let server = Server::start(&folder, &[]);
    let ran = folder.run(&["restore", "backup.db"]).ended(1);
    assert!(ran.err.contains("a smartpark server runs on") && ran.err.contains("stop it"));
    // Also if the file of the server is gone.
    fs::rename(folder.path().join("smartpark.db"), folder.path().join("x.db")).unwrap();
    let ran = folder.run(&["restore", "backup.db"]);
    if ran.code != Some(0) {
        assert!(ran.err.contains("a smartpark server runs on"), "{}", ran.err);
        assert!(!folder.path().join("smartpark.db").exists());
    }
    drop(server);
    // The file of another running server is no backup.
    let other = Folder::with_floors(&[("B", 9)]);
    let server = Server::start(&other, &[]);
    let file = other.path().join("smartpark.db");
    let ran = folder.run(&["restore", file.to_str().unwrap()]).ended(1);
    assert!(ran.err.contains("smartpark backup"), "{}", ran.err);
    assert_eq!(server.stop().0, Some(0));
}

/// Damages the file somewhere in its tables, so that SQLite still opens it.
fn damage(path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4_096].fill(0x5a);
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_no_sound_backup_is_refused_and_nothing_changes() {
    let folder = killed();
    let at = |name: &str| folder.path().join(name);
    fs::copy(at("backup.db"), at("damaged.db")).unwrap();
    damage(&at("damaged.db"));
    folder.file("text.db", "no database ".repeat(1_000));
    folder.file("empty.db", "");
    fs::create_dir(at("folder.db")).unwrap();
    rusqlite::Connection::open(at("foreign.db"))
        .unwrap()
        .execute("CREATE TABLE t (x)", [])
        .unwrap();
    // Another file's log beside a backup.
    fs::copy(at("backup.db"), at("mixed.db")).unwrap();
    fs::copy(at("smartpark.db-wal"), at("mixed.db-wal")).unwrap();
    let before = (fs::read(at("smartpark.db")).unwrap(), fs::read(at("smartpark.db-wal")).unwrap());
    let table = [
        ("damaged.db", ""),
        ("text.db", "damaged or no SQLite database"),
        ("empty.db", "is empty"),
        ("folder.db", "is no file"),
        ("foreign.db", "another program"),
        ("none.db", "does not exist"),
        ("mixed.db", "belongs to another file"),
        ("smartpark.db", "is the database itself"),
    ];
    for (name, told) in table {
        let ran = folder.run(&["restore", name]).ended(1);
        let all = format!("{}{}", ran.out, ran.err);
        assert!(all.contains(told) && !all.contains(".restoring"), "{name}: {all}");
        let after =
            (fs::read(at("smartpark.db")).unwrap(), fs::read(at("smartpark.db-wal")).unwrap());
        assert!(before == after && aside(&folder).is_empty(), "{name}");
    }
    assert!(!folder.files().iter().any(|name| name.contains(".restoring")));
    assert_eq!(events(&folder, "smartpark.db"), 8);
}

#[test]
fn a_backup_with_faults_comes_into_place_only_if_that_is_wanted() {
    let folder = killed();
    let backup = rusqlite::Connection::open(folder.path().join("backup.db")).unwrap();
    backup.execute("UPDATE floors SET current_vehicles = 7", []).unwrap();
    backup.close().unwrap();
    let ran = folder.run(&["restore", "backup.db"]).ended(1);
    assert!(ran.out.contains("I6") && ran.out.contains("--despite-faults"), "{}", ran.out);
    assert_eq!(events(&folder, "smartpark.db"), 8);
    folder.run(&["restore", "backup.db", "--despite-faults"]).ok();
    let ran = folder.run(&["check"]).ended(1);
    assert!(ran.out.contains("Next: "), "{}", ran.out);
    folder.run(&["check", "--repair"]).ok();
    folder.run(&["check"]).ok();
    assert_eq!(events(&folder, "smartpark.db"), 5);
}

#[test]
fn a_restore_needs_no_old_database_and_none_that_can_be_read() {
    let folder = killed();
    let at = |name: &str| folder.path().join(name);
    // What lies there is damaged, and has a log.
    damage(&at("smartpark.db"));
    folder.run(&["restore", "backup.db"]).ok();
    assert_eq!(events(&folder, "smartpark.db"), 5);
    // A log without a database, as a restore leaves it that was killed between its steps.
    fs::rename(at("smartpark.db"), at("away.db")).unwrap();
    folder.file("smartpark.db-wal", "what was left");
    folder.file("smartpark.db.restoring", "half of a copy");
    folder.run(&["restore", "backup.db"]).ok();
    assert_eq!(events(&folder, "smartpark.db"), 5);
    // Nothing at all.
    let other = Folder::new();
    let backup = at("backup.db");
    other.run(&["restore", backup.to_str().unwrap()]).ok();
    assert_eq!(events(&other, "smartpark.db"), 5);
    // One that a link leads to stays behind the link; a link that leads nowhere is named.
    let linked = Folder::new();
    symlink(other.path().join("smartpark.db"), linked.path().join("smartpark.db")).unwrap();
    linked.run(&["restore", backup.to_str().unwrap()]).ok();
    assert!(linked.path().join("smartpark.db").is_symlink());
    assert_eq!(aside(&other).len(), 1);
    fs::remove_file(other.path().join("smartpark.db")).unwrap();
    let ran = linked.run(&["restore", backup.to_str().unwrap()]).ended(1);
    assert!(ran.err.contains("is a link to"), "{}", ran.err);
}

#[test]
fn a_restore_by_root_leaves_the_database_to_its_owner() {
    let folder = killed();
    let (database, owner) = (folder.path().join("smartpark.db"), 12_345);
    if std::os::unix::fs::chown(&database, Some(owner), Some(owner)).is_err() {
        return eprintln!("only root can give a file away: this was not tried");
    }
    folder.run(&["restore", "backup.db"]).ok();
    let restored = fs::metadata(&database).unwrap();
    assert_eq!((restored.uid(), restored.gid()), (owner, owner));
}

/// A database as the first version with checksums left it, with one floor.
fn of_version_8(path: PathBuf) {
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../smartpark-ledger/migrations/sqlite");
    let entries = fs::read_dir(migrations).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.collect();
    files.sort();
    let database = rusqlite::Connection::open(path).unwrap();
    // As the program writes it, since a check compares.
    let list = "CREATE TABLE schema_migrations (
    version    INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    sha256     TEXT    NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT";
    database.execute(list, []).unwrap();
    database.pragma_update(None, "application_id", 0x5350_726b).unwrap();
    let names = ["initial", "live", "refusals", "copy", "keys", "sessions", "files", "checksums"];
    for ((version, name), file) in (1..).zip(names).zip(files) {
        let text = fs::read_to_string(file).unwrap();
        database.execute_batch(&text).unwrap();
        let sum = <sha2::Sha256 as sha2::Digest>::digest(text.as_bytes());
        let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        let row = "INSERT INTO schema_migrations VALUES (?1, ?2, ?3, 0)";
        database.execute(row, (version, name, sum)).unwrap();
    }
    let floor = "INSERT INTO floors (id, name, total_slots, created_at, updated_at)
            VALUES (1, 'A', 99, 0, 0);
        INSERT INTO floor_origins (floor_id, initial_slots, base_count, removed_delta)
            VALUES (1, 99, 0, 0);";
    database.execute_batch(floor).unwrap();
    database.close().unwrap();
}

#[test]
fn an_upgrade_can_be_taken_back_with_the_backup_from_before() {
    let folder = Folder::new();
    let at = |name: &str| folder.path().join(name);
    of_version_8(at("smartpark.db"));
    // What the documents say: a backup, then the new program.
    fs::copy(at("smartpark.db"), at("before-upgrade.db")).unwrap();
    let server = Server::start(&folder, &["--seed", "none"]);
    record(&server, 0..2);
    assert_eq!(server.stop().0, Some(0));
    folder.run(&["check"]).ok();
    // A program that is newer still leaves tables that this one refuses, and says what helps.
    let database = rusqlite::Connection::open(at("smartpark.db")).unwrap();
    let later = "INSERT INTO schema_migrations VALUES (999, 'later', 'x', 0)";
    database.execute(later, []).unwrap();
    database.close().unwrap();
    let ran = folder.run(&["serve", "--listen", "127.0.0.1:0"]).ended(1);
    assert!(ran.err.contains("newer version") && ran.err.contains("restore FILE"), "{}", ran.err);
    fs::copy(at("smartpark.db"), at("newer.db")).unwrap();
    let ran = folder.run(&["restore", "newer.db"]).ended(1);
    assert!(ran.err.contains("newer version"), "{}", ran.err);
    folder.run(&["restore", "before-upgrade.db"]).ok();
    let server = Server::start(&folder, &["--seed", "none"]);
    record(&server, 0..2);
    assert_eq!(server.stop().0, Some(0));
    folder.run(&["check"]).ok();
}
