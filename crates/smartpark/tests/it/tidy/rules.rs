//! The house rules that hold for a file by itself: each is a function from a file to its faults.

use super::File;

/// What a rule finds wrong, with the line it is in (0 where it is the whole file).
pub(super) type Faults = Vec<(usize, String)>;

/// Every rule.
pub(super) const RULES: [fn(&File) -> Faults; 8] = [
    short,
    narrow,
    finished,
    strict,
    awaits_conditions,
    at_home_anywhere,
    in_its_layer,
    named_for_its_job,
];

/// Whether it is code, whatever the language.
fn is_code(file: &File) -> bool {
    ["rs", "js", "mjs", "css", "html"].into_iter().any(|ending| file.is(ending))
}

/// Small rooms.
fn short(file: &File) -> Faults {
    let lines = file.text.lines().count();
    if is_code(file) && lines > 500 {
        return vec![(0, format!("has {lines} lines; 500 is the bound: split it"))];
    }
    Vec::new()
}

/// Also what rustfmt leaves alone: texts and comments.
fn narrow(file: &File) -> Faults {
    if !is_code(file) {
        return Vec::new();
    }
    let wide = |line: &str| line.chars().count() > 100;
    file.lines_where(wide, "is wider than 100 characters")
}

/// What is merged is done; what is not done is an issue.
fn finished(file: &File) -> Faults {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("#[ign", "ore"),
    ];
    if !is_code(file) && !file.is("sql") && !file.path.starts_with("scripts/") {
        return Vec::new();
    }
    file.lines_with(&marks, "does not belong in finished work")
}

/// An expectation says why, and shows when it is no longer needed.
fn strict(file: &File) -> Faults {
    let marks = [concat!("[al", "low("), concat!(", al", "low(")];
    let silences = |line: &str| line.contains('#') && marks.iter().any(|m| line.contains(m));
    if !file.is("rs") {
        return Vec::new();
    }
    file.lines_where(silences, "silences a lint: use #[expect(…, reason = …)]")
}

/// A test that waits a while is slow on a fast machine and fails on a slow one.
fn awaits_conditions(file: &File) -> Faults {
    let path = file.path.as_str();
    let all_tests = path.starts_with("tests/") || path.ends_with("/tests.rs");
    let from = if all_tests || path.contains("/tests/") {
        Some(0)
    } else {
        file.text.lines().position(|line| line.trim() == "#[cfg(test)]")
    };
    let Some(from) = from.filter(|_| is_code(file)) else {
        return Vec::new();
    };
    let mut faults = file.lines_with(
        &[concat!("sl", "eep("), concat!("waitForTi", "meout(")],
        "makes a test guess a time: wait for the condition instead",
    );
    faults.retain(|(line, _)| *line > from);
    faults
}

/// The repository works wherever it is cloned.
fn at_home_anywhere(file: &File) -> Faults {
    let places =
        [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/tm", "p/"), concat!("/wo", "rk/")];
    file.lines_with(&places, "is a path of one machine")
}

/// Inside a crate arrows point down only; between crates `arrows` holds them.
fn in_its_layer(file: &File) -> Faults {
    const SQL: [&str; 5] = ["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "PRAGMA "];
    const DRIVERS: [&str; 3] = ["rusqlite", "tokio_postgres", "deadpool"];
    const WEB: [&str; 5] = ["axum", "hyper", "utoipa", "crate::http", "clap::"];
    let source = file.path.strip_prefix("crates/").and_then(|path| path.split_once("/src/"));
    let Some((package, path)) = source.filter(|_| file.is("rs")) else {
        return Vec::new();
    };
    let within = |module: &str| {
        path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    };
    let mut banned: Vec<&str> = Vec::new();
    match package {
        "smartpark-core" => {
            banned.extend(["tokio", "Clock", "std::fs", "std::net"]);
            banned.extend(DRIVERS.iter().chain(&WEB));
        }
        "smartpark-ledger" => {
            banned.extend(WEB);
            if !within("store") {
                banned.extend(SQL.iter().chain(&DRIVERS));
            }
            if within("store/sqlite") {
                banned.extend(["postgres"]);
            }
            if within("store/postgres") {
                banned.extend(["sqlite"]);
            }
        }
        "smartpark" | "smartpark-bridge" | "smartpark-exchange" => {
            banned.extend(SQL.iter().chain(&DRIVERS));
        }
        "smartpark-server" => {
            banned.extend(SQL.iter().chain(&DRIVERS));
            banned.extend(["clap::", "rumqttc"]);
        }
        _ => {}
    }
    names(file, &banned)
}

/// The lines that name one of these words outside comments.
fn names(file: &File, banned: &[&str]) -> Faults {
    let named = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        // Data may describe itself to an interface that is compiled in.
        let describes = code.trim_start().starts_with("#[cfg_attr(feature = ");
        !describes && banned.iter().any(|word| code.contains(word))
    };
    file.lines_where(named, "names what its layer must not know (ARCHITECTURE.md)")
}

/// A name that says nothing collects everything.
fn named_for_its_job(file: &File) -> Faults {
    let vague = ["util", "utils", "common", "helper", "helpers"];
    let mut parts = file.path.trim_end_matches(".rs").split('/');
    if file.is("rs") && parts.any(|part| vague.contains(&part)) {
        return vec![(0, "is named for no job: say what it does".to_owned())];
    }
    Vec::new()
}
