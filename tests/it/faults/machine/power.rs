//! The power goes: what the filesystem had not given to its device is gone.

use rusqlite::Connection;

use super::{disk::Disk, every_seed};
use crate::{
    cli::garage::Random,
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
                disk.cut();
                server.take().unwrap().kill();
                disk.mount_again("rw");
                server = Some(trial.serve());
                trial.healed();
            }
        });
        trial.end(server.unwrap());
        Ok(())
    });
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
