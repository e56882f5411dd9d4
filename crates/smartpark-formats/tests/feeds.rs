//! Each document, read as its consumers read it.

#[path = "feeds/sites.rs"]
mod sites;

use std::{collections::BTreeSet, slice::from_ref};

use jiff::Timestamp;
use quick_xml::{Reader, events::Event};
use serde_json::{Value, json};
use sites::{NOW, floor, garage, sites};
use smartpark_formats::feed::{
    NgsiForm, Opening, SiteView, WebhookFault, WebhookOrigin, WebhookSecret, cloud_event,
    datex2_light, floor_state, geojson, home_assistant_all, home_assistant_config, lacks, ngsi,
    ngsi_v2_update, parkapi_v1_city, parkapi_v1_index, parkapi_v3, siri_fm, standard_webhook,
    webhook_headers,
};

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn read(document: &[u8]) -> Value {
    serde_json::from_slice(document).unwrap()
}

/// A site as a reader sees it: free slots, whether it is open.
type Seen = (String, Option<u64>, bool);

/// What a reader of `sites` must see, in the same order.
fn wanted(shown: impl Fn(&SiteView) -> bool) -> Vec<Seen> {
    let sites = sites();
    let seen = sites.iter().filter(|site| shown(site));
    seen.map(|site| (site.id.clone(), site.free(), site.opening == Opening::Open)).collect()
}

#[test]
fn numbers_are_those_of_active_floors_without_reserved_slots() {
    let site = garage("a", "A");
    assert_eq!((site.total(), site.free()), (150, Some(37)));
    let by_id = |id: &str| sites().into_iter().find(|site| site.id == id).unwrap();
    assert_eq!(by_id("full").free(), Some(0));
    assert_eq!((by_id("empty").total(), by_id("empty").free()), (0, Some(0)));
    assert_eq!(
        (by_id("one-floor-closed").total(), by_id("one-floor-closed").free()),
        (100, Some(25))
    );
    assert_eq!((by_id("silent").free(), by_id("never-heard").free()), (None, None));
}

/// A map portal: reads `id`, wants finite places that are not 0/0, ignores numbers in quotes, and
/// takes `temporaryClosed` before `isOpenNow`. A journey planner: wants `_id`, `isOpenNow: true`
/// and a closed ring, takes an absent number for 0.
#[test]
fn datex2_is_read_by_a_map_portal_and_a_journey_planner() {
    let document = read(&datex2_light(&sites(), false, now()));
    let publication = &document["parkingPublicationLight"];
    let listed = publication["parkingSite"].as_array().unwrap();
    let portal: Vec<Seen> = listed
        .iter()
        .map(|site| {
            let place = &site["locationAndDimension"]["coordinatesForDisplay"];
            let (lat, lon) = (place["latitude"].as_f64(), place["longitude"].as_f64());
            assert!(lat.unwrap() != 0.0 && lon.unwrap() != 0.0);
            assert!(site["numberOfSpaces"].is_u64());
            let open = match (site["temporaryClosed"].as_bool(), site["isOpenNow"].as_bool()) {
                (Some(true), _) => false,
                (_, open) => open.unwrap(),
            };
            (site["id"].as_str().unwrap().to_owned(), site["availableSpaces"].as_u64(), open)
        })
        .collect();
    assert_eq!(portal, wanted(|site| site.place.is_some()));
    for site in listed {
        assert_eq!(site["_id"], site["id"]);
        assert!(site.get("availableSpaces").is_none_or(Value::is_u64), "null means all free");
        let ring = site["locationAndDimension"]["gmlLinearRing"]["posList"].as_str().unwrap();
        let points: Vec<f64> = ring.split(' ').map(|number| number.parse().unwrap()).collect();
        assert_eq!(points.len(), 10);
        assert_eq!(points[..2], points[8..]);
        let latitude = &site["locationAndDimension"]["coordinatesForDisplay"]["latitude"];
        assert!((points[0] - latitude.as_f64().unwrap()).abs() < 0.001, "latitude comes first");
    }
    let plain = &listed[0];
    assert_eq!(plain["lastUpdate"], "2026-12-01T08:04:59Z", "the moment vouched for");
    let levels = read(&datex2_light(&[garage("a", "A")], true, now()));
    let levels = levels["parkingPublicationLight"]["parkingSite"].as_array().unwrap();
    let ids: Vec<&str> = levels.iter().map(|site| site["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a", "a-1", "a-2", "a-3"]);
}

