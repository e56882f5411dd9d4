//! kill -9 in the middle of an import.

use std::{io::Write, process::Stdio};

use crate::cli::{
    Folder, Garage,
    garage::{FLOORS, Random},
};

const KILLS: usize = 10;
/// Rows that an import records in one transaction.
const BATCH: u64 = smartpark::limits::IMPORT_BATCH_ROWS as u64;

/// Imports the first bytes of a file and is killed while it waits for more.
fn import_and_kill(folder: &Folder, bytes: &[u8]) {
    let mut command = folder.command(&["import", "-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // The pipe holds little: when all is written, the import has read nearly all of it.
    child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_import_leaves_whole_batches_and_can_be_repeated() {
    let (garage, folder) = (Garage::repeated(24), Folder::with_floors(&FLOORS));
    let total = garage.lines.len() as u64;
    let text = garage.csv();
    let mut random = Random(2026);
    let (mut before, mut in_the_middle) = (0, 0);
    for kill in 0..KILLS {
        // The reader is up to four batches ahead of the disk.
        let from = text.len() / 3;
        import_and_kill(&folder, &text.as_bytes()[..from + random.below(text.len() - from)]);
        let checked = folder.run(&["check", "--json"]).ok().json();
        assert_eq!(checked["clean"], true, "after kill {kill}: {checked}");
        let stored = checked["events"].as_u64().unwrap();
        assert!(stored >= before, "kill {kill} lost {before} - {stored}");
        assert!(stored.is_multiple_of(BATCH) || stored == total, "kill {kill} left {stored}");
        in_the_middle += u32::from(stored > before);
        before = stored;
    }
    assert!(in_the_middle > 0, "no kill fell into the recording: it proves nothing");
    let summary = folder.run_with(&["import", "-", "--json"], text.as_bytes()).ok().json();
    assert_eq!((&summary["read"], &summary["duplicates"]), (&total.into(), &before.into()));
    assert_eq!(summary["recorded"], total - before);
    garage.assert_true(&folder);
}
