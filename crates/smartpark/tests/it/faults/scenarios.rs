//! Faults of the process, the load and PostgreSQL.

use super::{
    facts::Facts,
    load::{mixed, shuffled},
    raw,
    trial::{Engine, Size, Trial, on_both_engines},
};
use crate::{
    cli::{Folder, garage::Random},
    servers::{cars::FLOORS, database::Database, proxy::Proxy},
};

on_both_engines! {
    fn no_fault(engine, size, seed) {
        let trial = Trial::new(("no fault", engine), engine.folder(), (size, seed), mixed);
        let server = trial.begin();
        trial.load.run(|load| {
            load.wait_for_part(1, 2);
            trial.forget();
        });
        trial.end(server);
    }

    fn killed_at_random(engine, size, seed) {
        let trial = Trial::new(("kill -9", engine), engine.folder(), (size, seed), mixed);
        let mut server = Some(trial.begin());
        let mut random = Random(seed + 1);
        trial.load.run(|load| {
            for kill in 1..=size.faults {
                // Somewhere in the part of all posts that belongs to this kill.
                load.wait_for_part(100 * (kill - 1) + random.below(100), 100 * size.faults);
                server.take().unwrap().kill();
                server = Some(trial.serve());
                trial.healed();
                if kill == 1 {
                    trial.forget();
                }
            }
        });
        trial.end(server.unwrap());
    }

    fn told_to_stop_under_load(engine, size, seed) {
        let trial = Trial::new(("SIGTERM", engine), engine.folder(), (size, seed), mixed);
        let mut server = Some(trial.begin());
        trial.load.run(|load| {
            for stop in 1..=size.faults {
                load.wait_for_part(stop, size.faults + 1);
                trial.stop_under_load(server.take().unwrap());
                server = Some(trial.serve());
            }
        });
        trial.end(server.unwrap());
    }

    fn duplicates_by_the_dozen(engine, size, seed) {
        let fewer = Size { cars: size.cars / 4, ..size };
        let storm = |facts: &Facts, random: &mut Random| shuffled(facts, 12, 40, random);
        let trial = Trial::new(("duplicate storm", engine), engine.folder(), (fewer, seed), storm);
        let server = trial.begin();
        trial.load.run(|_| {});
        trial.end(server);
    }

    fn a_backlog_in_no_order(engine, size, seed) {
        let backlog = |facts: &Facts, random: &mut Random| shuffled(facts, 1, 100, random);
        let name = ("shuffled backlog", engine);
        let trial = Trial::new(name, engine.folder(), (size, seed), backlog);
        let server = trial.begin();
        trial.load.run(|_| {});
        trial.end(server);
    }
}

/// Each time for as long as it takes until PostgreSQL has taken from it what it holds.
#[test]
fn a_server_that_freezes_under_load() {
    Size::each_seed(|size, seed| {
        let name = ("server frozen", Engine::Postgres);
        let trial = Trial::new(name, Engine::Postgres.folder(), (size, seed), mixed);
        let server = trial.begin();
        trial.load.run(|load| {
            for freeze in 1..=size.faults {
                load.wait_for_part(freeze, size.faults + 1);
                server.signal("STOP");
                while raw::locks(&trial.url) > 0 {
                    load.pause();
                }
                server.signal("CONT");
                trial.healed();
            }
        });
        trial.end(server);
    });
}

#[test]
fn postgres_that_dies_and_comes_back() {
    Size::each_seed(|size, seed| {
        let database = Database::start();
        let folder = Folder::on_database(&database.url, &FLOORS);
        let name = ("PostgreSQL stopped -m immediate", Engine::Postgres);
        let trial = Trial::new(name, folder, (size, seed), mixed);
        let server = trial.begin();
        trial.load.run(|load| {
            for crash in 1..=size.faults {
                load.wait_for_part(crash, size.faults + 1);
                database.crash();
                database.resume();
                trial.healed();
            }
        });
        trial.end(server);
    });
}

#[test]
fn postgres_that_is_cut_off_in_commits() {
    Size::each_seed(|size, seed| {
        let database = Database::start();
        let proxy = Proxy::start(database.port());
        let folder = Folder::on_database(&database.url, &FLOORS);
        let name = ("PostgreSQL cut off in commits", Engine::Postgres);
        let mut trial = Trial::new(name, folder, (size, seed), mixed);
        trial.url = database.url_at(proxy.port);
        let server = trial.begin();
        proxy.begin();
        trial.load.run(|_| {});
        let cuts = proxy.cuts();
        assert!(cuts.iter().all(|(_, times)| *times > 0), "too few: {cuts:?}");
        trial.end(server);
    });
}

#[test]
fn a_second_server_and_a_foreign_lock_on_one_file() {
    Size::each_seed(|size, seed| {
        let name = ("second server, foreign lock", Engine::Sqlite);
        let trial = Trial::new(name, Engine::Sqlite.folder(), (size, seed), mixed);
        let server = trial.begin();
        trial.load.run(|load| {
            load.wait_for_part(1, 3);
            trial.folder.run(&["serve", "--listen", "127.0.0.1:0"]).ended(1);
            // Held until posts are refused: 503 with Retry-After, which the load takes for unknown.
            let path = trial.folder.path().join("smartpark.db");
            let other = rusqlite::Connection::open(path).unwrap();
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
            load.wait_for(|journal| journal.unavailable > 0);
            other.execute_batch("ROLLBACK").unwrap();
            trial.healed();
        });
        trial.end(server);
    });
}
