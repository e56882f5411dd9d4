//! A site that moves: to another engine and back, and to a file that is a backup.

use std::process::Stdio;

use serde_json::{Value, json};

use super::{
    garage::{FLOORS, Garage},
    program::{Folder, Server, ran},
};
use crate::postgres::Schema;

/// All that the commands tell of a site.
fn told(folder: &Folder, url: &str) -> Vec<Value> {
    let commands: [&[&str]; 5] = [
        &["floors", "--all"],
        &["floors", "--at", "2019-06-18T20:00:00Z"],
        &["stats", "--hours", "400000"],
        &["events", "--limit", "1000", "--start", "2019-06-17T00:00:00Z"],
        &["check"],
    ];
    let run = |args: &&[&str]| {
        let args = [*args, &["--json", "--database", url]].concat();
        let mut value = folder.run(&args).ok().json();
        // The end of the window is now.
        value.as_object_mut().unwrap().retain(|name, _| !["start", "end"].contains(&&**name));
        value
    };
    commands.iter().map(run).collect()
}

#[test]
fn a_site_goes_to_postgresql_and_back() {
    let (garage, folder, schema) = (Garage::weeks(), Folder::with_floors(&FLOORS), Schema::new());
    folder.file("events.csv", garage.csv());
    folder.run(&["import", "events.csv"]).ok();
    let (from, over) = (folder.url(), schema.url());
    let back = format!("sqlite://{}/back.db", folder.path().display());
    let there = folder.run(&["copy", "--from", from, "--to", &over, "--json"]).ok().json();
    let numbers = ["floors", "events", "written", "passes"].map(|name| there[name].clone());
    assert_eq!(numbers, [3, 1372, 1372, 1].map(Value::from));
    assert_eq!((&there["finished"], &there["complete"]), (&json!(true), &json!(true)));
    let text = folder.run(&["copy", "--from", &over, "--to", &back]).ok();
    assert!(text.out.contains("3 floors, 1372 events and 3 adjustments"), "{text:?}");
    assert_eq!(text.err, "");
    let before = told(&folder, from);
    assert_eq!(told(&folder, &over), before);
    assert_eq!(told(&folder, &back), before);
    for url in [&over, &back] {
        folder.file("truth.csv", garage.truth_csv());
        folder.run(&["check", "--truth", "truth.csv", "--database", url]).ok();
    }
    // A second time nothing is new, until somebody works with the copy.
    let again = folder.run(&["copy", "--from", from, "--to", &over, "--json"]).ok().json();
    assert_eq!(again["written"], 0, "{again}");
    folder.run(&["floors", "add", "mine", "--slots", "3", "--database", &over]).ok();
    let again = folder.run(&["copy", "--from", from, "--to", &over]).ended(1);
    assert!(again.err.contains("needs an empty database"), "{}", again.err);
    assert!(!again.err.contains("postgres://"), "{}", again.err);
}

#[test]
fn nothing_is_copied_from_nowhere_or_to_where_a_server_runs() {
    let folder = Folder::with_floors(&[("1F", 3)]);
    let other = Folder::new();
    let nowhere = ["copy", "--from", "sqlite://none.db", "--to", "sqlite://new.db"];
    assert!(folder.run(&nowhere).ended(1).err.contains("there is no database"));
    assert!(!folder.files().contains(&"new.db".to_owned()));
    let server = Server::start(&other, &["--seed", "none"]);
    let taken = folder.run(&["copy", "--from", folder.url(), "--to", other.url()]).ended(1);
    assert!(taken.err.contains("another smartpark server runs"), "{}", taken.err);
    assert_eq!(server.get("/floors").1["floors"], json!([]));
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn a_backup_of_a_database_in_use_is_a_database() {
    let folder = Folder::with_floors(&[("1F", 1_000_000)]);
    let garage = Garage::repeated(24);
    let rows = garage.csv().replace(",3F,", ",1F,").replace(",4F,", ",1F,");
    let server = Server::start(&folder, &[]);
    let mut import = folder.command(&["import", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = import.stdin.take().unwrap();
    let events = |database: &str| {
        let checked = folder.run(&["check", "--json", "--database", database]).ok().json();
        checked["events"].as_u64().unwrap()
    };
    std::thread::scope(|scope| {
        // Recording goes on until the last backup is made.
        scope.spawn(move || std::io::Write::write_all(&mut stdin, rows.as_bytes()).unwrap());
        let mut before = 0;
        for number in 0..4 {
            let name = format!("backup{number}.db");
            let written = folder.run(&["backup", &name, "--json"]).ok().json();
            let size = std::fs::metadata(folder.path().join(&name)).unwrap().len();
            assert_eq!((&written["file"], &written["bytes"]), (&json!(name), &json!(size)));
            let held = events(&format!("sqlite://{name}"));
            assert!(held >= before, "backup {number} holds {held}, the one before {before}");
            before = held;
        }
    });
    assert_eq!(ran(&import.wait_with_output().unwrap()).code, Some(0));
    folder.run(&["backup", "last.db"]).ok();
    assert_eq!(events("sqlite://last.db"), events(folder.url()));
    assert_eq!(server.stop().0, Some(0));
    let left = folder.files();
    assert!(left.iter().all(|name| !name.contains(".new-")), "{left:?}");
}

#[test]
fn a_backup_overwrites_nothing_and_is_for_sqlite_only() {
    let (folder, schema) = (Folder::with_floors(&[("1F", 3)]), Schema::new());
    folder.file("taken.db", "precious");
    let taken = folder.run(&["backup", "taken.db"]).ended(1);
    assert!(taken.err.contains("exists already"), "{}", taken.err);
    assert_eq!(std::fs::read(folder.path().join("taken.db")).unwrap(), b"precious");
    folder.run(&["backup", "nowhere/at/all.db"]).ended(1);
    folder.run(&["migrate", "--database", &schema.url()]).ok();
    let refused = folder.run(&["backup", "b.db", "--database", &schema.url()]).ended(1);
    assert!(refused.err.contains("pg_dump"), "{}", refused.err);
    assert_eq!(folder.files().iter().filter(|name| name.contains("b.db")).count(), 0);
}