/// A journey planner: drops a lot without `state`, and takes `null` for 0.
#[test]
fn parkapi_v1_is_read_by_a_journey_planner() {
    for site in sites() {
        let city = read(&parkapi_v1_city(&site, now()));
        let lots = city["lots"].as_array().unwrap();
        assert_eq!(lots.len(), usize::from(site.place.is_some()));
        let Some(lot) = lots.first() else { continue };
        let state = lot["state"].as_str().unwrap();
        assert_eq!(lot.get("free").map(|free| free.as_u64().unwrap()), site.free());
        let expected = match (site.opening == Opening::Open, site.free()) {
            (false, _) => "closed",
            (true, None) => "nodata",
            (true, Some(_)) => "open",
        };
        assert_eq!(state, expected, "{}", site.id);
        assert!(lot["free"].as_u64().unwrap_or(0) <= lot["total"].as_u64().unwrap());
    }
    let twice = [garage("a", "Mitte"), garage("b", "Mitte")];
    let index = read(&parkapi_v1_index(&twice, "1", "https://x.example/"));
    assert_eq!(index["cities"], json!({ "Mitte": "a", "Mitte (b)": "b" }));
}

/// A data platform: Europe only, no negative numbers, realtime older than 30 minutes vanishes.
#[test]
fn parkapi_v3_is_read_by_a_data_platform() {
    let document = read(&parkapi_v3(&sites()));
    let items = document["items"].as_array().unwrap();
    let seen: Vec<Seen> = items
        .iter()
        .map(|item| {
            assert_eq!(item["purpose"], "CAR");
            assert!((34.0..=72.0).contains(&item["lat"].as_f64().unwrap()));
            let free = item.get("realtime_free_capacity").map(|free| free.as_u64().unwrap());
            let open = item["realtime_opening_status"] == "OPEN";
            (item["uid"].as_str().unwrap().to_owned(), free, open)
        })
        .collect();
    assert_eq!(seen, wanted(|site| site.place.is_some() && site.id != "overseas"));
    assert_eq!(items[0]["realtime_data_updated_at"], "2026-12-01T08:04:59Z");
}

/// Texts of the elements, as `FacilityRef=full`.
fn elements(xml: &[u8]) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(std::str::from_utf8(xml).unwrap());
    let (mut path, mut found) = (Vec::new(), Vec::<(String, String)>::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                found.push((path.last().unwrap().clone(), String::new()));
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(text) if !path.is_empty() => found.last_mut().unwrap().1.push_str(&text),
            Event::GeneralRef(name) => {
                let text =
                    quick_xml::escape::unescape(&format!("&{};", &*name)).unwrap().into_owned();
                found.last_mut().unwrap().1.push_str(&text);
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

/// A journey planner: exactly one `presentCount` a facility, and one without a whole number loses
/// the whole update.
#[test]
fn siri_fm_is_read_by_a_journey_planner() {
    let mut all = sites();
    all[0].facility_ref = Some("DE:1 & <2>".to_owned());
    let found = elements(&siri_fm(&all, now()));
    let texts = |name: &str| -> Vec<&str> {
        found.iter().filter(|(found, _)| found == name).map(|(_, text)| text.as_str()).collect()
    };
    let shown: Vec<&SiteView> =
        all.iter().filter(|site| site.opening != Opening::Open || site.free().is_some()).collect();
    let references: Vec<&str> =
        shown.iter().map(|site| site.facility_ref.as_deref().unwrap_or(&site.id)).collect();
    assert_eq!(texts("FacilityRef"), references);
    let counts: Vec<u64> = texts("Count").iter().map(|count| count.parse().unwrap()).collect();
    let free = shown.iter().map(|site| match site.opening {
        Opening::Open => site.free().unwrap(),
        _ => 0,
    });
    assert_eq!(counts, free.collect::<Vec<_>>());
    for name in ["CountingType", "MonitoredCounting", "Status"] {
        assert_eq!(texts(name).len(), shown.len());
    }
    assert!(texts("CountingType").iter().all(|kind| *kind == "presentCount"));
    let order: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).skip(6).take(6).collect();
    assert_eq!(
        order,
        [
            "FacilityCondition",
            "FacilityRef",
            "FacilityStatus",
            "Status",
            "MonitoredCounting",
            "CountingType"
        ]
    );
}

/// A context broker: ids are URIs, numbers from 1 slot on, the group links to the site.
#[test]
fn ngsi_is_read_by_context_brokers() {
    for form in [NgsiForm::Normalized, NgsiForm::KeyValues, NgsiForm::V2] {
        let document = read(&ngsi(&sites(), form));
        let value = |entity: &Value, name: &str| match form {
            NgsiForm::KeyValues => entity[name].clone(),
            _ => entity[name].get("value").cloned().unwrap_or_default(),
        };
        let mut ids = BTreeSet::new();
        for entity in document.as_array().unwrap() {
            assert!(ids.insert(entity["id"].as_str().unwrap().to_owned()));
            assert!(value(entity, "totalSpotNumber").as_u64().unwrap() >= 1);
            let point = value(entity, "location")["coordinates"].clone();
            assert!(point == json!([8.8702, 48.5956]) || point == json!([151.2093, -33.8688]));
            let kinds = value(entity, "allowedVehicleType");
            if entity["type"] == "OffStreetParking" {
                assert_eq!(kinds, json!(["car"]));
                assert!(
                    value(entity, "occupancy").as_f64().is_none_or(|o| (0.0..=1.0).contains(&o))
                );
            } else {
                assert_eq!(kinds, "car");
            }
        }
        assert!(!ids.iter().any(|id| id.contains("no-slots") || id.contains("nowhere")));
        assert!(ids.contains("urn:ngsi-ld:ParkingGroup:one-floor-of-0-2"));
        assert!(!ids.contains("urn:ngsi-ld:ParkingGroup:one-floor-of-0-1"));
    }
    let normalized = read(&ngsi(&[garage("a", "A")], NgsiForm::Normalized));
    assert_eq!(normalized[0]["occupancyModified"]["value"]["@value"], "2026-12-01T03:04:12Z");
    assert_eq!(normalized[0]["availableSpotNumber"]["observedAt"], "2026-12-01T08:04:59Z");
    assert_eq!(normalized[1]["refParkingSite"]["object"], "urn:ngsi-ld:OffStreetParking:a");
    assert_eq!(normalized[0]["address"]["value"]["postalCode"], "71083");
}

#[test]
fn orion_gets_no_character_that_it_refuses() {
    fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(members) => members.values().for_each(|member| texts(member, found)),
            _ => {}
        }
    }
    let update = read(&ngsi_v2_update(&sites()));
    assert_eq!(update["actionType"], "append");
    let mut found = Vec::new();
    texts(&update, &mut found);
    for text in &found {
        assert!(!text.contains(['<', '>', '"', '\'', '=', ';', '(', ')']), "{text}");
    }
    let name = "Parkhaus %22Süd%22 & Söhne %28P1%29 %3Cb%3E%3D%3B%27%25";
    assert!(found.contains(&name), "the name can be read back: {found:?}");
}

