//! Clocks that jump: libfaketime tells the server what a file says. Only the wall clock jumps, as
//! on a real machine.

use std::fs;

use serde_json::json;

use super::{Produced, every_seed};
use crate::{
    cli::client::{Answer, Client},
    faults::{
        journal::finding,
        load::mixed,
        trial::{Engine, Size, Trial},
    },
};

/// The library that tells the time, wherever this machine's kind has it.
fn library() -> Produced<String> {
    let kinds = fs::read_dir("/usr/lib").map_err(|error| error.to_string())?;
    let mut paths = kinds.map(|kind| kind.unwrap().path().join("faketime/libfaketimeMT.so.1"));
    let found = paths.find(|path| path.exists()).ok_or("libfaketime is not installed")?;
    Ok(found.to_str().unwrap().to_owned())
}

/// A run whose server's clock is what `clock` says.
fn trial(name: &'static str, (size, seed): (Size, u64)) -> Produced<Trial> {
    let library = library()?;
    let (engine, folder) = (Engine::Sqlite, Engine::Sqlite.folder());
    let mut trial = Trial::new((name, engine), folder, (size, seed), mixed);
    set(&trial, "+0");
    let file = trial.folder.path().join("clock").to_str().unwrap().to_owned();
    trial.environment = vec![
        ("LD_PRELOAD", library),
        ("FAKETIME_TIMESTAMP_FILE", file),
        ("FAKETIME_NO_CACHE", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
    ];
    Ok(trial)
}

/// Sets the clock, in the words of libfaketime. It is never half written.
fn set(trial: &Trial, clock: &str) {
    let new = trial.folder.file("clock.new", clock);
    fs::rename(new, trial.folder.path().join("clock")).unwrap();
}

/// A person says that the clock is right.
fn accept(trial: &Trial) {
    let mut command = trial.folder.command(&["clock", "accept"]);
    command.envs(trial.environment.iter().map(|(name, value)| (*name, value.as_str())));
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

/// An event that is refused by a clock of before the year 9000.
fn post(trial: &Trial, track: &str, at: &str) -> Answer {
    let event = json!({"camera_id": "clock", "floor_id": 1, "track_id": track,
        "vehicle_type": "car", "direction": "entry", "timestamp": at});
    let content = Some(("application/json", event.to_string()));
    Client::new(Some(&trial.load.key)).send("POST", &trial.load.url("/events"), content).unwrap()
}

/// Whether the server believes that it is 2100: what it refuses names its clock.
fn is_2100(trial: &Trial) -> bool {
    let answer = post(trial, "ahead", "9000-01-01T00:00:00Z");
    answer.status == 422 && answer.body.to_string().contains("(2100-")
}

#[test]
fn clock_jumps() {
    every_seed("clock jumps", |size, seed| {
        let trial = trial("clock jumps", (size, seed))?;
        let server = trial.begin();
        trial.load.run(|load| {
            let jumps = ["+6h", "-6h", "@2100-01-01 00:00:00", "+0"];
            let count = size.faults.next_multiple_of(jumps.len());
            for (number, jump) in jumps.iter().cycle().take(count).enumerate() {
                load.wait_for_part(number + 1, count + 1);
                set(&trial, jump);
                if jump.starts_with('@') && !is_2100(&trial) {
                    let told = finding("contract", "the clock did not jump");
                    load.with(|journal| journal.findings.push(told));
                }
                accept(&trial);
                trial.healed();
            }
        });
        trial.end(server);
        Ok(())
    });
}

/// The nightly cleanup comes while the clock is 74 years ahead: it moves the horizon no further
/// than to the earliest event, and what is acknowledged stays.
#[test]
fn a_wrong_clock_over_the_nightly_cleanup() {
    every_seed("wrong clock over cleanup", |size, seed| {
        let mut trial = trial("wrong clock over cleanup", (size, seed))?;
        trial.environment.push(("SMARTPARK_RETENTION_DAYS", "30".into()));
        let server = trial.begin();
        trial.load.run(|load| {
            load.wait_for_part(1, 2);
            set(&trial, "@2100-01-01 04:00:00");
            // The server looks at the clock every half minute.
            while !server.log().contains("nightly cleanup") {
                load.pause();
            }
            trial.note_horizon();
            set(&trial, "+0");
            accept(&trial);
            trial.healed();
        });
        trial.end(server);
        Ok(())
    });
}

/// A machine that begins in 1970 does not trust its clock until it hears the time: what it cannot
/// place is to be sent again, and is taken when its clock is right.
#[test]
fn clock_begins_in_1970() {
    every_seed("clock of 1970", |size, seed| {
        let trial = trial("clock of 1970", (size, seed))?;
        set(&trial, "@1970-01-02 00:00:00");
        let (code, log) = {
            let server = trial.serve();
            let ready = Client::new(None).get(&trial.load.url("/health/ready")).unwrap();
            assert_eq!(ready.status, 503, "{ready:?}");
            let again = post(&trial, "early", "2026-01-30T12:00:00Z");
            let kind = "urn:smartpark:problem:clock";
            assert!(again.status == 503 && again.body["type"] == kind, "{again:?}");
            set(&trial, "+0");
            trial.healed();
            server.stop()
        };
        assert_eq!(code, Some(0), "{log}");
        let server = trial.begin();
        trial.load.run(|_| {});
        trial.end(server);
        Ok(())
    });
}
