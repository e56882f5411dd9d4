//! Where settings come from, and which of them holds.

use super::program::Folder;

/// Runs `info` with a database from each place that is named, and says which one was taken.
fn taken(flag: bool, variable: bool, file: bool) -> String {
    let folder = Folder::new();
    for name in ["flag", "variable", "file", "smartpark"] {
        folder.run(&["migrate", "--database", &format!("sqlite://{name}.db")]).ok();
        let url = format!("sqlite://{name}.db");
        folder.run(&["floors", "add", name, "--slots", "1", "--database", &url]).ok();
    }
    let mut args = vec!["recommend", "--json"];
    if flag {
        args.extend(["--database", "sqlite://flag.db"]);
    }
    if file {
        folder.file("smartpark.toml", "database = \"sqlite://file.db\"\n");
    }
    let mut command = folder.command(&args);
    if variable {
        command.env("SMARTPARK_DATABASE", "sqlite://variable.db");
    }
    let ran = super::program::ran(&command.output().unwrap()).ok();
    ran.json()["floor"]["name"].as_str().unwrap().to_owned()
}

#[test]
fn flags_stand_over_variables_over_the_file_over_defaults() {
    assert_eq!(taken(true, true, true), "flag");
    assert_eq!(taken(false, true, true), "variable");
    assert_eq!(taken(false, false, true), "file");
    assert_eq!(taken(false, false, false), "smartpark");
}

#[test]
fn a_file_can_be_named_and_holds_every_setting() {
    let folder = Folder::new();
    folder.file(
        "mine.toml",
        "database = \"sqlite://mine.db\"\nlisten = \"localhost:9000\"\nseed = \"none\"\n\
         on_limit = \"reject\"\nmax_clock_skew = \"10min\"\ndedup_window = 3\n\
         retention_days = 30\nlog_level = \"debug\"\nlog_format = \"json\"\nno_auth = false\n\
         tls_cert = \"chain.pem\"\ntls_key = \"key.pem\"\nrate_limit = 50\n\
         address_rate_limit = 100\nbehind_proxy = [\"10.0.0.1\", \"fd00::/8\"]\n\
         cors_origin = [\"https://signs.example\"]\nsite_name = \"North Street\"\n",
    );
    folder.run(&["migrate", "--config", "mine.toml"]).ok();
    assert!(folder.path().join("mine.db").exists());
    let mut command = folder.command(&["info"]);
    let ran = super::program::ran(&command.env("SMARTPARK_CONFIG", "mine.toml").output().unwrap());
    ran.ok();
    // Ten minutes of skew come from the file: eight ahead of the clock are no fault.
    folder.run(&["floors", "add", "1F", "--slots", "3", "--config", "mine.toml"]).ok();
    let ahead = smartpark::Clock::system().now() + std::time::Duration::from_secs(8 * 60);
    let record = ["record", "--camera-id=c", "--floor=1F", "--track-id=t", "--direction=entry"];
    let at = format!("--timestamp={ahead}");
    let line = |rest: &[&str]| {
        let mut line = [&record[..], &[at.as_str(), "--config", "mine.toml"], rest].concat();
        line.retain(|word| !word.is_empty());
        folder.run(&line)
    };
    line(&["--max-clock-skew", "60"]).ended(1);
    line(&[""]).ok();
}

#[test]
fn a_setting_that_does_not_fit_is_named_with_its_place() {
    let folder = Folder::new();
    let cases = [
        ("lisen = \"x\"", "line 2 (lisen)", "unknown field"),
        ("listen = \"here\"", "line 2 (listen)", "an address and a port"),
        ("listen = 8000", "line 2 (listen)", "string"),
        ("seed = \"all\"", "line 2 (seed)", "sample"),
        ("retention_days = 0", "line 2 (retention_days)", "from 1 to 36525"),
        ("retention_days = \"x\"", "line 2 (retention_days)", "whole number"),
        ("dedup_window = \"soon\"", "line 2 (dedup_window)", "5min"),
        ("dedup_window = -1", "line 2 (dedup_window)", "5min"),
        ("no_auth = \"yes\"", "line 2 (no_auth)", "boolean"),
        ("behind_proxy = \"10.0.0.1\"", "line 2 (behind_proxy)", "sequence"),
        ("behind_proxy = [\"nginx\"]", "line 2 (behind_proxy)", "a network like"),
        ("cors_origin = [\"*\"]", "line 2 (cors_origin)", "https://example.com"),
        ("rate_limit = 0", "line 2 (rate_limit)", "from 1 to 1000000"),
        ("address_rate_limit = \"x\"", "line 2 (address_rate_limit)", "from 1 to 1000000"),
        ("on_limit = true", "line 2 (on_limit)", ""),
        ("site_name = \"\"", "line 2 (site_name)", "1 to 100 characters"),
        ("seed = ", "line 2", ""),
    ];
    for (line, place, told) in cases {
        folder.file("smartpark.toml", format!("database = \"postgres://u:secret@h\"\n{line}\n"));
        let ran = folder.run(&["info"]).ended(2);
        assert!(ran.err.contains("smartpark.toml"), "{line}: {}", ran.err);
        assert!(ran.err.contains(place) && ran.err.contains(told), "{line}: {}", ran.err);
        assert!(!ran.err.contains("secret") && ran.err.lines().count() <= 2, "{}", ran.err);
    }
    folder.file("smartpark.toml", "");
    let mut command = folder.command(&["info"]);
    let output = command.env("SMARTPARK_SEED", "all").output().unwrap();
    let ran = super::program::ran(&output).ended(2);
    assert!(ran.err.contains("SMARTPARK_SEED: must be one of: sample, floors, none"), "{ran:?}");
}
