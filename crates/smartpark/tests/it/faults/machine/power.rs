//! The power goes: what the filesystem had not given to its device is gone.

use std::{fs, thread};

use rusqlite::Connection;

use super::{disk::Disk, every_seed};
use crate::{
    cli::{Server, garage::Random},
    faults::{
        load::mixed,
        trial::{Engine, Trial},
    },
};

#[test]
fn power_cut() {
    every_seed("power cut", |size, seed| {
        let disk = Disk::ext4()?;
        let name = ("power cut", Engine::Sqlite);
        let trial = Trial::new(name, disk.folder(), (size, seed), mixed);
        let mut server = Some(trial.begin());
        let mut random = Random(seed + 2);
        trial.load.run(|load| {
            for cut in 1..=size.faults {
                load.wait_for_part(100 * (cut - 1) + random.below(100), 100 * size.faults);
                let struck = server.take().unwrap();
                stand_still(&struck);
                disk.cut();
                struck.kill();
                disk.mount_again("rw");
                server = Some(trial.serve());
                trial.healed();
            }
        });
        trial.end(server.unwrap());
        Ok(())
    });
}

/// Stops all threads of a server. When the power goes the processor stops first; ext4's ioctl lets
/// it go on, and a sync that is under way then returns without an error though the journal was
/// given up (so does a plain loop of writes and syncs). What is answered then was never promised.
fn stand_still(server: &Server) {
    server.signal("STOP");
    let tasks = format!("/proc/{}/task", server.id());
    let stands = |stat: String| stat.rsplit(')').next().is_some_and(|it| it.starts_with(" T"));
    let all = || {
        let mut tasks = fs::read_dir(&tasks).unwrap().map(|task| task.unwrap().path());
        tasks.all(|task| fs::read_to_string(task.join("stat")).is_ok_and(stands))
    };
    while !all() {
        thread::yield_now();
    }
}

/// How many of the rows that were committed one by one are there after a cut.
fn kept(synchronous: &str) -> super::Produced<i64> {
    let disk = Disk::ext4()?;
    let open = || Connection::open(disk.path().join("rows.db")).unwrap();
    let database = open();
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    database.pragma_update(None, "synchronous", "FULL").unwrap();
    database.execute_batch("CREATE TABLE rows (number INTEGER)").unwrap();
    database.pragma_update(None, "synchronous", synchronous).unwrap();
    for number in 0..ROWS {
        database.execute("INSERT INTO rows VALUES (?1)", [number]).unwrap();
    }
    disk.cut();
    drop(database);
    disk.mount_again("rw");
    Ok(open().query_row("SELECT count(*) FROM rows", [], |row| row.get(0)).unwrap())
}

const ROWS: i64 = 100;

/// Without this the other test proves nothing: a writer that does not wait for the disk must lose.
#[test]
fn a_cut_takes_what_was_not_synced() {
    every_seed("power cut, control", |_, _| {
        assert_eq!(kept("FULL")?, ROWS);
        let kept = kept("NORMAL")?;
        assert!(kept < ROWS, "the cut took nothing");
        Ok(())
    });
}
