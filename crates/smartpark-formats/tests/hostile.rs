//! Messages that are cut, mixed up or made to do harm: never a panic, never more than a reason.

use std::{fs, sync::LazyLock};

use proptest::prelude::*;
use smartpark_formats::{
    config::Connections,
    input::{DahuaPart, DahuaStream, Finding, Message, Reason, own_events, route, translate},
    limits::MAX_MESSAGE_BYTES,
};

static CONNECTIONS: LazyLock<Connections> =
    LazyLock::new(|| Connections::parse(include_str!("payloads/smartpark.toml"), &[]).unwrap());
/// Lines of a configuration, in any order.
const CONFIGURATIONS: &str =
    "(\\[\\[camera\\]\\]\n|id = 'a'\n|floor = 'L'\n|axis = \\{ \\}\n|x = [0-9\\[{']{1,3}\n)*";
/// Every body of every payload, with its topic if it has one.
static BODIES: LazyLock<Vec<(Option<String>, Vec<u8>)>> = LazyLock::new(bodies);

fn message<'a>(topic: Option<&'a str>, body: &'a [u8]) -> Message<'a> {
    let arrived = jiff::Timestamp::from_second(1_796_112_000).unwrap();
    Message { topic, retained: false, content_type: None, file_name: None, body, arrived }
}

/// What one camera makes of a body that came by HTTP.
fn posted(camera: &str, body: &[u8]) -> Vec<Finding> {
    translate(CONNECTIONS.camera(camera).unwrap(), &message(None, body))
}

fn only_reason(findings: &[Finding]) -> Reason {
    match findings {
        [Finding::NotCounted(refusal)] => refusal.reason,
        other => panic!("{other:?}"),
    }
}

fn bodies() -> Vec<(Option<String>, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/payloads");
    let mut bodies = Vec::new();
    for device in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        for file in device.read_dir().into_iter().flatten().map(|entry| entry.unwrap().path()) {
            let name = file.to_str().unwrap();
            if name.ends_with(".expected.json") {
                continue;
            }
            let bytes = fs::read(&file).unwrap();
            if name.ends_with(".ndjson") {
                for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                    let line: serde_json::Value = serde_json::from_slice(line).unwrap();
                    let topic = line["topic"].as_str().map(str::to_owned);
                    bodies.push((topic, line["payload"].to_string().into_bytes()));
                }
            } else {
                bodies.push((None, bytes));
            }
        }
    }
    bodies
}

/// Gives a body to every camera, and to the cameras of its topic.
fn everywhere(connections: &Connections, topic: Option<&str>, body: &[u8]) -> usize {
    let direct = connections.cameras.iter().map(|camera| {
        let both = [message(None, body), message(Some("MyDevice/onvif-ej/RuleEngine/X"), body)];
        both.iter().map(|message| translate(camera, message).len()).sum::<usize>()
    });
    let direct: usize = direct.sum();
    direct
        + own_events(&message(topic, body)).len()
        + route(connections, &message(topic, body)).len()
}