#[test]
fn geojson_puts_longitude_first_and_leaves_unknown_numbers_out() {
    let document = read(&geojson(&sites()));
    let features = document["features"].as_array().unwrap();
    assert_eq!(features.len(), sites().len());
    assert_eq!(features[0]["geometry"]["coordinates"], json!([8.8702, 48.5956]));
    assert_eq!(features[0]["properties"]["last_event"], "2026-12-01T03:04:12Z");
    assert_eq!(features[0]["properties"]["vouched_for_at"], "2026-12-01T08:04:59Z");
    let silent = features.iter().find(|feature| feature["id"] == "silent").unwrap();
    assert!(silent["properties"].get("free").is_none());
    assert!(silent["properties"]["floors"][0].get("free").is_none());
}

#[test]
fn home_assistant_keeps_entities_through_renames_and_forgets_removed_floors() {
    let topics = ("homeassistant", "smartpark");
    let mut site = garage("central-garage", "Central");
    let config = |site: &SiteView, gone: &[i64]| {
        read(&home_assistant_config(site, gone, topics, "1.0.0").payload)
    };
    let before = config(&site, &[]);
    site.floors[0].name = "Unten".to_owned();
    let after = config(&site, &[]);
    let free = |config: &Value| config["components"]["floor_1_free"].clone();
    assert_eq!(free(&before)["unique_id"], "smartpark_central-garage_1_free");
    assert_eq!(free(&before)["unique_id"], free(&after)["unique_id"]);
    assert_eq!(free(&after)["name"], "Unten free");
    for component in after["components"].as_object().unwrap().values() {
        assert!(component.get("expire_after").is_none() && component.get("object_id").is_none());
    }
    site.floors.remove(0);
    let gone = config(&site, &[1]);
    assert_eq!(gone["components"]["floor_1_free"], json!({ "platform": "sensor" }));
    assert_eq!(gone["components"]["floor_1_full"], json!({ "platform": "binary_sensor" }));
    assert!(config(&site, &[])["components"].get("floor_1_free").is_none());
    site.floors.clear();
    assert!(home_assistant_config(&site, &[], topics, "1").payload.is_empty());

    let site = garage("central-garage", "Central");
    let all = home_assistant_all(&site, &[], (Some("homeassistant"), "smartpark"), "1");
    let order: Vec<&str> = all.iter().map(|publication| publication.topic.as_str()).collect();
    assert_eq!(
        order[..3],
        [
            "homeassistant/device/smartpark_central-garage/config",
            "smartpark/central-garage/status",
            "smartpark/central-garage/floor/1",
        ]
    );
    let state = read(&floor_state("smartpark", &site, &floor(1, 50, 38)).payload);
    assert_eq!(state["occupancy"], 76.0);
    assert_eq!((&state["free"], &state["full"]), (&json!(12), &json!(false)));
    assert_eq!(state["last_event"], "2026-12-01T08:04:12Z");
}

