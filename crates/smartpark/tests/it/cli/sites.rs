//! The site on the command line, its days, and files from elsewhere.

use serde_json::json;

use super::{
    garage::in_every_database,
    program::{Folder, Server},
};

in_every_database! {
    fn the_days_of_the_site_decide_windows_and_steps(with_floors) {
        let folder = with_floors(&[("G", 100)]);
        let shown = folder.run(&["sites", "set", "time_zone=Europe/Berlin", "name=North"]).ok();
        assert!(shown.out.contains("Europe/Berlin"), "{shown:?}");
        let mut rows = String::from("camera_id,floor,track_id,direction,timestamp\n");
        for hour in 0..73 {
            let at: jiff::Timestamp = "2026-10-23T22:30:00Z".parse().unwrap();
            let at = at + jiff::SignedDuration::from_hours(hour);
            rows.push_str(&format!("c,G,t,in,{at}\n"));
        }
        folder.file("rows.csv", &rows);
        folder.run(&["import", "rows.csv", "--max-clock-skew", "200000h"]).ok();
        let stats = |args: &[&str]| {
            let all = [&["stats", "--json"], args].concat();
            folder.run(&all).ok().json()["entries"].clone()
        };
        assert_eq!(stats(&["--period", "2026-10-25"]), 25);
        assert_eq!(stats(&["--start", "2026-10-24", "--end", "2026-10-25"]), 24);
        assert_eq!(stats(&["--period", "2026-10-25", "--time-zone", "UTC"]), 24);
        let events = folder.run(&["events", "--period", "2026-10-25", "--limit", "1"]).ok().out;
        assert!(events.contains("2026-10-25T23:30:00+01:00"), "{events}");
        assert!(folder.run(&["check"]).ok().out.contains("hold"));
    }

    fn the_file_sets_the_site_when_the_database_is_created(with_floors) {
        let folder = with_floors(&[]);
        let text = "[site]\nid = 'north'\nname = 'North'\ntime_zone = 'Europe/Berlin'\n\
            kind = 'lot'\nmax_height = '2.1m'\nlatitude = 48.1\nlongitude = 11.5\n";
        folder.file("smartpark.toml", text);
        folder.run(&["migrate"]).ok();
        let site = || folder.run(&["sites", "--json"]).ok().json()["sites"][0].clone();
        let first = site();
        assert_eq!((&first["slug"], &first["kind"]), (&json!("north"), &json!("lot")));
        assert_eq!((&first["max_height_cm"], &first["latitude"]), (&json!(210), &json!(48.1)));
        // From then on only a person sets it.
        folder.file("smartpark.toml", text.replace("'North'", "'South'"));
        folder.run(&["migrate"]).ok();
        assert_eq!(site()["name"], "North");
        folder.run(&["sites", "set", "--from", "smartpark.toml", "kind="]).ok();
        assert_eq!((&site()["name"], &site()["kind"]), (&json!("South"), &json!(null)));
    }

    fn the_pages_table_is_read_at_another_site_by_the_names_of_floors(with_floors) {
        let here = Folder::with_floors(&[("Upper", 9), ("Lower", 9)]);
        for track in ["1", "2"] {
            here.run(&["record", "--camera-id=c", "--floor=Upper", "--direction=entry",
                "--timestamp=2026-02-01T08:00:00Z", "--track-id", track]).ok();
        }
        let server = Server::start(&here, &["--seed", "none"]);
        let table = super::program::agent().get(format!("{}/events.csv?bom=true", server.url));
        let table = table.call().unwrap().body_mut().read_to_vec().unwrap();
        // The ids are the other way round.
        let there = with_floors(&[("Lower", 9), ("Upper", 9)]);
        there.file("page.csv", &table);
        let summary = there.run(&["import", "page.csv", "--json"]).ok().json();
        assert_eq!((&summary["recorded"], &summary["rejected"]), (&json!(2), &json!(0)));
        let floors = there.run(&["floors", "--json"]).ok().json();
        let upper = floors["floors"].as_array().unwrap().iter().find(|it| it["name"] == "Upper");
        assert_eq!(upper.unwrap()["current_vehicles"], 2);
        // Without the ledger's name a row that disagrees with itself is refused.
        let text = String::from_utf8(table).unwrap();
        let cut: Vec<&str> =
            text.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
        there.file("cut.csv", cut.join("\n"));
        let refused = there.run(&["import", "cut.csv", "--json"]).ended(1);
        assert_eq!(refused.json()["rejected"], 2);
        assert!(refused.err.contains("--floor-by name"), "{refused:?}");
        there.run(&["import", "cut.csv", "--floor-by", "name"]).ok();
    }
}