#[test]
fn a_message_that_is_cut_anywhere_gives_no_panic() {
    for (topic, body) in &*BODIES {
        let step = (body.len() / 20).max(1);
        for end in (0..body.len()).step_by(step) {
            everywhere(&CONNECTIONS, topic.as_deref(), &body[..end]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Bytes of a real message are exchanged, doubled and removed.
    #[test]
    fn damaged_messages_give_no_panic(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..8),
    ) {
        let (topic, mut body) = BODIES[which.index(BODIES.len())].clone();
        for (at, byte, kind) in damage {
            let at = at.index(body.len().max(1));
            match kind {
                0 if at < body.len() => body[at] = byte,
                1 if at < body.len() => drop(body.remove(at)),
                _ => body.insert(at.min(body.len()), byte),
            }
        }
        everywhere(&CONNECTIONS, topic.as_deref(), &body);
    }

    /// Every value of a real message is exchanged for one of another type.
    #[test]
    fn values_of_other_types_give_no_panic(
        which in any::<prop::sample::Index>(),
        values in prop::collection::vec(0_usize..8, 1..20),
    ) {
        let (topic, body) = &BODIES[which.index(BODIES.len())];
        if let Ok(mut json) = serde_json::from_slice::<serde_json::Value>(body) {
            let mut values = values.into_iter().cycle();
            exchange(&mut json, &mut values);
            everywhere(&CONNECTIONS, topic.as_deref(), json.to_string().as_bytes());
        }
    }

    #[test]
    fn any_bytes_as_a_stream_or_a_configuration_give_no_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        text in CONFIGURATIONS,
    ) {
        let mut stream = DahuaStream::new(None);
        stream.push(&bytes);
        stream.finish();
        drop(Connections::parse(&text, &[]));
        drop(Connections::parse(&String::from_utf8_lossy(&bytes), &[]));
    }
}

fn exchange(json: &mut serde_json::Value, values: &mut impl Iterator<Item = usize>) {
    use serde_json::{Value, json};
    match json {
        Value::Object(members) => members.values_mut().for_each(|value| exchange(value, values)),
        Value::Array(items) => items.iter_mut().for_each(|item| exchange(item, values)),
        scalar => {
            let others = [
                json!(null),
                json!(-1),
                json!(1e300),
                json!(""),
                json!("x".repeat(200)),
                json!([]),
                json!({}),
            ];
            if let Some(other) = values.next().and_then(|at| others.get(at)) {
                *scalar = other.clone();
            }
        }
    }
}

#[test]
fn deep_json_and_deep_xml_are_refused() {
    let deep = "[".repeat(200_000);
    assert_eq!(only_reason(&posted("roboflow", deep.as_bytes())), Reason::TooLarge);
    let closed = format!("{}{}", "[".repeat(65), "]".repeat(65));
    assert_eq!(only_reason(&posted("xovis-door", closed.as_bytes())), Reason::TooLarge);
    let xml = "<a>".repeat(100_000);
    assert_eq!(only_reason(&posted("hik-ramp", xml.as_bytes())), Reason::TooLarge);
    // Brackets in a string are no depth.
    let text = format!(
        "{{\"count_in\": 1, \"video_identifier\": \"cam0\", \"x\": \"{}\"}}",
        "[".repeat(500)
    );
    assert!(matches!(posted("roboflow", text.as_bytes())[..], [Finding::Reading(_)]));
}

#[test]
fn xml_with_a_document_type_or_entities_is_refused() {
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>\
                  <EventNotificationAlert><eventType>&b;</eventType></EventNotificationAlert>";
    let entity = "<EventNotificationAlert><eventType>&b;</eventType></EventNotificationAlert>";
    for body in [laughs, entity] {
        assert_eq!(only_reason(&posted("hik-ramp", body.as_bytes())), Reason::Unreadable);
        assert_eq!(only_reason(&posted("onvif-ramp", body.as_bytes())), Reason::Unreadable);
    }
}

#[test]
fn a_message_over_a_mebibyte_is_refused_before_it_is_read() {
    let large = vec![b' '; MAX_MESSAGE_BYTES + 1];
    for camera in ["frigate-ramp", "hik-ramp", "dahua-ramp", "roboflow"] {
        assert_eq!(only_reason(&posted(camera, &large)), Reason::TooLarge, "{camera}");
    }
    assert_eq!(
        only_reason(&own_events(&message(Some("cameras/a/events"), &large))),
        Reason::TooLarge
    );
}

#[test]
fn multipart_of_many_parts_is_refused() {
    let part = "--b\r\nContent-Type: image/jpeg\r\n\r\nx\r\n";
    let body = format!("{}--b--\r\n", part.repeat(5_000));
    assert_eq!(only_reason(&posted("hik-ramp", body.as_bytes())), Reason::TooLarge);
    for body in ["--", "--b", "--b\r\n", "--b--", "--b\r\n\r\n--b--"] {
        assert_eq!(only_reason(&posted("hik-ramp", body.as_bytes())), Reason::Unreadable, "{body}");
    }
}

#[test]
fn one_message_makes_at_most_ten_thousand_events() {
    let line = |added: u64| {
        let line = format!("{{\"1\": {{\"vehicle\": {{\"crosslineA2BAdd\": {added}}}}}}}");
        format!(
            "{{\"id\": \"e\", \"type\": \"smartDetectLine\", \"camera\": \"cam-1\", \
             \"start\": 1796112000000,\
             \"metadata\": {{\"linesStatus\": {line}}}}}"
        )
    };
    assert_eq!(posted("unifi-ramp", line(10_000).as_bytes()).len(), 10_000);
    assert_eq!(only_reason(&posted("unifi-ramp", line(10_001).as_bytes())), Reason::TooLarge);
    let events = format!("[{}]", vec!["{}"; 10_001].join(","));
    let told = own_events(&message(Some("cameras/a/events"), events.as_bytes()));
    assert_eq!(only_reason(&told), Reason::TooLarge);
}

#[test]
fn one_broken_part_never_ends_a_dahua_stream() {
    let part = |body: &str| format!("--myboundary\r\nContent-Type: text/plain\r\n\r\n{body}\r\n");
    let event = "Code=CrossLineDetection;action=Start;index=0;data={\"RuleId\":1,\
                 \"UTC\":1620477656,\
                 \"Direction\":\"LeftToRight\",\
                 \"Object\":{\"ObjectID\":7,\"ObjectType\":\"Vehicle\"}}";
    let huge = "x".repeat(3 * MAX_MESSAGE_BYTES);
    let stream = [part("{\"broken"), part(&huge), part(event), part("Heartbeat")].concat();
    for cut in [1_usize << 20, 4_096, 1_000_003] {
        let mut reader = DahuaStream::new(Some("multipart/x-mixed-replace; boundary=myboundary"));
        let mut parts: Vec<DahuaPart> =
            stream.as_bytes().chunks(cut).flat_map(|chunk| reader.push(chunk)).collect();
        parts.extend(reader.finish());
        assert_eq!(parts.len(), 4, "cut by {cut}");
        assert_eq!(parts[1], DahuaPart::TooLarge);
        let DahuaPart::Content(content) = &parts[2] else { panic!("{cut}") };
        assert!(matches!(posted("dahua-ramp", content)[..], [Finding::Crossing(_)]));
    }
}

#[test]
fn a_dahua_event_is_given_out_when_its_announced_length_is_there() {
    let body = "Heartbeat";
    let head = format!("--myboundary\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut stream = DahuaStream::new(None);
    let told = stream.push(head.as_bytes());
    assert_eq!(told, [DahuaPart::Content(body.as_bytes().to_vec())]);
    assert_eq!(stream.push(b"\r\n--myboundary\r\n"), [], "it is not given out a second time");
}
