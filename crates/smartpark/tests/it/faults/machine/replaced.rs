//! A database file that is moved away or replaced under the server, and put back afterwards.

use std::fs;

use super::{every_seed, must_have_failed};
use crate::faults::{
    load::mixed,
    trial::{Engine, Trial},
};

/// The server ends, and acknowledges nothing that the file in its place does not have: with the
/// right file put back, all is there.
#[test]
fn a_file_that_is_replaced_and_put_back() {
    every_seed("replaced file", |size, seed| {
        let name = ("replaced file", Engine::Sqlite);
        let trial = Trial::new(name, Engine::Sqlite.folder(), (size, seed), mixed);
        let at = |name: &str| trial.folder.path().join(name);
        let (path, aside) = (at("smartpark.db"), at("aside"));
        let mut server = Some(trial.begin());
        trial.load.run(|load| {
            for fault in 1..=size.faults {
                load.wait_for_part(fault, size.faults + 1);
                let other = at(&format!("backup-{fault}.db"));
                if fault % 2 == 0 {
                    trial.folder.run(&["backup", other.to_str().unwrap()]).ok();
                }
                fs::rename(&path, &aside).unwrap();
                if fault % 2 == 0 {
                    fs::rename(&other, &path).unwrap();
                }
                let mut failing = server.take().unwrap();
                // Also if all was sent before: it notices by itself.
                let ended = loop {
                    match failing.ended() {
                        Some(ended) => break ended,
                        None => load.pause(),
                    }
                };
                must_have_failed(&trial, Some(ended));
                fs::rename(&aside, &path).unwrap();
                server = Some(trial.serve());
                trial.healed();
            }
        });
        trial.end(server.unwrap());
        Ok(())
    });
}
