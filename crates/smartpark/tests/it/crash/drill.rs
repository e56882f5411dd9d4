//! The drill of a bad night: a server under load, a backup or a kill at a random moment, a
//! restore. Nothing that was acknowledged before the backup is lost.
//!
//! `SMARTPARK_DRILL_RUNS=50` runs it more often, `SMARTPARK_DRILL_SEED` begins with another seed.

use std::{collections::BTreeSet, fs};

use super::{
    load::{Connection, Shared},
    serve::stored,
};
use crate::cli::{Folder, Server, garage::Random};

const CONNECTIONS: usize = 4;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// One night. Half of the backups are copies of the files of a killed server.
fn night(random: &mut Random) {
    let slots = 1_000_000;
    let folder = Folder::with_floors(&[("1F", slots), ("2F", slots), ("3F", slots)]);
    let shared = Shared::default();
    let mut connections: Vec<_> = (0..CONNECTIONS).map(Connection::new).collect();
    let server = Server::start(&folder, &[]);
    let url = server.url.clone();
    let copies_files = random.below(2) == 0;
    let mut before = BTreeSet::new();
    let acknowledged = || shared.with(|it| it.accepted.keys().cloned().collect::<BTreeSet<_>>());
    let mut running = Some(server);
    std::thread::scope(|scope| {
        for connection in &mut connections {
            scope.spawn(|| connection.run(&url, &shared));
        }
        shared.wait_for(1 + random.below(300), CONNECTIONS);
        before = acknowledged();
        if copies_files {
            running.take().unwrap().kill();
            before = acknowledged();
            for suffix in ["", "-wal"] {
                let from = folder.path().join(format!("smartpark.db{suffix}"));
                fs::copy(from, folder.path().join(format!("backup.db{suffix}"))).unwrap();
            }
        } else {
            folder.run(&["backup", "backup.db"]).ok();
            shared.wait_for(1 + random.below(200), CONNECTIONS);
            let refused = folder.run(&["restore", "backup.db"]).ended(1);
            assert!(refused.err.contains("a smartpark server runs on"), "{}", refused.err);
            running.take().unwrap().kill();
        }
    });
    if copies_files && random.below(2) == 0 {
        // The old database is lost, or used once more before the restore.
        fs::remove_file(folder.path().join("smartpark.db")).unwrap();
    } else {
        let server = Server::start(&folder, &[]);
        for connection in &mut connections {
            connection.settle(&server.url, &shared);
        }
        server.kill();
    }
    folder.run(&["restore", "backup.db"]).ok();
    folder.run(&["check"]).ok();
    let (ids, count) = stored(&folder);
    for track in &before {
        assert!(ids.contains_key(track), "{track} was acknowledged before the backup and is lost");
    }
    shared.with(|journal| {
        assert!(ids.keys().all(|track| journal.sent.contains(track)), "something was made up");
    });
    assert_eq!(count, i64::try_from(ids.len()).unwrap(), "every event counts once");
    // What was restored goes on.
    let server = Server::start(&folder, &[]);
    for connection in &mut connections {
        connection.settle(&server.url, &shared);
    }
    assert_eq!(server.stop().0, Some(0));
    folder.run(&["check"]).ok();
}

#[test]
fn a_restore_loses_nothing_that_was_acknowledged_before_the_backup() {
    let seed = setting("SMARTPARK_DRILL_SEED", 7);
    for run in 0..setting("SMARTPARK_DRILL_RUNS", 4) {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(2 * run + 1);
        println!("night {run}, seed {seed}");
        night(&mut Random(seed));
    }
}
