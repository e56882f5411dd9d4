//! Defects on purpose (src/planted.rs), each of which the invariant that it breaks must find. Those
//! of recording stand in both engines; the others once, as the judge is the same for both.

use super::{
    facts::Facts,
    load::{Post, mixed, shuffled},
    trial::{Engine, Size, Trial},
};
use crate::cli::{Server, garage::Random};

/// Few cars: most defects show at once.
const SIZE: Size = Size { name: "planted", cars: 1_200, faults: 1, runs: 1 };

/// A run of these posts with this defect.
fn trial(engine: Engine, defect: &str, posts: fn(&Facts, &mut Random) -> Vec<Post>) -> Trial {
    let mut trial = Trial::new(("planted", engine), engine.folder(), (SIZE, 7), posts);
    trial.environment.push(("SMARTPARK_PLANT", defect.to_owned()));
    trial
}

/// What a run that nothing disturbs is found to break.
fn undisturbed(trial: &Trial) -> Vec<&'static str> {
    let server = trial.begin();
    trial.load.run(|load| {
        load.wait_for_part(1, 2);
        trial.forget();
    });
    broken(trial, server)
}

/// The invariants that do not hold.
fn broken(trial: &Trial, server: Server) -> Vec<&'static str> {
    let mut broken: Vec<_> = trial.judge(server).iter().map(|it| it.invariant).collect();
    broken.sort_unstable();
    broken.dedup();
    broken
}

/// Makes of each defect a test that it is found by its invariant.
macro_rules! planted {
    ($engine:expr; $($name:ident: $defect:literal is found by $invariant:literal)*) => {
        $(#[test]
        fn $name() {
            let broken = undisturbed(&trial($engine, $defect, mixed));
            assert!(broken.contains(&$invariant), "only {broken:?}");
        })*
    };
}

planted! {
    Engine::Sqlite;
    half_a_batch: "half-batch" is found by "I1"
    a_lost_late_event: "lose-late-event" is found by "I1"
    a_stored_event_is_refused: "store-refused" is found by "I2"
    a_changed_payload: "change-payload" is found by "I4"
    a_repeat_with_another_id: "another-id" is found by "I5"
    a_delta_is_forgotten: "forget-delta" is found by "I6"
    a_count_above_its_limit: "count-above-limit" is found by "I7"
    a_turned_sign: "turn-sign" is found by "I8"
    a_counted_duplicate: "count-duplicate" is found by "I9"
    an_effect_without_its_event: "lose-late-event" is found by "I10"
    answer_before_commit: "answer-before-commit" is found by "I11"
    an_answered_event_is_hidden: "hide-event" is found by "I11"
    old_floors: "old-floors" is found by "I12"
    a_forgotten_roll_up: "forget-roll-up" is found by "I13"
    a_page_skips_a_row: "skip-row" is found by "I14"
    an_inactive_floor_is_recommended: "recommend-inactive" is found by "I15"
    a_horizon_that_moves_back: "move-horizon-back" is found by "I16"
    a_gauge_that_is_wrong: "wrong-gauge" is found by "I17"
    a_repeat_among_the_recorded: "miscount" is found by "I17"
    a_server_that_stays_unready: "stay-unready" is found by "I18"
    files_that_leak: "leak-files" is found by "I19"
    a_key_in_the_log: "log-key" is found by "I20"
}

mod postgres {
    use super::*;

    planted! {
        Engine::Postgres;
        a_lost_late_event: "lose-late-event" is found by "I1"
        a_counted_duplicate: "count-duplicate" is found by "I9"
        an_effect_without_its_event: "lose-late-event" is found by "I10"
        answer_before_commit: "answer-before-commit" is found by "I11"
        a_forgotten_roll_up: "forget-roll-up" is found by "I13"
    }

    #[test]
    fn an_answer_that_a_kill_makes_untrue() {
        is_untrue_after_a_kill(Engine::Postgres);
    }

    #[test]
    fn a_panic_in_a_group() {
        is_survived(Engine::Postgres);
    }

    #[test]
    fn no_defect() {
        assert_eq!(undisturbed(&trial(Engine::Postgres, "none", mixed)), [""; 0]);
    }
}

/// A panic in the middle of a group: it is rolled back and its clients send again. The writer goes
/// on, so that there is nothing to be found but the panic.
fn is_survived(engine: Engine) {
    assert_eq!(undisturbed(&trial(engine, "panic-in-a-group", mixed)), ["contract"]);
}

#[test]
fn a_panic_in_a_group() {
    is_survived(Engine::Sqlite);
}

/// Every fact once: nothing comes after a post that would tell of it again.
fn once(facts: &Facts, random: &mut Random) -> Vec<Post> {
    shuffled(facts, 1, 1, random)
}

/// What was answered too early is lost when the server is killed: the last post at least, as
/// nothing comes after it that would commit it.
fn is_untrue_after_a_kill(engine: Engine) {
    let trial = trial(engine, "answer-before-commit", once);
    let server = trial.begin();
    trial.load.run(|_| ());
    server.kill();
    let broken = broken(&trial, trial.serve());
    assert!(broken.contains(&"I1"), "only {broken:?}");
}

#[test]
fn an_answer_that_a_kill_makes_untrue() {
    is_untrue_after_a_kill(Engine::Sqlite);
}

/// One of the requests that a server had begun when it was told to stop gets no answer.
#[test]
fn a_stop_without_an_answer() {
    let trial = trial(Engine::Sqlite, "drop-at-stop", once);
    let server = trial.begin();
    let mut next = None;
    trial.load.run(|load| {
        load.wait_for_part(1, 2);
        trial.stop_under_load(server);
        next = Some(trial.serve());
    });
    assert_eq!(broken(&trial, next.unwrap()), ["stop"]);
}

/// A row twice needs more than a defect of the program: its index is gone too.
#[test]
fn a_key_stored_twice() {
    let trial = trial(Engine::Sqlite, "forget-twins", mixed);
    let database = rusqlite::Connection::open(trial.folder.path().join("smartpark.db")).unwrap();
    database.execute_batch("DROP INDEX uq_event_idempotency").unwrap();
    let broken = undisturbed(&trial);
    assert!(broken.contains(&"I3"), "only {broken:?}");
}

/// The same run without a defect finds nothing.
#[test]
fn no_defect() {
    assert_eq!(undisturbed(&trial(Engine::Sqlite, "none", mixed)), [""; 0]);
}
