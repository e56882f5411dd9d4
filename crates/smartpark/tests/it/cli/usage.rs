//! How the command line answers to being used wrongly, and rightly.

use super::program::Folder;

#[test]
fn wrong_usage_is_2_and_failure_is_1_and_both_say_what_to_do() {
    let folder = Folder::with_floors(&[("1F", 14)]);
    let empty = folder.file("empty.csv", "");
    let array = folder.file("events.json", "[{}]");
    let table = folder.file("table.csv", "camera_id,track_id,direction\nc,t,entry\n");
    let (empty, array, table) =
        (empty.to_str().unwrap(), array.to_str().unwrap(), table.to_str().unwrap());
    let record = |rest: &str| {
        format!("record --camera-id c --floor 1F --track-id t --direction entry {rest}")
    };
    let cases: Vec<(String, i32, &str)> = [
        ("", 2, "Usage: smartpark"),
        ("park", 2, "unrecognized subcommand"),
        ("start --seed all", 2, "--seed"),
        ("run --port 9000 --listen 9000", 2, "cannot be used with"),
        ("serve -p nine", 2, "--port"),
        ("serve --listen 90000", 2, "or only a port"),
        ("reset --empty --samples", 2, "cannot be used with"),
        ("reset --empty", 2, "--yes"),
        ("floors --at yesterday", 2, "RFC 3339"),
        ("floors --at 2026-02-12T10:00:00", 2, "offset"),
        ("floors add", 2, "--slots"),
        ("floors add Roof --slots many", 2, "--slots"),
        ("floors add Roof --slots -1", 2, "total_slots must be"),
        ("floors add 1F --slots 3", 1, "another floor has this name"),
        ("floors set 1F", 2, "nothing to change"),
        ("floors set 1F --active maybe", 2, "--active"),
        ("floors set 2F --slots 3", 1, "smartpark floors --all"),
        ("floors set 1F --force", 2, "--slots"),
        ("floors remove 2F", 1, "smartpark floors --all"),
        ("floors recount 1F 3", 2, "--reason"),
        ("floors recount 1F -3 --reason x", 2, "current_vehicles must be"),
        ("floors recount 1F 15 --reason x", 2, "current_vehicles"),
        ("record --camera-id c", 2, "--floor"),
        ("events --limit 0", 2, "--limit"),
        ("events --start soon", 2, "--start must be an existing RFC 3339"),
        ("events --period 2026-13", 2, "--period must be today"),
        ("stats --end today", 2, "--start"),
        ("stats --period today --hours 3", 2, "cannot be used with"),
        ("history --step fortnight", 2, "day, week or month"),
        ("history --time-zone Berlin", 2, "Europe/Berlin"),
        ("sites set", 2, "MEMBER=VALUE"),
        ("sites set time_zone=Berlin", 2, "time_zone must be a time zone"),
        ("import - --set floor", 2, "FIELD=VALUE"),
        ("import - --time-zone Berlin", 2, "--time-zone must be"),
        ("import - --word direction=in", 2, "direction:WORD=entry"),
        ("import - --floor-by colour", 2, "must be id or name"),
        ("import - --encoding ebcdic", 2, "latin1"),
        ("serve --base-path smartpark", 2, "a path such as /smartpark"),
        ("events --limit 1001", 2, "--limit"),
        ("events --hours 3 --start 2026-02-12T10:00:00Z", 2, "cannot be used with"),
        ("events --cursor x", 2, "next_cursor"),
        ("stats --hours 0", 2, "--hours"),
        ("cleanup", 2, "--older-than-days"),
        ("cleanup --older-than-days 0", 2, "days must be"),
        ("import", 2, "<FILE>"),
        ("import nowhere.csv", 1, "nowhere.csv cannot be read"),
        ("import - --map floor", 2, "FIELD=COLUMN"),
        ("import - --map speed=v", 2, "camera_id, floor_id, floor, track_id"),
        ("import - --format xml", 2, "--format"),
        ("check --map floor=f", 2, "--truth"),
        ("check --truth nowhere.csv", 1, "nowhere.csv cannot be read"),
        ("reset", 2, "--yes"),
        ("seed", 1, "smartpark reset"),
        ("serve --listen here", 2, "127.0.0.1:8000"),
        ("serve --listen 0.0.0.0:0", 2, "--no-auth"),
        ("serve --listen [::]:0", 2, "--no-auth"),
        ("serve --listen 0.0.0.0:0 --behind-proxy 10.0.0.1", 2, "smartpark key add"),
        ("serve --behind-proxy nginx", 2, "a network like 10.0.0.0/8"),
        ("serve --tls-cert chain.pem", 2, "--tls-key"),
        ("serve --tls-cert nowhere.pem --tls-key nowhere.pem", 1, "nowhere.pem cannot be read"),
        ("serve --cors-origin *", 2, "https://example.com"),
        ("serve --rate-limit 0", 2, "from 1 to 1000000"),
        ("serve --address-rate-limit many", 2, "from 1 to 1000000"),
        ("key add gate", 2, "--role"),
        ("key add gate --role guest", 2, "viewer, camera, admin"),
        ("key add gate --role viewer --camera c", 2, "only for the role camera"),
        ("key add gate --role camera --floor 2F", 1, "smartpark floors --all"),
        ("key add sp_gate --role viewer", 2, "must not begin with sp_"),
        ("key rotate gate", 1, "smartpark key list"),
        ("key revoke gate", 1, "smartpark key list"),
        ("serve --retention-days 0", 2, "from 1 to 36525"),
        ("serve --max-clock-skew soon", 2, "5min"),
        ("completions tcsh", 2, "bash"),
        ("info --database sqlite://other.db", 1, "smartpark migrate"),
        ("info --database other.db", 1, "smartpark migrate"),
        ("info --database mysql://x", 1, "sqlite://"),
        ("info --database postgres://u:secret@h/d", 1, ""),
        ("info --config nowhere.toml", 2, "nowhere.toml"),
    ]
    .map(|(line, code, told)| (line.to_owned(), code, told))
    .into_iter()
    .chain([
        (record("--direction in"), 2, "--direction"),
        (record("--confidence 2"), 2, "confidence must be"),
        (record("--vehicle-type boat"), 2, "car"),
        (record("--timestamp 2199-01-01T00:00:00Z"), 1, "camera's clock"),
        (format!("import {array}"), 1, "jq -c"),
        (format!("import {table}"), 2, "no column for floor, timestamp; line 1 holds: camera_id"),
        (format!("import {table} --map floor=level"), 2, "floor (mapped to level)"),
        (format!("check --truth {empty}"), 2, "is empty"),
    ])
    .collect();
    for (line, code, told) in cases {
        let args: Vec<&str> = line.split_whitespace().collect();
        let ran = folder.run(&args);
        assert_eq!(ran.code, Some(code), "{line}: {ran:?}");
        assert!(ran.err.contains(told), "{line}: {ran:?}");
        assert!(!ran.err.contains("secret") && !ran.err.contains("panicked"), "{line}: {ran:?}");
        assert_eq!(ran.out, "", "{line}");
    }
    assert_eq!(folder.run(&["events", "--json"]).ok().json()["events"], serde_json::json!([]));
}

