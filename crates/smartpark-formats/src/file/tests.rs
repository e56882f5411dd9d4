//! Files as other programs write them, and the events that come of them.

use smartpark_core::{NewEvent, Timestamp, VehicleType};

use super::*;

/// A file and how it is read, from the options as the command line takes them.
#[derive(Default)]
struct Given<'a> {
    maps: &'a [&'a str],
    sets: &'a [&'a str],
    words: &'a [&'a str],
    zone: Option<&'a str>,
    format: Option<&'a str>,
    key: Option<FloorKey>,
}

impl Given<'_> {
    fn rules(&self) -> Rules {
        let maps: Vec<Mapping> = self.maps.iter().map(|it| it.parse().unwrap()).collect();
        let sets: Vec<Constant> = self.sets.iter().map(|it| it.parse().unwrap()).collect();
        let words: Vec<Word> = self.words.iter().map(|it| it.parse().unwrap()).collect();
        let named = [("Level 1", 1), ("Deck Süd", 2), ("Roof", 3), ("7", 4)];
        let floors = FloorNames::of(named.map(|(name, id)| (name.to_owned(), id)));
        let columns = Columns::new(&EVENT, &maps, &sets).unwrap();
        let times = LocalTimes::new(self.zone, self.format).unwrap();
        Rules::new(columns, floors, "here".to_owned()).with(&words, times, self.key)
    }

    /// What the rows of a table hold; an error if it has no header.
    fn table(&self, text: &str) -> Result<Vec<Reading>, String> {
        let rules = self.rules();
        let mut search = Search::new(rules.columns());
        let mut lines = (1..).zip(text.lines());
        let header = loop {
            let Some((number, line)) = lines.next() else {
                return Err(search.not_found().unwrap_or_default());
            };
            if let Some(header) = search.line(number, line)? {
                break header;
            }
        };
        let read = |(_, line): (u64, &str)| {
            rules.from_cells(&Cells::of_line(line, header.separator).unwrap(), &header)
        };
        Ok(lines.map(read).collect())
    }

    /// The only event of a table with one row.
    fn row(&self, header: &str, row: &str) -> Result<Option<NewEvent>, String> {
        let mut read = self.table(&format!("{header}\n{row}"))?;
        assert_eq!(read.len(), 1, "{row}");
        read.remove(0).event
    }
}

const HEADER: &str = "camera_id,floor,track_id,vehicle_type,direction,timestamp,confidence";

