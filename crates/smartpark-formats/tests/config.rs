//! The configuration: what a person writes is read whole, and every mistake is named at once.

use std::time::Duration;

use smartpark_formats::{
    VehicleType,
    config::{
        ConfigFault, Connections, CounterKind, Feed, Floor, HikvisionEvent, Input, PushTarget,
        SiteKind, WebhookFormat,
    },
};

const EXAMPLE: &str = include_str!("config-example.toml");

fn faults(text: &str) -> Vec<ConfigFault> {
    Connections::parse(text, &["listen"]).expect_err("the text has a fault")
}

fn camera(input: &str) -> String {
    format!(
        "[mqtt]\nbroker = 'mqtts://b'\nclient_id = 'c'\n[[camera]]\nid = 'a'\nfloor = 'L'\n{input}"
    )
}

/// The one fault of a camera with this input, as `key: detail`.
fn camera_fault(input: &str) -> String {
    let faults = faults(&camera(input));
    assert_eq!(faults.len(), 1, "{input}: {faults:?}");
    format!("{}: {}", faults[0].key, faults[0].detail)
}

#[test]
fn the_example_is_read_whole() {
    let read = Connections::parse(EXAMPLE, &[]).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let site = read.site.as_ref().unwrap();
    assert_eq!(site.id.as_deref(), Some("central-garage"));
    assert_eq!(site.place, Some((48.5956, 8.8702)));
    assert_eq!(site.kind, Some(SiteKind::Garage));
    assert_eq!((site.max_height_cm, site.reserved_slots), (Some(210), 20));
    assert_eq!(read.feeds.open, [Feed::Datex2Light, Feed::ParkApiV1, Feed::SiriFm]);
    assert_eq!(read.feeds.siri_facility_ref.as_deref(), Some("DE:08115:Parking:1"));
    let [parkapi, ngsi] = &read.pushes[..] else { panic!("{:?}", read.pushes) };
    let source = match &parkapi.target {
        PushTarget::ParkApiV3 { source, .. } => source,
        other => panic!("{other:?}"),
    };
    assert_eq!(source, "central-garage");
    assert_eq!(parkapi.every, Duration::from_secs(300));
    assert_eq!(ngsi.target, PushTarget::NgsiLd { tenant: Some("musterstadt".to_owned()) });
    assert_eq!(read.webhooks[0].format, WebhookFormat::Standard);
    let mqtt = read.mqtt.as_ref().unwrap();
    assert_eq!((mqtt.broker.host.as_str(), mqtt.broker.port), ("broker.example", 8883));
    assert_eq!(mqtt.out.as_ref().unwrap().home_assistant.as_deref(), Some("homeassistant"));
    let north = read.camera("ramp-north").unwrap();
    assert_eq!(north.floor, Floor::Name("Level 1".to_owned()));
    assert_eq!(north.from, Some(Floor::Name("Level 0".to_owned())));
    assert_eq!(north.types["lorry"], VehicleType::Truck);
    let gate = &read.camera("gate").unwrap().input;
    assert!(matches!(gate, Input::Hikvision(gate) if gate.event == HikvisionEvent::LineDetection));
    assert_eq!(
        read.camera("back-gate").unwrap().clock_offset,
        jiff::SignedDuration::from_hours(-1)
    );
    let Input::Counter(loops) = &read.camera("loops").unwrap().input else { panic!() };
    assert_eq!((loops.kind, loops.rules.max_per_minute), (CounterKind::Total, Some(60)));
    assert_eq!(read.camera("loops").unwrap().time_zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(
        read.topics(),
        [
            "axis/B8A44F000001/event/#",
            "cameras/+/events",
            "frigate/events",
            "side/onvif-ej/#",
            "v3/garage@ttn/devices/vs133-1/up",
        ]
    );
}

#[test]
fn every_fault_of_all_tables_is_named_with_its_line_and_key() {
    let text = "\
listen = 'kept for another reader'
colour = 'red'
[site]
latitude = 91.0
longitude = 8.0
kind = 'castle'
time_zone = 'Europe/Nowhere'
max_height = 'high'
[feeds]
open = ['datex2-light', 'gbfs']
silent_after = '1s'
[[push]]
to = 'parkapi-v3'
url = 'https://user:secret@host'
[[webhook]]
url = 'http://ops.example/'
events = ['floor.burnt']
[mqtt]
broker = 'mqtt://broker.example'
client_id = 7
[mqtt.out]
prefix = 'a/#'
[[camera]]
id = 'a'
flor = 'Level 1'
frigate = { camera = 'c', outside = ['z'], inside = ['z'] }
[[camera]]
id = 'a'
floor = 'L'
from = 'L'
axis = { entry = ['x'], exit = ['x'] }
dahua = { entry = ['Up'] }
";
    let told = faults(text);
    let named: Vec<(usize, &str)> = told.iter().map(|f| (f.line, f.key.as_str())).collect();
    for wanted in [
        (2, "colour"),
        (4, "site.latitude"),
        (6, "site.kind"),
        (7, "site.time_zone"),
        (8, "site.max_height"),
        (10, "feeds.open"),
        (11, "feeds.silent_after"),
        (12, "push.source"),
        (12, "push.password_file"),
        (14, "push.url"),
        (15, "webhook.secret_file"),
        (16, "webhook.url"),
        (17, "webhook.events"),
        (19, "mqtt.broker"),
        (20, "mqtt.client_id"),
        (22, "mqtt.out.prefix"),
        (23, "camera.a.floor"),
        (25, "camera.a.flor"),
        (26, "camera.a.frigate.inside"),
        (30, "camera.a.from"),
        (32, "camera.a.dahua"),
    ] {
        assert!(named.contains(&wanted), "{wanted:?} is not among {named:#?}");
    }
    let lines: Vec<usize> = told.iter().map(|fault| fault.line).collect();
    assert!(lines.is_sorted(), "{lines:?}");
    let all: String = told.iter().map(ToString::to_string).collect();
    assert!(!all.contains("secret@"), "{all}");
}

#[test]
fn broken_toml_is_named_by_its_lines() {
    let told = faults("[site\nid = 'x'\nname = = 3\n");
    assert!(!told.is_empty() && told.iter().all(|fault| fault.line >= 1), "{told:?}");
}

#[test]
fn each_input_table_says_what_does_not_fit() {
    let table = [
        ("", "camera.a.id: needs one table"),
        ("telraam = {}", "camera.a.telraam: cannot be counted"),
        ("frigate = { camera = 'c', outside = ['o'] }", "camera.a.frigate.inside: name at least"),
        ("axis = { topic = 'a' }", "camera.a.axis.entry: name the device's words"),
        ("axis = { entry = ['x'], exits = ['y'] }", "camera.a.axis.exits: is not a known key"),
        (
            "hikvision = { event = 'linedetection', method = 'realTime', entry = ['1'] }",
            "camera.a.hikvision.method: only stands beside",
        ),
        (
            "hikvision = { event = 'fire', entry = ['1'] }",
            "camera.a.hikvision.event: must be one of",
        ),
        ("dahua = { entry = ['Up'] }", "camera.a.dahua.entry: must be LeftToRight"),
        ("onvif = { entry = ['In'] }", "camera.a.onvif.topic: name the topic"),
        (
            "unifi = { camera = 'c', line = '1', entry = ['in'] }",
            "camera.a.unifi.entry: must be a2b",
        ),
        ("xovis = { entry = ['fw'] }", "camera.a.xovis.line: name either"),
        ("counter = { topic = 't' }", "camera.a.counter.entry: name the JSON Pointer"),
        ("counter = { entry = 'in' }", "camera.a.counter.entry: must be a JSON Pointer"),
        (
            "counter = { entry = '/a', kind = 'interval', time = '/t' }",
            "camera.a.counter.start: is missing",
        ),
        ("counter = { entry = '/a', start = '/s' }", "camera.a.counter.start: only stands"),
        ("counter = { entry = '/a', wraps_at = 1 }", "camera.a.counter.wraps_at: must be a whole"),
        ("counter = { entry = '/a', topic = 'a/#/b' }", "camera.a.counter.topic: must be an MQTT"),
        ("counter = { entry = '', where = { '/a' = 'b' } }", "camera.a.counter.entry: a payload"),
        ("counter = { entry = '/a', first = 'none' }", "camera.a.counter.first: must be one of"),
        ("counter = { entry = '/a' }\nmin_confidence = 2", "camera.a.min_confidence: must be"),
        ("counter = { entry = '/a' }\nclock_offset = 'late'", "camera.a.clock_offset: must be"),
        ("counter = { entry = '/a' }\ntypes = { x = 'tank' }", "camera.a.types.x: must be one of"),
        ("counter = { entry = '/a' }\nfloor_id = 3", "camera.a.floor_id: floor names the floor"),
    ];
    for (input, wanted) in table {
        let told = camera_fault(input);
        assert!(told.starts_with(wanted), "{input}\n  {told}\n  {wanted}");
    }
}

#[test]
fn devices_that_would_be_counted_twice_are_refused() {
    let two = |first: &str, second: &str| {
        let second = format!("[[camera]]\nid = 'b'\nfloor = 'L'\n{second}");
        Connections::parse(&format!("{}\n{second}", camera(first)), &[])
    };
    let frigate = "frigate = { camera = 'c', outside = ['o'], inside = ['i'] }";
    let other = "frigate = { camera = 'c', outside = ['o2'], inside = ['i2'] }";
    assert!(two(frigate, other).is_ok());
    let told = two(frigate, frigate).unwrap_err();
    assert!(told[0].detail.contains("counted twice"), "{told:?}");
    let counter = |sensor: &str| {
        format!("counter = {{ topic = 't', entry = '/in', where = {{ '/id' = '{sensor}' }} }}")
    };
    assert!(two(&counter("1"), &counter("2")).is_ok());
    assert!(two(&counter("1"), &counter("1")).is_err());
    let listens = camera("counter = { topic = 'smartpark/#', entry = '/in' }");
    let told = faults(&format!("{listens}\n[mqtt.out]\nprefix = 'smartpark'\n"));
    assert!(told[0].detail.contains("hear itself"), "{told:?}");
}

#[test]
fn brokers_are_encrypted_unless_they_are_here_or_it_is_said() {
    let mqtt = |line: &str| Connections::parse(&format!("[mqtt]\nclient_id = 'c'\n{line}"), &[]);
    for good in [
        "broker = 'mqtt://localhost'",
        "broker = 'mqtt://[::1]:1883'",
        "broker = 'mqtt://10.0.0.5'\nplain = true",
        "broker = 'mqtts://10.0.0.5:8884'",
    ] {
        assert!(mqtt(good).is_ok(), "{good}");
    }
    for bad in ["broker = 'mqtt://10.0.0.5'", "broker = 'http://x'", "broker = 'mqtts://x:0'", ""] {
        assert!(mqtt(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_twin_is_another_camera_of_the_configuration() {
    let two = |twin_of: &str| {
        format!(
            "[[camera]]\nid = 'a'\nfloor = 'L'\ntwin_of = '{twin_of}'\n\
             dahua = {{ entry = ['LeftToRight'], exit = ['RightToLeft'] }}\n\
             [[camera]]\nid = 'b'\nfloor = 'Trial'\n\
             dahua = {{ entry = ['LeftToRight'], exit = ['RightToLeft'] }}\n"
        )
    };
    let read = Connections::parse(&two("b"), &[]).unwrap();
    assert_eq!(read.camera("a").unwrap().twin_of.as_deref(), Some("b"));
    for (twin_of, detail) in [("a", "must name another camera"), ("c", "there is no camera c")] {
        let told = faults(&two(twin_of));
        let told: Vec<(&str, &str)> = told.iter().map(|it| (&*it.key, &*it.detail)).collect();
        assert_eq!(told, [("camera.a.twin_of", detail)]);
    }
}
