//! No room: a disk that is read-only, a limit on the size of files.

use super::{disk::Disk, every_seed, must_have_failed, run, until_ended};
use crate::{
    cli::{Server, program::after},
    faults::{
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