fn event(row: &str) -> Result<Option<NewEvent>, String> {
    Given::default().row(HEADER, row)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn tables_of_spreadsheets_in_other_countries_are_read() {
    for (separator, confidence) in [(";", "0,9"), ("\t", "0,9"), ("|", "90 %"), (",", "\"0,9\"")] {
        let text = format!(
            "Site:X Garage A\nExported:X today\n\n{HEADER}\ncXLevel 1XtX\
            PkwXEinfahrtX20.11.2026 08:01XCONF\n"
        );
        let text = text.replace([',', 'X'], separator);
        let text = text.replace("CONF", confidence);
        let given = Given { zone: Some("Europe/Berlin"), ..Given::default() };
        let read = given.table(&text).unwrap();
        let event = read[0].event.clone().unwrap().unwrap();
        assert_eq!(event.timestamp, Some(at("2026-11-20T07:01:00Z")), "{separator:?}");
        assert_eq!((event.floor_id, event.vehicle_type), (1, VehicleType::Car));
        assert!((event.confidence - 0.9).abs() < f64::EPSILON, "{separator:?}");
    }
}

#[test]
fn columns_are_found_however_their_names_are_written() {
    let row = "c,Level 1,t,entry,2026-11-20T08:00:00Z";
    for header in [
        "Camera ID,Floor,Track ID,Direction,Timestamp",
        "cameraId,floorName,trackId,DIRECTION,TimeStamp",
        "camera-id,floor_id_or_name, track_id ,Direction,timestamp",
    ] {
        assert!(Given::default().row(header, row).unwrap().is_some(), "{header}");
    }
    let given = Given { maps: &["floor=level"], ..Given::default() };
    assert_eq!(
        given
            .row(
                "camera,floor,level,track,direction,timestamp",
                "c,Roof,Level 1,t,entry,2026-11-20T08:00:00Z"
            )
            .unwrap()
            .unwrap()
            .floor_id,
        1
    );
}

#[test]
fn values_for_all_rows_take_the_place_of_columns() {
    let given = Given {
        maps: &["timestamp=time", "track_id=no", "direction=dir"],
        sets: &["floor=Level 1", "camera_id=gate", "vehicle_type=truck"],
        ..Given::default()
    };
    let event = given.row("time,no,dir", "2026-11-20T08:00:00Z,7,out").unwrap().unwrap();
    assert_eq!((event.camera_id.as_str(), event.track_id.as_str()), ("gate", "7"));
    assert_eq!((event.floor_id, event.vehicle_type), (1, VehicleType::Truck));
    let told = given.table("time,no,dir,floor\n").unwrap_err();
    assert!(told.contains("--set floor: the file has such a column"), "{told}");
    let twice = Columns::new(&EVENT, &[], &["floor=1", "floor=2"].map(|it| it.parse().unwrap()))
        .unwrap_err();
    assert!(twice.contains("twice"), "{twice}");
    let unknown = Columns::new(&EVENT, &["speed=v".parse().unwrap()], &[]).unwrap_err();
    assert!(unknown.contains("knows the fields"), "{unknown}");
    assert!("floor".parse::<Mapping>().is_err() && "=x".parse::<Constant>().is_err());
}

#[test]
fn a_header_that_does_not_fit_says_what_was_found() {
    let text = "Date/Time:, 11/20/2026\nSite Code:, 101\nVeh. No., Date, Direction, Class\n1,2,3,4";
    let told = Given::default().table(text).unwrap_err();
    let expected = "no column for camera_id, floor, track_id, timestamp; line 1 holds: \
        Date/Time:, 11/20/2026; line 3 comes closest: Veh. No., Date, Direction, Class. --map";
    assert!(told.starts_with(expected), "{told}");
    let told = Given { maps: &["floor=level"], ..Given::default() }.table(HEADER).unwrap_err();
    assert!(told.contains("no column for floor (mapped to level); line 1 holds: camera_id"));
    let told = Given::default().table(&format!("{HEADER},camera_id")).unwrap_err();
    assert!(told.contains("line 1: the header names camera_id twice"), "{told}");
}

#[test]
fn a_file_of_a_loop_counter_is_read_with_its_words() {
    let given = Given {
        maps: &[
            "timestamp=Date+Time",
            "track_id=Veh. No.",
            "direction=Channel",
            "vehicle_type=Class",
        ],
        sets: &["floor=Level 1", "camera_id=loop"],
        words: &[
            "direction:2=entry",
            "direction:1=exit",
            "vehicle_type:2=car",
            "vehicle_type:9=none",
        ],
        zone: Some("America/Chicago"),
        format: Some("%m/%d/%Y %I:%M:%S %p"),
        ..Given::default()
    };
    let text = "Site Code:, 101\nVeh. No., Date, Time, Channel, Class, Speed\n\
        1, 11/20/2026, 10:59:41 AM, 2, 2, 11.5\n2, 11/20/2026, 01:00:00 PM, 1, 9, 3\n";
    let read = given.table(text).unwrap();
    let event = read[0].event.clone().unwrap().unwrap();
    assert_eq!(event.timestamp, Some(at("2026-11-20T16:59:41Z")));
    assert_eq!((event.direction, event.track_id.trim()), (crate::Direction::Entry, "1"));
    assert_eq!(read[1].event, Ok(None));
    assert_eq!(read[1].mapped.len(), 2);
}

#[test]
fn words_of_other_programs_are_mapped_and_told() {
    for (word, kind) in [
        ("van", "car"),
        ("SUV", "car"),
        ("pick-up", "car"),
        ("taxi", "car"),
        ("unknown", "car"),
        ("", "car"),
        ("lorry", "truck"),
        ("HGV", "truck"),
        ("coach", "bus"),
        ("Motor Bike", "motorcycle"),
    ] {
        let text = format!("{HEADER}\nc,Level 1,t,{word},IN,2026-11-20T08:00:00Z,");
        let read = Given::default().table(&text).unwrap().remove(0);
        assert_eq!(read.event.unwrap().unwrap().vehicle_type.as_str(), kind, "{word}");
        let told = read.mapped.iter().map(|it| (it.field, it.word.as_str(), it.meaning));
        let told: Vec<_> = told.collect();
        let word = word.to_lowercase();
        assert_eq!(told, [("vehicle_type", word.as_str(), kind), ("direction", "in", "entry")]);
    }
    for word in ["person", "Bicycle", "license_plate"] {
        assert_eq!(event(&format!("c,Roof,t,{word},in,2026-11-20T08:00:00Z,")), Ok(None), "{word}");
    }
    for (row, told) in [
        ("c,Roof,t,tram,in,2026-11-20T08:00:00Z,", "vehicle_type must be one of"),
        ("c,Roof,t,car,left,2026-11-20T08:00:00Z,", "direction must be one of"),
        ("c,Roof,t,car,,2026-11-20T08:00:00Z,", "direction is required"),
        ("c,Roof,t,car,in,,", "timestamp is required"),
        ("c,Roof,t,car,in,2026-11-20T08:00:00Z,92", "confidence must be a number from 0 to 1"),
        ("c,Cellar,t,car,in,2026-11-20T08:00:00Z,", "floor names no floor"),
        ("c,Roof,t,car,in", "has 5 cells where the header has 7"),
        ("c,Roof,t,car,in,2026-11-20T08:00:00Z,0,9", "has 8 cells where the header has 7"),
    ] {
        let fault = event(row).unwrap_err();
        assert!(fault.contains(told), "{row}: {fault}");
    }
    // Spreadsheets leave empty cells at the end out, or add some.
    assert!(event("c,Roof,t,car,in,2026-11-20T08:00:00Z").unwrap().is_some());
    assert!(event("c,Roof,t,car,in,2026-11-20T08:00:00Z,,, ").unwrap().is_some());
}

#[test]
fn times_are_read_in_every_form_that_has_one_meaning() {
    let berlin = LocalTimes::new(Some("Europe/Berlin"), None).unwrap();
    let none = LocalTimes::default();
    for (text, expected) in [
        ("2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z"),
        ("2026-11-20 08:00:00Z", "2026-11-20T08:00:00Z"),
        ("2026-11-20 08:00:00 UTC", "2026-11-20T08:00:00Z"),
        ("2026-11-20T08:00:00+0100", "2026-11-20T07:00:00Z"),
        ("2026-11-20 08:00:00.5 +01", "2026-11-20T07:00:00.5Z"),
        ("2026/11/20 8:00-01:30", "2026-11-20T09:30:00Z"),
        ("20.11.2026, 08:00:00,25Z", "2026-11-20T08:00:00.25Z"),
        ("2016-12-31 23:59:60Z", "2016-12-31T23:59:59.999999Z"),
        ("1795000000", "2026-11-18T11:06:40Z"),
        ("1795000000.489551", "2026-11-18T11:06:40.489551Z"),
        ("1795000000489", "2026-11-18T11:06:40.489Z"),
        ("1795000000489551", "2026-11-18T11:06:40.489551Z"),
    ] {
        assert_eq!(none.read(text), Ok(at(expected)), "{text}");
        assert_eq!(berlin.read(text), Ok(at(expected)), "{text}");
    }
    for (text, told) in [
        ("2026-11-20T08:00:00", "--time-zone names the zone"),
        ("20.11.2026 08:00", "--time-zone names the zone"),
        ("11/20/2026 08:00", "--time-format"),
        ("11/20/26 08:00 PM", "--time-format"),
        ("45986.33", "spreadsheet"),
        ("0", "spreadsheet"),
        ("2026-02-30 08:00Z", "existing"),
        ("2026-11-20", "--time-format"),
        ("soon", "--time-format"),
        ("2026-11-20 08:00:00+1", "--time-format"),
        ("2026-11-20 24:00:00Z", "existing"),
    ] {
        let fault = none.read(text).unwrap_err();
        assert!(fault.contains(told), "{text}: {fault}");
    }
    for (text, expected) in [
        ("2026-07-01T08:00:00", Ok("2026-07-01T06:00:00Z")),
        ("2026-11-20 08:00", Ok("2026-11-20T07:00:00Z")),
        ("2026-10-25T01:59:59", Ok("2026-10-24T23:59:59Z")),
        ("2026-10-25T02:30:00", Err("happens twice in Europe/Berlin on 2026-10-25")),
        ("2026-10-25T03:00:00", Ok("2026-10-25T02:00:00Z")),
        ("2026-03-29T02:30:00", Err("Europe/Berlin leaves out on 2026-03-29")),
    ] {
        match (berlin.read(text), expected) {
            (Ok(read), Ok(expected)) => assert_eq!(read, at(expected), "{text}"),
            (Err(fault), Err(told)) => assert!(fault.contains(told), "{text}: {fault}"),
            (read, _) => panic!("{text}: {read:?}"),
        }
    }
    let fixed = LocalTimes::new(Some("+05:30"), None).unwrap();
    assert_eq!(fixed.read("2026-10-25 02:30:00"), Ok(at("2026-10-24T21:00:00Z")));
    assert!(LocalTimes::new(Some("Berlin"), None).unwrap_err().contains("Europe/Berlin"));
}

#[test]
fn a_floor_is_its_name_or_its_id_and_both_must_agree() {
    let header = "camera_id,floor_id,floor,track_id,direction,timestamp";
    let rest = "t,in,2026-11-20T08:00:00Z";
    let floor = |given: Given<'_>, cells: &str| {
        given.row(header, &format!("c,{cells},{rest}")).map(|event| event.unwrap().floor_id)
    };
    assert_eq!(floor(Given::default(), "1,Level 1"), Ok(1));
    assert_eq!(floor(Given::default(), ",roof "), Ok(3));
    assert_eq!(floor(Given::default(), "2,"), Ok(2));
    let told = floor(Given::default(), "1,Roof").unwrap_err();
    assert!(told.contains("different floors here"), "{told}");
    let by = |key| Given { key: Some(key), ..Given::default() };
    assert_eq!(floor(by(FloorKey::Name), "1,Roof"), Ok(3));
    assert_eq!(floor(by(FloorKey::Id), "1,Roof"), Ok(1));
    // A file that names another ledger has that ledger's ids.
    let header = format!("{header},ledger");
    let row = |ledger: &str| format!("c,1,Roof,{rest},{ledger}");
    let read = |ledger| Given::default().row(&header, &row(ledger));
    assert_eq!(read("there").unwrap().unwrap().floor_id, 3);
    assert!(read("here").is_err() && read("").is_err());
    // Accents in two pieces, and only one floor that is meant.
    assert_eq!(
        event("c,Deck Su\u{308}d,t,car,in,2026-11-20T08:00:00Z,").unwrap().unwrap().floor_id,
        2
    );
    let two = [("A".to_owned(), 1), ("a".to_owned(), 2)];
    let names = FloorNames::of(two);
    assert_eq!((names.id("floor", "a"), names.id("floor", "a ")), (Some(2), Some(2)));
    assert_eq!(names.id("floor", "À"), None);
}