#[test]
fn files_of_other_programs_are_read_and_told() {
    let folder = Folder::with_floors(&[("Level 1", 100)]);
    let utf_16: Vec<u8> = "\u{feff}camera_id;floor;track_id;vehicle_type;direction;timestamp\r\n\
        c;Level 1;1;Pkw;ein;20.11.2025 08:01\r\nc;Level 1;2;Fahrrad;ein;20.11.2025 08:02\r\n\
        c;Level 1;3;bicycle;ein;20.11.2025 08:03\r\nc;Level 1;4;van;aus;25.10.2026 02:30\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    folder.file("windows.csv", &utf_16);
    let args = ["import", "windows.csv", "--json", "--time-zone", "Europe/Berlin"];
    let ran = folder.run(&args).ended(1);
    let summary = ran.json();
    assert_eq!((&summary["recorded"], &summary["rejected"]), (&json!(1), &json!(2)));
    assert_eq!(summary["not_counted"], 1);
    assert!(ran.err.contains("line 5: timestamp lies in the hour that happens twice"), "{ran:?}");
    assert!(ran.err.contains("line 3: vehicle_type must be one of"), "{ran:?}");
    let words = summary["words"].as_array().unwrap();
    let pkw = json!({"field": "vehicle_type", "word": "pkw", "meaning": "car", "rows": 1});
    assert!(words.contains(&pkw), "{words:?}");
    folder.file(
        "latin.csv",
        b"camera_id,floor,track_id,direction,timestamp\n\
        s\xfcd,Level 1,9,in,2025-11-20T09:00:00Z\n",
    );
    let ran = folder.run(&["import", "latin.csv"]).ended(1);
    assert!(ran.err.contains("--encoding latin1"), "{ran:?}");
    folder.run(&["import", "latin.csv", "--encoding", "latin1"]).ok();
    let events = folder.run(&["events", "--json"]).ok().json();
    assert_eq!(events["events"][0]["camera_id"], "süd");
    for (name, text) in [
        ("empty.csv", ""),
        (
            "header.csv",
            "camera_id,floor,track_id,direction,\
        timestamp\n,,,,\n",
        ),
        ("empty.ndjson", "\n \n"),
    ] {
        folder.file(name, text);
        let ran = folder.run(&["import", name]).ended(1);
        assert!(ran.err.contains("nothing was read"), "{name}: {ran:?}");
    }
    // Two exports one behind the other, the second with its columns in another order.
    folder.file(
        "two.csv",
        "camera_id,floor,track_id,direction,timestamp\n\
        d,Level 1,1,in,2025-11-20T08:00:00Z\r\rtimestamp,direction,track_id,floor,camera_id\r\
        2025-11-20 08:00:00Z,in,2,Level 1,d",
    );
    let summary = folder.run(&["import", "two.csv", "--json"]).ok().json();
    assert_eq!(summary["recorded"], 2);
}

#[test]
fn levels_below_ground_have_numbers() {
    let folder = Folder::with_floors(&[]);
    folder.run(&["floors", "add", "-1", "--slots", "9"]).ok();
    folder
        .run(&["record", "--camera-id=c", "--floor", "-1", "--track-id=t", "--direction=exit"])
        .ok();
    folder.run(&["floors", "recount", "-1", "3", "--reason=x"]).ok();
    folder.run(&["floors", "set", "-1", "--name", "-2"]).ok();
    folder.run(&["history", "--floor", "-2"]).ok();
    folder.run(&["floors", "remove", "-3"]).ended(1);
}