#[test]
fn webhooks_are_signed_as_the_vectors_say() {
    let vectors = include_str!("schemas/standard-webhooks-vectors.json");
    let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
    for vector in &vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let secret = WebhookSecret::parse(text("secret")).unwrap();
        let at = Timestamp::from_second(text("webhook-timestamp").parse().unwrap()).unwrap();
        let id = text("webhook-id");
        let headers = webhook_headers(id, at, text("body").as_bytes(), from_ref(&secret));
        for (name, value) in headers {
            assert_eq!(value, text(name));
        }
        let both = webhook_headers(id, at, text("body").as_bytes(), &[secret.clone(), secret]);
        assert_eq!(both[2].1, format!("{0} {0}", text("webhook-signature")));
    }
    for bad in
        ["", "whsec_", "whsec_AAAA", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_??"]
    {
        assert_eq!(WebhookSecret::parse(bad), Err(WebhookFault::Secret), "{bad}");
    }
    let written = WebhookSecret::written(&[7; 32]);
    let file = format!("{written} # new\n\n# the old one\nwhsec_{}\n", "A".repeat(32));
    assert_eq!(WebhookSecret::parse_file(&file).unwrap().len(), 2);
    for bad in ["", "# none", "whsec_AAAA\n"] {
        assert_eq!(WebhookSecret::parse_file(bad), Err(WebhookFault::Secret), "{bad}");
    }
    assert!(WebhookSecret::parse(&format!("{written}\n")).is_ok());
    assert!(!format!("{:?}", WebhookSecret::parse(&written)).contains("BwcH"));
}

#[test]
fn the_same_fact_has_the_same_id_and_another_fact_another() {
    let origin =
        WebhookOrigin { lineage: "l", site: "a", fact: "7", kind: "floor.full", webhook: "w" };
    let id = origin.id();
    assert_eq!((id.len(), id.starts_with("msg_"), id.contains('.')), (30, true, false));
    assert_eq!(origin.id(), id);
    let others = [
        WebhookOrigin { lineage: "m", ..origin },
        WebhookOrigin { site: "al", lineage: "", ..origin },
        WebhookOrigin { fact: "8", ..origin },
        WebhookOrigin { kind: "floor.free", ..origin },
        WebhookOrigin { webhook: "v", ..origin },
    ];
    let ids: BTreeSet<String> = others.iter().map(WebhookOrigin::id).chain([id]).collect();
    assert_eq!(ids.len(), 6);
}

#[test]
fn bodies_of_webhooks_are_small_and_their_types_are_words() {
    let data = json!({ "name": "Süd \"1\"" });
    let body = standard_webhook("floor.full", now(), &data).unwrap();
    let read_back = read(&body);
    assert_eq!(read_back, json!({ "type": "floor.full", "timestamp": NOW, "data": data }));
    for bad in ["", "floor.", "floor full", "flöor", ".full"] {
        assert_eq!(standard_webhook(bad, now(), &data), Err(WebhookFault::Kind), "{bad}");
    }
    let large = json!("x".repeat(20_000));
    assert_eq!(standard_webhook("a", now(), &large), Err(WebhookFault::TooLarge));
    let origin =
        WebhookOrigin { lineage: "l", site: "a", fact: "1", kind: "floor.full", webhook: "w" };
    let event = read(&cloud_event("msg_1", &origin, now(), Some("floor/1"), &data).unwrap());
    assert_eq!(event["source"], "urn:x-smartpark:a");
    assert_eq!(event["type"], "org.smartpark.floor.full");
    assert_eq!((&event["id"], &event["subject"]), (&json!("msg_1"), &json!("floor/1")));
}

#[test]
fn what_a_city_will_miss_is_said() {
    let told: Vec<String> = lacks(&sites()).iter().map(ToString::to_string).collect();
    for wanted in [
        "bare: no opening_hours",
        "nowhere: no latitude and longitude",
        "overseas: a place outside of Europe",
        "silent: no sign of life",
        "no-slots: no slots",
    ] {
        assert!(told.iter().any(|lack| lack.starts_with(wanted)), "{wanted}: {told:#?}");
    }
    assert!(!told.iter().any(|lack| lack.starts_with("plain")));
}