#[test]
fn sample_data_says_so_and_goes_with_one_command() {
    let folder = Folder::new();
    folder.run(&["seed", "--samples", "--database", "site.db"]).ok();
    let floors = |folder: &Folder| {
        let ran = folder.run(&["floors", "--json", "--all", "--database", "site.db"]).ok();
        ran.json()["floors"].as_array().unwrap().len()
    };
    assert_eq!(floors(&folder), 4);
    let ran = folder.run(&["reset", "--empty", "--yes", "--database", "site.db"]).ok();
    assert!(ran.out.contains("smartpark floors add"), "{ran:?}");
    assert_eq!(floors(&folder), 0);
    assert!(folder.path().join("site.db").exists());
    let version = folder.run(&["version"]).ok();
    assert_eq!(version.out, folder.run(&["--version"]).ok().out);
    let told = folder.run(&["version", "--json"]).ok().json()["version"].clone();
    assert_eq!(told, env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_database_is_made_only_where_one_is_asked_for() {
    let asking: [&[&str]; 16] = [
        &["reset", "--yes"],
        &["info"],
        &["floors"],
        &["floors", "add", "Roof", "--slots", "3"],
        &["recommend"],
        &["record", "--camera-id=c", "--floor=1", "--track-id=t", "--direction=entry"],
        &["events"],
        &["stats"],
        &["cleanup", "--older-than-days", "30"],
        &["import", "-"],
        &["export", "-"],
        &["backup", "b.db"],
        &["check"],
        &["check", "--repair"],
        &["key", "list"],
        &["key", "add", "gate", "--role", "camera"],
    ];
    let folder = Folder::new();
    for args in asking {
        let ran = folder.run(args).ended(1);
        assert!(ran.err.contains("smartpark migrate"), "{args:?}: {ran:?}");
        assert!(ran.err.lines().count() <= 2, "{args:?}: {ran:?}");
        assert_eq!(folder.files(), [""; 0], "{args:?}");
    }
    for args in [&["migrate"][..], &["seed"]] {
        let folder = Folder::new();
        folder.run(args).ok();
        assert!(folder.path().join("smartpark.db").exists(), "{args:?}");
    }
}

#[test]
fn help_is_no_failure_and_teaches_with_an_example() {
    let folder = Folder::new();
    let help = folder.run(&["--help"]).ok().out;
    assert!(help.contains("smartpark serve") && help.contains("smartpark.toml"), "{help}");
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.map_while(|line| line.split_whitespace().next());
    let mut number = 0;
    for command in commands.filter(|command| *command != "help") {
        let help = folder.run(&[command, "--help"]).ok().out;
        assert!(help.contains(&format!("  smartpark {command}")), "{command}: {help}");
        number += 1;
    }
    // The list was found: a program with so many commands has not lost its help.
    assert!(number > 20, "{number} commands: {help}");
    assert_eq!(folder.files(), [""; 0]);
}

#[test]
fn every_shell_gets_its_completions() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.run(&["completions", shell]).ok().out;
        assert!(script.contains("recount") && script.contains("smartpark"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = Folder::new();
    folder.run(&["seed", "--samples"]).ok();
    for args in [&["events"][..], &["info"], &["--help"], &["completions", "bash"]] {
        let mut command = folder.command(args);
        // A pipe whose reading end is closed before the program writes.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = super::program::ran(&command.stdout(writer).output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{args:?}");
    }
}
