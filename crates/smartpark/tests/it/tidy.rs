//! The house rules that no compiler checks. Each is a function from a file's text to its faults,
//! so that the last test here can show that each of them sees what it forbids.

mod arrows;
mod files;
mod names;
mod rules;

use std::collections::BTreeSet;

use files::{File, repository};
use names::{dead_paths, misnumbered};
use rules::RULES;

#[test]
fn every_file_keeps_the_rules() {
    let files = repository();
    assert!(files.iter().any(|file| file.path == "crates/smartpark/src/lib.rs"));
    let faults: Vec<String> = files.iter().flat_map(faults).collect();
    assert_none("the house rules (tests/it/tidy.rs) are broken", &faults);
}

#[test]
fn paths_named_in_the_documents_exist() {
    let files = repository();
    let known: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut faults = Vec::new();
    for name in ["ARCHITECTURE.md", "README.md", "docs/design/rooms.md"] {
        match files.iter().find(|file| file.path == name) {
            None => faults.push(format!("{name} is missing")),
            Some(file) => faults.extend(dead_paths(file, &known)),
        }
    }
    assert_none("documents name files that do not exist", &faults);
}

#[test]
fn migrations_are_numbered_and_the_same_for_every_engine() {
    let names = |engine: &str| -> Vec<String> {
        let folder = format!("crates/smartpark-ledger/migrations/{engine}/");
        let files = repository().into_iter();
        let mut names: Vec<String> =
            files.filter_map(|file| file.path.strip_prefix(&folder).map(str::to_owned)).collect();
        names.sort();
        names
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert!(!sqlite.is_empty(), "migrations/sqlite holds no migration");
    assert_none("migrations are misnamed", &misnumbered(&sqlite));
    if !postgres.is_empty() {
        assert_eq!(
            sqlite, postgres,
            "migrations/sqlite and migrations/postgres hold different names"
        );
    }
}

/// The program in the README is the example that every test run compiles.
#[test]
fn the_readme_shows_the_example() {
    let files = repository();
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        file.unwrap_or_else(|| panic!("{path} is missing")).text.clone()
    };
    let example = text("crates/smartpark-ledger/examples/embed.rs");
    let program =
        example.split_once("use smartpark_ledger").map_or(&*example, |(_, program)| program);
    assert!(
        text("README.md").contains(program),
        "README.md shows another program than crates/smartpark-ledger/examples/embed.rs"
    );
}

#[test]
fn the_changelog_has_an_entry_for_this_version() {
    let heading = format!("## [{}]", env!("CARGO_PKG_VERSION"));
    let files = repository();
    let mut changelog = files.iter().filter(|file| file.path == "CHANGELOG.md");
    assert!(
        changelog.any(|file| file.text.lines().any(|line| line.starts_with(&heading))),
        "CHANGELOG.md has no entry \"{heading}\" for the version in Cargo.toml"
    );
}

#[test]
fn every_rule_sees_what_it_forbids() {
    let long = "x\n".repeat(501);
    let wide = "x".repeat(101);
    let planted = [
        ("crates/smartpark/src/a.rs", long.as_str()),
        ("crates/smartpark/src/a.rs", wide.as_str()),
        ("crates/smartpark/src/a.css", wide.as_str()),
        ("crates/smartpark/src/a.rs", concat!("// TO", "DO: later")),
        ("tests/it/a.rs", concat!("#[ign", "ore]")),
        ("crates/smartpark/src/a.rs", concat!("#[al", "low(dead_code)]")),
        ("crates/smartpark/src/a.rs", concat!("#![cfg_attr(test, al", "low(dead_code))]")),
        ("tests/it/a.rs", concat!("std::thread::sl", "eep(second);")),
        ("crates/smartpark/src/a/tests.rs", concat!("sl", "eep(second);")),
        ("tests/a.mjs", concat!("await page.waitForTi", "meout(100);")),
        ("crates/smartpark/src/a.rs", concat!("#[cfg(test)]\nmod tests { sl", "eep(a); }")),
        ("README.md", concat!("cd /ho", "me/somebody")),
        ("crates/smartpark-server/src/events.rs", "use rusqlite::Connection;"),
        ("crates/smartpark/src/cli/import.rs", "let sql = \"SELECT id FROM floors\";"),
        ("crates/smartpark-ledger/src/store/sqlite.rs", "use axum::Json;"),
        ("crates/smartpark-ledger/src/store/sqlite/read.rs", "use super::postgres;"),
        ("crates/smartpark-ledger/src/store/postgres.rs", "use super::sqlite;"),
        ("crates/smartpark-core/src/count.rs", "use tokio::sync::Mutex;"),
        ("crates/smartpark-core/src/count/history.rs", "let now = Clock::system();"),
        ("crates/smartpark-core/src/model.rs", "use rusqlite::Row;"),
        ("crates/smartpark-ledger/src/events.rs", "use crate::http::problem;"),
        ("crates/smartpark-server/src/lib.rs", "use clap::Parser;"),
        ("crates/smartpark-server/src/util.rs", ""),
        ("crates/smartpark/src/helpers/text.rs", ""),
    ];
    let clean = [
        (
            "crates/smartpark-ledger/src/store/sqlite.rs",
            "const SQL: &str = \"SELECT 1\"; // axum is above",
        ),
        (
            "crates/smartpark-ledger/src/limits.rs",
            concat!("fn may_allow(rate: u32) { self.allow(rate); sl", "eep(pause) }"),
        ),
        (
            "crates/smartpark-server/src/lib.rs",
            "#[cfg(feature = \"http\")] // DELETE FROM is the store's",
        ),
        ("crates/smartpark-core/src/count.rs", "//! Knows no tokio."),
        (
            "crates/smartpark-core/src/model.rs",
            "#[cfg_attr(feature = \"http\", derive(utoipa::ToSchema))]",
        ),
    ];
    let file =
        |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: (*text).to_owned() };
    for sample in &planted {
        assert_eq!(faults(&file(sample)).len(), 1, "{sample:?}");
    }
    for sample in &clean {
        assert_eq!(faults(&file(sample)), [""; 0], "{sample:?}");
    }
    assert_eq!(misnumbered(&["0001_a.sql".into(), "0003_b.sql".into()]).len(), 1);
    assert_eq!(misnumbered(&["0001_a.sql".into(), "0002_B.txt".into()]).len(), 1);
    let document = (
        "ARCHITECTURE.md",
        "`src/lib.rs`, `lib.rs`, `src/`, `POST /events`, `text/csv`, `src/{lib,gone}.rs`,\n\
         `migrations/*/NNNN_name.sql`, `gone.md`\n```\nlib.rs  all of it\n  gone.toml, it\n```\n",
    );
    let known = BTreeSet::from(["src/lib.rs", "migrations/sqlite/0001_a.sql"]);
    let dead = dead_paths(&file(&document), &known);
    let names: Vec<_> = dead.iter().filter_map(|fault| fault.split('`').nth(1)).collect();
    assert_eq!(names, ["src/gone.rs", "gone.md", "gone.toml"]);
}

fn faults(file: &File) -> Vec<String> {
    let found = RULES.iter().flat_map(|rule| rule(file));
    found
        .map(|(line, fault)| match line {
            0 => format!("{} {fault}", file.path),
            line => format!("{}:{line} {fault}", file.path),
        })
        .collect()
}

fn assert_none(what: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{what}:\n  {}\n", faults.join("\n  "));
}
