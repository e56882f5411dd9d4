//! The runs: undisturbed, with PostgreSQL crashing, with connections that break off, with servers
//! that freeze.

use super::{
    cars::{FLOORS, seen},
    clients::{Clients, Journal, posts},
    database::Database,
    proof::assert_whole,
    proxy::Proxy,
};
use crate::cli::{Folder, Server, garage::Random};

/// Events of a run that nothing disturbs, and of one with faults: each is sent one, two or three
/// times, so that a hundred thousand are sent in any case.
const EVENTS: usize = 100_000;
const EVENTS_WITH_FAULTS: usize = 60_000;
const SERVERS: usize = 3;
const CRASHES: usize = 5;
const FREEZES: usize = 6;
/// Posts that the other servers answer while one is frozen.
const POSTS_MEANWHILE: usize = 500;
/// The one after which the database stays away for longer than a request is tried.
const LONG_CRASH: usize = 3;

/// Sends everything to servers on the folder's database, with `meanwhile` beside it, and proves
/// what is left there. The servers reach it by way of `url`. Of so many events most come in posts
/// with others, but of so many posts only one holds several.
fn run(
    folder: &Folder,
    url: &str,
    (events, posts_to_one): (usize, usize),
    meanwhile: impl FnOnce(&Clients<'_>, &[Server]),
) -> Journal {
    let mut random = Random(2026);
    let cars = seen(events, &mut random);
    let clients = Clients::new(&cars, posts(events, posts_to_one, &mut random));
    let start = |_| Server::start(folder, &["--database", url]);
    let servers: Vec<Server> = (0..SERVERS).map(start).collect();
    let urls: Vec<&str> = servers.iter().map(|server| server.url.as_str()).collect();
    let journal = clients.run(&urls, |clients| meanwhile(clients, &servers));
    assert_whole(folder, &cars, &journal);
    assert_eq!(journal.lost, 0, "the servers themselves are well");
    let floors = servers.iter().map(|server| server.get("/floors")).collect::<Vec<_>>();
    assert!(floors.iter().all(|told| told.0 == 200 && *told == floors[0]), "{floors:?}");
    for server in servers {
        let (code, log) = server.stop();
        assert_eq!(code, Some(0), "{log}");
    }
    journal
}

#[test]
fn three_servers_count_as_one() {
    let folder = Folder::with_floors_in_postgres(&FLOORS);
    let journal = run(&folder, folder.url(), (EVENTS, 16), |_, _| {});
    assert_eq!(journal.unavailable, 0, "nothing was in the way");
}

#[test]
fn a_database_that_crashes_keeps_all_that_was_acknowledged() {
    let database = Database::start();
    let folder = Folder::on_database(&database.url, &FLOORS);
    let journal = run(&folder, folder.url(), (EVENTS_WITH_FAULTS, 8), |clients, _| {
        for crash in 1..=CRASHES {
            clients.wait_for_part(crash, CRASHES + 1);
            database.crash();
            if crash == LONG_CRASH {
                clients.wait_for(|journal| journal.unavailable > 0);
            }
            database.resume();
        }
    });
    assert!(journal.unavailable > 0, "nobody can wait for ever");
}

#[test]
fn connections_that_break_off_in_a_commit_leave_nothing_unknown() {
    let database = Database::start();
    let proxy = Proxy::start(database.port());
    let folder = Folder::on_database(&database.url, &FLOORS);
    run(&folder, &database.url_at(proxy.port), (EVENTS_WITH_FAULTS, 8), |_, _| proxy.begin());
    let cuts = proxy.cuts();
    assert!(cuts.iter().all(|(_, times)| *times >= 30), "too few to prove anything: {cuts:?}");
}

/// Each server freezes in its turn. What it holds is taken from it, the others go on, and when it
/// goes on it counts nothing twice.
#[test]
fn servers_that_freeze_in_turn_leave_the_others_recording() {
    let folder = Folder::with_floors_in_postgres(&FLOORS);
    run(&folder, folder.url(), (EVENTS_WITH_FAULTS, 8), |clients, servers| {
        for (turn, server) in servers.iter().cycle().take(FREEZES).enumerate() {
            clients.wait_for_part(turn + 1, FREEZES + 1);
            server.signal("STOP");
            clients.wait_for_more(POSTS_MEANWHILE);
            server.signal("CONT");
        }
    });
}
