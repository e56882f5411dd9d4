//! kill -9 in the middle of a copy, to either engine, and from there on.

use std::process::Stdio;

use crate::{
    cli::{
        Folder, Garage,
        garage::{FLOORS, Random},
    },
    postgres::Schema,
};

const KILLS: usize = 7;

/// Where a copy goes, and how it is looked at from outside.
enum Target {
    File(String),
    Server(Schema),
}

impl Target {
    fn url(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite://{path}"),
            Self::Server(schema) => schema.url(),
        }
    }

    /// A number that a query finds; 0 where there is no such table yet.
    fn number(&self, query: &str) -> i64 {
        match self {
            Self::File(path) => {
                let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
                let opened = rusqlite::Connection::open_with_flags(path, flags);
                let number = opened.and_then(|db| db.query_row(query, [], |row| row.get(0)));
                number.unwrap_or_default()
            }
            Self::Server(schema) => schema.number(query),
        }
    }
}

/// Copies until the target holds so many events, and is killed then; tells how many it holds. A
/// copy that ends by itself is none that was killed.
fn copy_and_kill(folder: &Folder, target: &Target, events: i64) -> Option<i64> {
    let url = target.url();
    let mut command = folder.command(&["copy", "--from", folder.url(), "--to", &url]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while target.number("SELECT count(*) FROM events") < events {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        std::thread::yield_now();
    }
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    (!ended).then(|| target.number("SELECT count(*) FROM events"))
}

/// A garage of most of a year, with the first months forgotten.
fn garage() -> Folder {
    let (garage, folder) = (Garage::repeated(16), Folder::with_floors(&FLOORS));
    folder.file("events.csv", garage.csv());
    folder.run(&["import", "events.csv"]).ok();
    let now = smartpark::Clock::system().now();
    let first: smartpark::Timestamp = "2019-03-01T00:00:00Z".parse().unwrap();
    let days = now.duration_since(first).as_hours() / 24;
    folder.run(&["cleanup", "--older-than-days", &days.to_string()]).ok();
    folder.run(&["floors", "recount", "1F", "3", "--reason", "round"]).ok();
    folder
}

fn survives_kills(target: &Target) {
    let folder = garage();
    let run = |args: &[&str], url: &str| {
        folder.run(&[args, &["--json", "--database", url]].concat()).ok().out
    };
    let (from, url) = (folder.url(), target.url());
    let checked = folder.run(&["check", "--json"]).ok().json();
    let total = checked["events"].as_i64().unwrap();
    let mut random = Random(7);
    let mut in_the_middle = 0;
    for kill in 0..KILLS {
        // From the very beginning to when all events are there and the rest is being built.
        let upto = total * i64::try_from(kill).unwrap() / (KILLS as i64 - 1);
        let upto = (upto - i64::try_from(random.below(500)).unwrap()).max(0);
        let Some(held) = copy_and_kill(&folder, target, upto) else { break };
        assert!(held <= total, "{held} of {total}");
        in_the_middle += usize::from(held > 0 && held < total);
        if target.number("SELECT count(copy_of) FROM site") == 1 {
            let refused = folder.run(&["floors", "--database", &url]).ended(1);
            assert!(refused.err.contains("unfinished copy"), "{}", refused.err);
            assert_eq!(folder.run(&["serve", "--database", &url]).code, Some(1));
        }
    }
    assert!(in_the_middle > 0, "no kill fell into the copying: it proves nothing");
    let copied = folder.run(&["copy", "--from", from, "--to", &url, "--json"]).ok().json();
    assert_eq!((&copied["finished"], &copied["events"]), (&true.into(), &total.into()));
    assert!(copied["written"].as_i64().unwrap() < total, "{copied}");
    for args in [&["export", "-"][..], &["floors", "--all"], &["check"]] {
        assert!(run(args, &url) == run(args, from), "{args:?} differs");
    }
    let sums = "SELECT sum(car_entries) + 31 * sum(car_exits) + 7 * count(*) FROM event_hours";
    let sums = sums.replace("sum(car_entries) +", "CAST(sum(car_entries) +");
    let sums = sums.replace("count(*) FROM", "count(*) AS BIGINT) FROM");
    let source = Target::File(from.strip_prefix("sqlite://").unwrap().to_owned());
    assert_eq!(target.number(&sums), source.number(&sums));
}

#[test]
fn a_killed_copy_to_sqlite_goes_on() {
    let folder = Folder::new();
    survives_kills(&Target::File(format!("{}/copy.db", folder.path().display())));
}

#[test]
fn a_killed_copy_to_postgresql_goes_on() {
    survives_kills(&Target::Server(Schema::new()));
}
