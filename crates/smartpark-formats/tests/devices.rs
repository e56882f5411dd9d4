//! Forms of messages that the recorded ones do not show.

use smartpark_formats::{
    Direction, VehicleType,
    config::{Camera, Connections},
    counter::{count_interval, count_reading},
    input::{Crossing, Finding, Message, NotCounted, own_events, translate},
};

/// A camera with this input, and further keys of the camera.
fn camera(input: &str) -> Camera {
    let text = format!(
        "[site]\ntime_zone = 'Europe/Berlin'\n\
         [mqtt]\nbroker = 'mqtts://b'\nclient_id = 'c'\n\
         [[camera]]\nid = 'c'\nfloor = 'L'\n{input}"
    );
    Connections::parse(&text, &[]).unwrap_or_else(|faults| panic!("{faults:?}")).cameras.remove(0)
}

fn message<'a>(topic: Option<&'a str>, body: &'a str) -> Message<'a> {
    let arrived = "2026-12-01T12:00:00Z".parse().unwrap();
    let body = body.as_bytes();
    Message { topic, retained: false, content_type: None, file_name: None, body, arrived }
}

fn posted(camera: &Camera, body: &str) -> Vec<Finding> {
    translate(camera, &message(None, body))
}

fn crossing(findings: Vec<Finding>) -> Crossing {
    match <[Finding; 1]>::try_from(findings) {
        Ok([Finding::Crossing(crossing)]) => crossing,
        other => panic!("{other:?}"),
    }
}

fn refusal(findings: Vec<Finding>) -> NotCounted {
    match <[Finding; 1]>::try_from(findings) {
        Ok([Finding::NotCounted(refusal)]) => refusal,
        other => panic!("{other:?}"),
    }
}

const LINE: &str = r#"{"ipAddress": "192.0.2.7", "channelID": 1, "dateTime": "2026-12-01T09:51:35",
 "activePostCount": 1, "eventType": "linedetection", "eventState": "active",
 "DetectionRegionList": [{"DetectionRegionEntry": {"regionID": 2, "detectionTarget": "vehicle",
 "TargetRect": {"X": 0.425, "Y": 0.144, "width": 0.021, "height": 0.090}}}]}"#;

#[test]
fn hikvision_is_read_as_json_alone_and_in_a_multipart_body() {
    let gate = camera("hikvision = { event = 'linedetection', entry = ['1'], exit = ['2'] }");
    let told = crossing(posted(&gate, LINE));
    assert_eq!(told.track_id, "1/linedetection/2/0.425,0.144,0.021,0.090", "digits as sent");
    assert_eq!(told.direction, Direction::Exit);
    assert_eq!(told.timestamp.to_string(), "2026-12-01T08:51:35Z", "the zone of the site");
    let picture = "--x\r\nContent-Type: image/jpeg\r\n\r\n\u{1}\u{2}\r\n";
    let body = format!("{picture}--x\nContent-Type: application/json\n\n{LINE}\n--x--\n");
    assert_eq!(crossing(posted(&gate, &body)), told);
    let inactive = LINE.replace("\"active\"", "\"inactive\"");
    assert_eq!(refusal(posted(&gate, &inactive)).to_string(), "eventState inactive");
    let other = LINE.replace("regionID\": 2", "regionID\": 3");
    let told = refusal(posted(&gate, &other));
    assert_eq!(
        (told.to_string(), told.word),
        ("region 3 is not configured".into(), Some("3".into()))
    );
    let life = "<E><eventType>videoloss</eventType><eventState>inactive</eventState></E>";
    assert_eq!(posted(&gate, life), [Finding::Alive]);
}

#[test]
fn hikvision_intervals_are_dated_at_their_end() {
    let text = "hikvision = { event = 'PeopleCounting', method = 'timeRange', entry = ['enter'] }";
    let counter = camera(text);
    let body = "<EventNotificationAlert><channelID>2</channelID>\
        <eventType>PeopleCounting</eventType><eventState>active</eventState><peopleCounting>\
        <statisticalMethods>timeRange</statisticalMethods><TimeRange>\
        <startTime>2026-12-01T09:00:00+01:00</startTime>\
        <endTime>2026-12-01T09:05:00+01:00</endTime>\
        </TimeRange><enter>2</enter><exit>1</exit><regionsID>1</regionsID></peopleCounting>\
        </EventNotificationAlert>";
    let told = posted(&counter, body);
    let [Finding::Interval(interval)] = &told[..] else { panic!("{told:?}") };
    let counted = count_interval(&counter, interval, None).findings;
    let tracks: Vec<String> =
        counted.into_iter().map(|unit| crossing(vec![unit]).track_id).collect();
    assert_eq!(tracks, ["2/1/enter@1796112300000000#1", "2/1/enter@1796112300000000#2"]);
    let totals = camera("hikvision = { event = 'PeopleCounting', entry = ['enter'] }");
    let told = refusal(posted(&totals, body)).to_string();
    assert_eq!(told, "method timeRange is not configured");
}

