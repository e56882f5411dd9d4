//! Files that are damaged, cut short or no database: never a panic, never a silent new database,
//! and a message that says what to do.

use std::{
    fs,
    os::unix::{
        fs::{FileExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{Produced, every_seed};
use crate::{
    cli::{
        Folder, Server,
        program::{Ran, ran},
    },
    servers::cars::FLOORS,
};

const SERVE: &[&str] = &["serve", "--listen", "127.0.0.1:0"];
const COMMANDS: [&[&str]; 4] = [SERVE, &["migrate"], &["floors"], &["check"]];
/// Nobody's number on Debian.
const NOBODY: u32 = 65_534;
const EVENTS: usize = 40;

/// Takes all that the write-ahead log holds into the database file.
fn checkpoint(path: &Path) {
    let database = rusqlite::Connection::open(path).unwrap();
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    let busy: i64 = database.query_row(checkpoint, [], |row| row.get(0)).unwrap();
    assert_eq!(busy, 0);
}

/// A folder whose database holds events, and the file. With `killed` the events lie in the
/// write-ahead log, and the floors in the file; otherwise all is in the file.
fn stored(killed: bool) -> (Folder, PathBuf) {
    let folder = Folder::with_floors(&FLOORS);
    let path = folder.path().join("smartpark.db");
    checkpoint(&path);
    let server = Server::start(&folder, &[]);
    for number in 0..EVENTS {
        let event = json!({"camera_id": "c", "floor_id": 6, "track_id": format!("t{number}"),
            "vehicle_type": "car", "direction": "entry", "timestamp": "2026-02-12T10:30:45Z"});
        assert_eq!(server.post("/events", &event).0, 201);
    }
    if killed {
        server.kill();
    } else {
        assert_eq!(server.stop().0, Some(0));
        checkpoint(&path);
    }
    (folder, path)
}

/// It failed in good order, and said one of these words.
fn assert_told(name: &str, command: &[&str], ran: &Ran, words: &[&str]) {
    let told = format!("{name}, {command:?}: {ran:?}");
    assert_eq!(ran.code, Some(1), "{told}");
    assert!(!ran.err.contains("panicked"), "{told}");
    assert!(words.iter().any(|word| ran.err.contains(word)), "{told}");
}

fn write_at(path: &Path, bytes: &[u8], offset: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, offset).unwrap();
}

fn cut_to(path: &Path, bytes: u64) {
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(bytes).unwrap();
}

/// A way to damage a file.
type Damage = fn(&Path);

#[test]
fn no_database_is_made_of_a_damaged_file() {
    let damages: [(&str, Damage); 6] = [
        ("an overwritten header", |path| write_at(path, &[0xA5; 100], 0)),
        ("a header of zeros", |path| write_at(path, &[0; 100], 0)),
        ("no bytes", |path| cut_to(path, 0)),
        ("a hundred bytes", |path| cut_to(path, 100)),
        ("its first half", |path| cut_to(path, fs::metadata(path).unwrap().len() / 2)),
        ("garbage", |path| fs::write(path, "no database ".repeat(999)).unwrap()),
    ];
    for (name, damage) in damages {
        let (folder, path) = stored(false);
        damage(&path);
        let damaged = fs::read(&path).unwrap();
        for command in COMMANDS {
            let ran = folder.run(command);
            assert_told(name, command, &ran, &["backup", "another program"]);
        }
        assert_eq!(fs::read(&path).unwrap(), damaged, "{name}: it is as it was");
    }
}

#[test]
fn a_folder_is_no_database() {
    let (folder, path) = stored(false);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    for command in COMMANDS {
        let ran = folder.run(command);
        assert_told("a folder", command, &ran, &["cannot be opened"]);
    }
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
}

/// Pages in the middle hold nonsense: `check` says so, and a server never panics over it.
#[test]
fn damage_in_the_middle_is_found() {
    let (folder, path) = stored(false);
    let pages = fs::metadata(&path).unwrap().len() / 4096;
    for page in 3..pages {
        write_at(&path, &[0xA5; 2048], page * 4096 + 1024);
        write_at(&path, &[0xA5; 8], page * 4096);
    }
    for command in [&["check"][..], &["events"], &["stats"], &["floors"]] {
        let ran = folder.run(command);
        assert_told("the middle", command, &ran, &["backup", "reopened"]);
    }
}

/// What lies behind the damage in the log was never in the database file: what is left is an
/// earlier state, whole in itself, and never an empty one.
#[test]
fn a_damaged_log_leaves_an_earlier_state() {
    let damages: [(&str, Damage); 5] = [
        ("cut in the middle", |log| cut_to(log, fs::metadata(log).unwrap().len() / 2)),
        ("no bytes", |log| cut_to(log, 0)),
        ("an overwritten header", |log| write_at(log, &[0xA5; 32], 0)),
        ("a byte in the middle", |log| {
            write_at(log, &[0xA5, 0x5A], fs::metadata(log).unwrap().len() / 2);
        }),
        ("garbage", |log| fs::write(log, "no log ".repeat(9999)).unwrap()),
    ];
    for (name, damage) in damages {
        let (folder, path) = stored(true);
        damage(&path.with_extension("db-wal"));
        folder.run(&["check"]).ok();
        let server = Server::start(&folder, &[]);
        let floors = server.get("/floors").1;
        assert_eq!(floors["floors"].as_array().unwrap().len(), FLOORS.len(), "{name}");
        let (code, log) = server.stop();
        assert!(code == Some(0) && !log.contains("panicked"), "{name}: {log}");
    }
}

/// Runs a command as a user who may not do everything.
fn as_nobody(folder: &Folder, command: &[&str]) -> Produced<Ran> {
    let output = folder.command(command).uid(NOBODY).gid(NOBODY).output();
    Ok(ran(&output.map_err(|error| format!("as nobody: {error}"))?))
}

#[test]
fn what_may_not_be_opened_is_named() {
    every_seed("no permission", |_, _| {
        let (folder, path) = stored(false);
        let may = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        may(folder.path(), 0o755);
        as_nobody(&folder, &["--version"])?.ok();
        let whole = fs::read(&path).unwrap();
        for mode in [0o000, 0o444] {
            may(&path, mode);
            let words = ["cannot be opened", "read-only", "ermission"];
            assert_told(&format!("{mode:o}"), SERVE, &as_nobody(&folder, SERVE)?, &words);
        }
        assert_eq!(fs::read(&path).unwrap(), whole, "it is as it was");
        Ok(())
    });
}