#[test]
fn objects_are_read_like_rows() {
    let given = Given { sets: &["floor=Level 1"], ..Given::default() };
    let rules = given.rules();
    for time in ["1795000000", "1795000000000", "1795000000.0", "\"2026-11-18 11:06:40Z\""] {
        let text = format!(
            r#"{{"cameraId":"gate","track_id":12,"direction":"OUT","vehicle_type":"van",
            "timestamp":{time},"confidence":"92 %","plate":[1]}}"#
        );
        let event = rules.from_object(&text).event.unwrap().unwrap();
        assert_eq!(event.timestamp, Some(at("2026-11-18T11:06:40Z")), "{time}");
        assert_eq!((event.track_id.as_str(), event.floor_id), ("12", 1));
        assert!((event.confidence - 0.92).abs() < f64::EPSILON);
    }
    for (text, told) in [
        ("[]", "not a JSON object"),
        ("{", "not JSON, at column"),
        ("{}", "timestamp is required"),
        (r#"{"timestamp":true}"#, "timestamp must be"),
    ] {
        let fault = rules.from_object(text).event.unwrap_err();
        assert!(fault.contains(told), "{text}: {fault}");
    }
}

#[test]
fn a_header_once_more_is_seen_also_in_another_order() {
    let rules = Given::default().rules();
    let mut search = Search::new(rules.columns());
    let header = search.line(1, HEADER).unwrap().unwrap();
    let again = |line: &str| rules.header_again(&Cells::of_line(line, ',').unwrap(), &header);
    assert_eq!(again(HEADER), Some(header.clone()));
    let other = again("timestamp,direction,track_id,floor,camera_id").unwrap();
    assert_eq!((other.name(0), other.places[0].unwrap().cell), ("camera_id", 4));
    assert_eq!(again("c,Roof,t,car,in,2026-11-20T08:00:00Z,"), None);
}