#[test]
fn dahua_pulses_count_and_both_ways_do_not() {
    let gate = camera("dahua = { channel = 1, entry = ['LeftToRight'] }");
    let event = |action: &str, index: u8, way: &str| {
        format!(
            "Code=CrossLineDetection;action={action};index={index};data={{\"Direction\":\"{way}\",\
             \"RuleId\":3,\"UTC\":1620477656,\"Object\":{{\"ObjectID\":9,\"ObjectType\":\"Truck\",\
             \"Confidence\":0.7}}}}"
        )
    };
    let told = crossing(posted(&gate, &event("Pulse", 1, "LeftToRight")));
    assert_eq!((told.track_id.as_str(), told.confidence), ("1/3/9", 0.7));
    assert_eq!(told.vehicle_type, VehicleType::Truck);
    let reason = |body: &str| refusal(posted(&gate, body)).to_string();
    assert_eq!(reason(&event("Start", 1, "Both")), "direction Both");
    assert_eq!(reason(&event("Start", 0, "LeftToRight")), "channel 0 is not configured");
    assert_eq!(
        reason(&event("Start", 1, "RightToLeft")),
        "direction RightToLeft is not configured"
    );
    assert_eq!(
        reason("Code=VideoMotion;action=Start;index=1"),
        "event VideoMotion is not configured"
    );
}

#[test]
fn the_clock_offset_is_added() {
    let gate = camera("clock_offset = '-1h'\ndahua = { entry = ['LeftToRight'] }");
    let event = "Code=CrossLineDetection;action=Start;index=0;data={\"Direction\":\"LeftToRight\",\
                 \"UTC\":1796115600,\"UTCMS\":5}";
    let told = crossing(posted(&gate, event)).timestamp;
    assert_eq!(told.to_string(), "2026-12-01T08:00:00.005Z");
}

#[test]
fn webhooks_of_unifi_are_refused_with_the_reason() {
    let ramp = camera("unifi = { camera = 'c1', line = '1', entry = ['a2b'] }");
    let told = refusal(posted(&ramp, r#"{"alarm": {"name": "Line", "triggers": []}}"#)).to_string();
    assert!(told.contains("neither line nor direction"), "{told}");
}

#[test]
fn several_vehicles_of_one_unifi_event_have_tracks_of_their_own() {
    let ramp = camera("unifi = { camera = 'c1', line = '1', entry = ['a2b'], exit = ['b2a'] }");
    let body = r#"{"data": [{"id": "e", "type": "smartDetectLine", "camera": "c1",
        "start": 1796112000000, "score": 80, "metadata": {"linesStatus": {
        "1": {"vehicle": {"crosslineA2BAdd": 2, "crosslineB2AAdd": 1}},
        "2": {"vehicle": {"crosslineA2BAdd": 1}}}}}]}"#;
    let mut told = posted(&ramp, body);
    assert_eq!(refusal(vec![told.pop().unwrap()]).to_string(), "line 2 is not configured");
    let tracks: Vec<String> = told.into_iter().map(|one| crossing(vec![one]).track_id).collect();
    assert_eq!(tracks, ["e/1/a2b/1", "e/1/a2b/2", "e/1/b2a/1"]);
}

