//! No room: a disk that is read-only, one that is full for a while, a limit on the size of files.

use std::time::{Duration, Instant};

use super::{disk::Disk, every_seed, must_have_failed, run, until_ended};
use crate::{
    cli::{Server, client::Client, program::after},
    faults::{
        journal::finding,
        load::mixed,
        trial::{Engine, Trial},
    },
};

#[test]
fn read_only_disk() {
    every_seed("read-only disk", |size, seed| {
        let disk = Disk::ext4()?;
        let name = ("read-only disk", Engine::Sqlite);
        let trial = Trial::new(name, disk.folder(), (size, seed), mixed);
        let (code, log) = trial.serve().stop();
        assert_eq!(code, Some(0), "{log}");
        disk.mount_again("ro");
        let ran = trial.folder.run(&["serve", "--listen", "127.0.0.1:0"]).ended(1);
        let told = ran.err.to_lowercase();
        assert!(told.contains("read-only"), "{told}");
        assert!(!told.contains("panicked"), "{told}");
        disk.mount_again("rw");
        let server = trial.begin();
        trial.load.run(|_| {});
        trial.end(server);
        Ok(())
    });
}

/// How much the disk holds that is filled up, in bytes: far more than a run stores.
const SMALL: u64 = 128 << 20;
/// How long a server may take to tell that it cannot write.
const NOTICE: Duration = Duration::from_secs(60);

/// Whoever posts is told 503 as long as there is no room, and so is whoever asks whether the server
/// is ready. Then it goes on by itself; or it has ended with an error, and a restart recovers.
#[test]
fn a_full_disk_that_has_room_again() {
    every_seed("full disk", |size, seed| {
        let disk = Disk::of(SMALL)?;
        let trial = Trial::new(("full disk", Engine::Sqlite), disk.folder(), (size, seed), mixed);
        let mut server = trial.begin();
        let mut refused = 0;
        trial.load.run(|load| {
            for fault in 1..=size.faults {
                // What its log has grown to it can write without more room: early it has least.
                load.wait_for_part(fault, 3 * size.faults);
                disk.fill();
                refused += usize::from(until_refused(&trial, &mut server));
                disk.empty();
                if let Some(ended) = server.ended() {
                    must_have_failed(&trial, Some(ended));
                    server = trial.serve();
                }
                trial.healed();
            }
        });
        assert!(refused > 0, "the disk was never missed");
        trial.end(server);
        Ok(())
    });
}

/// Waits until the server tells that it cannot write, or has ended; false where all was sent before
/// it missed any room.
fn until_refused(trial: &Trial, server: &mut Server) -> bool {
    let client = Client::new(Some(&trial.load.key));
    let refused = || trial.load.with(|journal| journal.unavailable);
    let (before, begun) = (refused(), Instant::now());
    while server.ended().is_none() {
        let ready = client.get(&trial.load.url("/health/ready"));
        if refused() > before && ready.as_ref().is_some_and(|answer| answer.status == 503) {
            return true;
        }
        if trial.load.is_over() {
            return false;
        }
        if begun.elapsed() > NOTICE {
            let told = format!("{} refused, and ready says {ready:?}", refused() - before);
            trial.load.with(|journal| journal.findings.push(finding("contract", told)));
            return true;
        }
        trial.load.pause();
    }
    true
}

/// A file that may not grow is a disk that failed: the server ends, and a restart recovers.
#[test]
fn files_may_not_grow() {
    every_seed("file-size limit", |size, seed| {
        run("prlimit", &["--version"])?;
        let name = ("file-size limit", Engine::Sqlite);
        let trial = Trial::new(name, Engine::Sqlite.folder(), (size, seed), mixed);
        assert_eq!(trial.begin().stop().0, Some(0));
        let mut healed = None;
        trial.load.run(|load| {
            for fault in 1..=size.faults {
                let mut server = Server::spawn(after("trap '' XFSZ", &trial.command()));
                load.aim(&server.url);
                load.wait_for_part(fault, size.faults + 1);
                run("prlimit", &["--fsize=65536", "--pid", &server.id().to_string()]).unwrap();
                must_have_failed(&trial, until_ended(&mut server, load));
            }
            healed = Some(trial.serve());
            trial.healed();
        });
        trial.end(healed.unwrap());
        Ok(())
    });
}
