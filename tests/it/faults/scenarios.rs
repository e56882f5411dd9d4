//! Faults of the process, the load and PostgreSQL.

use super::{
    load::mixed,
    trial::{Trial, on_both_engines},
};
use crate::cli::garage::Random;

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
}