#[test]
fn opendatacam_tables_and_recordings_have_the_same_tracks() {
    let odc = camera("opendatacam = { area = 'gate', entry = ['leftright_topbottom'] }");
    let table = "\
        \"Timestamp\",\"Counter area\",\"ObjectClass\",\"UniqueID\",\"CountingDirection\"\n\
        \"2019-05-02T19:10:26.939Z\",\"gate\",\"car\",4099,\"leftright_topbottom\"\n\
        \"2019-05-02T19:10:27.939Z\",\"other\",\"car\",4100,\"leftright_topbottom\"\n\
        \"2019-05-02T19:10:28.939Z\",\"gate\",\"person\",4101,\"leftright_topbottom\"\n";
    let file_name = Some("counterData-2019-05-02-5cc3400252340f451cd7397a.csv");
    let told = translate(&odc, &Message { file_name, ..message(None, table) });
    let json = r#"[{"_id": "5cc3400252340f451cd7397a", "areas": {"u": {"name": "gate"}},
        "counterHistory": [[{"timestamp": "2019-05-02T19:10:26.939Z", "area": "u", "name": "car",
        "id": 4099, "countingDirection": "leftright_topbottom"}]]}]"#;
    assert_eq!(told[0], posted(&odc, json)[0]);
    let reasons: Vec<String> =
        told[1..].iter().map(|one| refusal(vec![one.clone()]).to_string()).collect();
    assert_eq!(reasons, ["area other is not configured", "type person is ignored"]);
    let nameless = crossing(posted(&odc, table).drain(..1).collect());
    assert_eq!(nameless.track_id, "csv:2019-05-02T19:10:26.939Z/gate/4099");
    // The columns as the program itself writes them.
    let plain = "timestamp,area,name,id,bearing,countingDirection\n\
                 2019-05-02T19:10:26.939Z,gate,car,4099,155,leftright_topbottom\n";
    assert_eq!(translate(&odc, &Message { file_name, ..message(None, plain) })[0], told[0]);
}

#[test]
fn axis_counts_by_epoch_and_leaves_people_out() {
    let axis = camera("axis = { entry = ['Device1Scenario1'] }");
    let body = |start: &str, cars: u32, people: u32, total: u32| {
        format!(
            r#"{{"topic": "axis:CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1",
            "timestamp": 1670518346712, "message": {{"data": {{"startTime": "{start}",
            "total": "{total}", "totalCar": "{cars}", "totalHuman": "{people}",
            "totalMotorcycle/bicycle": "1"}}}}}}"#
        )
    };
    let told = posted(&axis, &body("2022-12-06T22:01:25Z", 5, 7, 13));
    let [Finding::Reading(cars), Finding::Reading(cycles)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((cars.value, cars.epoch.as_str()), (5, "2022-12-06T22:01:25Z"));
    assert_eq!(cycles.counter.vehicle_type, VehicleType::Motorcycle);
    let told = posted(&axis, &body("", 5, 7, 99)).pop().unwrap();
    assert_eq!(refusal(vec![told]).to_string(), "total is 99, but the classes add up to 13");
    let active =
        r#"{"topic": "x/Device1Scenario1", "timestamp": 1, "message": {"data": {"active": "1"}}}"#;
    assert!(refusal(posted(&axis, active)).to_string().contains("crossline counting scenario"));
}

