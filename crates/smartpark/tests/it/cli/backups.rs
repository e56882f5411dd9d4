//! Backups that a server makes by itself, and what is said if there are none.

use std::fs;

use super::program::{Folder, Server, agent};

fn attention(folder: &Folder) -> Vec<String> {
    let told = folder.run(&["attention", "--json"]).ok().json();
    let kinds = told["items"].as_array().unwrap().iter();
    kinds.map(|item| item["kind"].as_str().unwrap().to_owned()).collect()
}

fn metrics(server: &Server) -> String {
    let mut answer = agent().get(&format!("{}/metrics", server.url)).call().unwrap();
    answer.body_mut().read_to_string().unwrap()
}

/// Waits until the server's log says this.
fn wait_for(server: &Server, told: &str) {
    while !server.log().contains(told) {
        std::thread::yield_now();
    }
}

#[test]
fn a_server_makes_proves_and_rotates_backups() {
    let folder = Folder::with_floors(&[("A", 9)]);
    fs::create_dir(folder.path().join("saved")).unwrap();
    folder.file(
        "smartpark.toml",
        format!("database = {:?}\n[backup]\nfolder = 'saved'\nkeep = 2\n", folder.url()),
    );
    let old = ["smartpark-20260101T000000Z.db", "smartpark-20260102T000000Z.db", "mine.db"];
    for name in old {
        folder.file(&format!("saved/{name}"), "old");
    }
    assert_eq!(attention(&folder), ["backup_overdue"]);
    let server = Server::start(&folder, &[]);
    wait_for(&server, "backup made and proved");
    let saved = || {
        let entries = fs::read_dir(folder.path().join("saved")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let names = saved();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!((&names[0], &names[1]), (&"mine.db".to_owned(), &old[1].to_owned()));
    let text = metrics(&server);
    assert!(text.contains("smartpark_backup_age_seconds ") && text.contains("failures_total 0"));
    assert_eq!(attention(&folder), [""; 0]);
    assert_eq!(server.stop().0, Some(0));
    // A restart makes none before its time.
    let server = Server::start(&folder, &[]);
    assert!(metrics(&server).contains("smartpark_backup_age_seconds "));
    assert_eq!(server.stop().0, Some(0));
    assert_eq!(saved(), names);
    folder.run(&["restore", &format!("saved/{}", names[2])]).ok();
    folder.run(&["check"]).ok();
}

#[test]
fn a_backup_that_cannot_be_made_is_told() {
    let folder = Folder::with_floors(&[("A", 9)]);
    folder.file(
        "smartpark.toml",
        format!("database = {:?}\n[backup]\nfolder = 'nowhere'\n", folder.url()),
    );
    let server = Server::start(&folder, &[]);
    wait_for(&server, "no backup was made: ");
    let (_, told) = server.get("/attention");
    let item = &told["items"][0];
    assert_eq!((&item["kind"], &item["level"]), (&"backup_overdue".into(), &"high".into()));
    assert!(item["detail"].as_str().unwrap().contains("nowhere"), "{item}");
    assert!(metrics(&server).contains("smartpark_backup_failures_total 1"));
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn faults_of_the_table_are_told() {
    let folder = Folder::new();
    let table = [
        ("[backup]\n", "backup.folder"),
        ("[backup]\nfolder = 'x'\nevery = '1s'\n", "at least 1min"),
        ("[backup]\nfolder = 'x'\nkeep = 0\n", "from 1 to"),
        ("[backup]\nfolder = 'x'\nsize = 1\n", "is not a known key"),
    ];
    for (text, told) in table {
        folder.file("smartpark.toml", text);
        let ran = folder.run(&["config", "check"]).ended(1);
        assert!(ran.out.contains(told), "{text}: {}", ran.out);
    }
    folder.file("smartpark.toml", "[backup]\nfolder = 'x'\nevery = '6h'\nkeep = 30\n");
    folder.run(&["config", "check"]).ok();
    let url = "postgres://nobody@127.0.0.1:1/none";
    let ran = folder.run(&["serve", "--database", url]).ended(2);
    assert!(ran.err.contains("pg_basebackup"), "{}", ran.err);
}
