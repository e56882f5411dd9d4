//! No room: a disk that is full for a while, one that is read-only, a limit on the size of files.

use std::{
    fs::{self, File},
    io::Write,
    process::{Command, Stdio},
};

use super::{disk::Disk, every_seed, must_have_failed, run, until_ended};
use crate::{
    cli::Server,
    faults::{
        journal::finding,
        load::mixed,
        trial::{Engine, Trial},
    },
};

/// Answers of 503 that are waited for while the disk is full.
const REFUSED: u64 = 24;

/// Fills a disk to its last byte; removing the file heals it.
fn fill(disk: &Disk) -> std::path::PathBuf {
    let path = disk.path().join("ballast");
    let mut file = File::create(&path).unwrap();
    for bytes in [1 << 20, 4096, 1] {
        while file.write_all(&vec![0; bytes]).is_ok() {}
    }
    path
}

/// It answers 503 with `Retry-After`, and goes on by itself when there is room again.
#[test]
fn disk_full() {
    every_seed("disk full", |size, seed| {
        let disk = Disk::memory(256)?;
        let name = ("disk full", Engine::Sqlite);
        let trial = Trial::new(name, disk.folder(), (size, seed), mixed);
        let mut server = trial.begin();
        trial.load.run(|load| {
            for fault in 1..=size.faults {
                load.wait_for_part(fault, 2 * size.faults);
                let refused = || load.with(|journal| journal.unavailable + journal.lost);
                let enough = refused() + REFUSED;
                let ballast = fill(&disk);
                while refused() < enough && !load.is_over() {
                    load.pause();
                }
                if refused() < enough {
                    let told = finding("contract", "the disk was full and nobody noticed");
                    load.with(|journal| journal.findings.push(told));
                }
                fs::remove_file(ballast).unwrap();
                if let Some((code, log)) = server.ended() {
                    let told = finding("I18", format!("ended with {code:?}: {log}"));
                    load.with(|journal| journal.findings.push(told));
                    server = trial.serve();
                }
                trial.healed();
            }
        });
        trial.end(server);
        Ok(())
    });
}

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

/// The same command, started by a shell that does this first.
fn after(first: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{first}; exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(Stdio::null()).stderr(Stdio::piped());
    shell
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