#[test]
fn a_pair_of_devices_reads_each_from_its_topic() {
    let text = "[camera.counter]\nname = 'g'\nentry = { topic = 'in' }\nexit = { topic = 'out' }";
    let pair = camera(text);
    assert_eq!(pair.input.topics().collect::<Vec<_>>(), ["in", "out"]);
    for (topic, direction) in [("in", Direction::Entry), ("out", Direction::Exit)] {
        let told = translate(&pair, &message(Some(topic), "7"));
        let [Finding::Reading(reading)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((reading.counter.direction, reading.value), (direction, 7));
        let next = smartpark_formats::input::Reading { value: 8, ..reading.clone() };
        let state = count_reading(&pair, reading, None).state;
        let unit = crossing(count_reading(&pair, &next, state.as_deref()).findings);
        assert_eq!(unit.timestamp.to_string(), "2026-12-01T12:01:00Z", "the end of the minute");
    }
}

#[test]
fn a_counter_reads_only_the_messages_of_its_device() {
    let text = "counter = { entry = '/in', where = { '/id' = '7' }, time = '/t' }";
    let counter = camera(text);
    assert!(matches!(posted(&counter, r#"{"id": 7, "in": "3"}"#)[..], [Finding::Reading(_)]));
    let reason = |body: &str| refusal(posted(&counter, body)).to_string();
    assert!(reason(r#"{"id": 8, "in": 3}"#).contains("`where` does not hold"));
    assert_eq!(reason(r#"{"id": 7, "in": 3.5}"#), "not a whole number");
    assert_eq!(reason(r#"{"id": 7, "in": -1}"#), "not a whole number");
    assert_eq!(reason(r#"{"id": 7, "in": true}"#), "not a whole number");
    assert_eq!(reason(r#"{"id": 7, "in": 3, "t": "noon"}"#), "/t is not a time that can be read");
}

#[test]
fn types_are_the_most_special_word_that_is_known() {
    let onvif = |more: &str| camera(&format!("{more}\nonvif = {{ topic = 't', entry = ['In'] }}"));
    let classes = |camera: &Camera, classes: &str| {
        let body = format!(
            r#"{{"UtcTime": "2026-12-01T08:00:00Z", "Source": {{"Rule": "In"}},
            "Data": {{"ClassTypes": {classes}}}}}"#
        );
        match translate(camera, &message(Some("t/RuleEngine/LineDetector/Crossed"), &body))
            .remove(0)
        {
            Finding::Crossing(crossing) => crossing.vehicle_type.to_string(),
            Finding::NotCounted(refusal) => refusal.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let plain = onvif("");
    for (words, wanted) in [
        ("\"Vehicle Truck\"", "truck"),
        ("[\"Vehicle\", \"Bus\"]", "bus"),
        ("\"LicensePlate Vehicle\"", "car"),
        ("\"SUVMPV\"", "car"),
        ("\"TwoWheelVehicle,Bicycle\"", "motorcycle"),
        ("\"Human\"", "type Human is ignored"),
        ("\"Tram\"", "type Tram is not known"),
        ("null", "car"),
        ("7", "car"),
    ] {
        assert_eq!(classes(&plain, words), wanted, "{words}");
    }
    let own = onvif("types = { Tram = 'bus', Human = 'motorcycle' }\nignore = ['suv']");
    for (words, wanted) in
        [("\"tram\"", "bus"), ("\"HUMAN\"", "motorcycle"), ("\"SUV\"", "type SUV is ignored")]
    {
        assert_eq!(classes(&own, words), wanted, "{words}");
    }
    let bus = onvif("default_type = 'bus'");
    assert_eq!(classes(&bus, "\"vehicle\""), "bus");
}

#[test]
fn tracks_of_any_length_stay_apart() {
    let line = format!("line {}", "x".repeat(200));
    let text =
        format!("types = {{ PERSON = 'car' }}\nxovis = {{ line = '{line}', entry = ['forward'] }}");
    let xovis = camera(&text);
    let track = |object: u32| {
        let body = format!(
            r#"{{"values": [{{"timestamp": 1632385264305, "type": "LineCount",
            "direction": "forward", "object": {{"id": {object}}}, "countItem": {{"name": "{line}"}},
            "objectType": "PERSON"}}]}}"#
        );
        crossing(posted(&xovis, &body)).track_id
    };
    assert_eq!(track(1).chars().count(), 100);
    assert_eq!(track(1), track(1));
    assert_ne!(track(1), track(2));
}

#[test]
fn own_events_come_alone_in_a_list_and_one_a_line() {
    let one = r#"{"camera_id": "a", "floor": "Level 1", "track_id": "t", "vehicle_type": "bus",
        "direction": "exit", "timestamp": "2026-12-01T09:00:00+01:00", "paired": true}"#;
    let told = crossing(own_events(&message(Some("t"), one)));
    assert_eq!((told.floor.to_string(), told.is_paired), ("Level 1".to_owned(), true));
    let line = one.replace('\n', " ");
    let lines = own_events(&message(Some("t"), &format!("{line}\n\n{line}\n{{\n")));
    assert_eq!(lines.len(), 3);
    assert_eq!(refusal(vec![lines[2].clone()]).to_string(), "element 2: not JSON");
    for (from, to, wanted) in [
        ("\"exit\"", "\"out\"", "direction must be one of: entry, exit"),
        ("\"a\"", "7", "camera_id must be a string of 1 to 100 characters"),
        ("+01:00", "", "timestamp must carry an offset"),
        ("\"paired\": true", "\"paired\": 1", "paired must be true or false"),
        (
            "\"floor\": \"Level 1\"",
            "\"floor\": \"L\", \"floor_id\": 1",
            "floor_id and floor exclude",
        ),
        ("\"floor\": \"Level 1\"", "\"floor_id\": 0", "floor_id must be a whole number"),
        ("\"paired\"", "\"pair\"", "field pair is not known"),
    ] {
        let told = refusal(own_events(&message(Some("t"), &one.replace(from, to)))).to_string();
        assert!(told.starts_with(wanted), "{told}");
    }
}
