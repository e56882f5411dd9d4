//! Writes every document that SmartPark sends into a folder, for sites of every kind, so that
//! other programs can check them: `cargo run --example documents -- FOLDER`.

#[path = "../tests/feeds/sites.rs"]
mod sites;

use std::{env, fs, io, path::PathBuf};

use serde_json::json;
use smartpark_formats::feed::{
    NgsiForm, SiteView, WebhookOrigin, cloud_event, datex2_light, geojson, home_assistant_config,
    ngsi, ngsi_v2_update, parkapi_v1_city, parkapi_v1_index, parkapi_v3, siri_fm, standard_webhook,
};

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("name a folder: documents FOLDER"));
    };
    fs::create_dir_all(&folder)?;
    let sites = sites::sites();
    let single = sites.iter().map(|site| (site.id.as_str(), std::slice::from_ref(site)));
    for (name, sites) in std::iter::once(("all", sites.as_slice())).chain(single) {
        for (kind, document) in documents(sites) {
            fs::write(folder.join(format!("{kind}@{name}")), document)?;
        }
    }
    Ok(())
}

fn documents(sites: &[SiteView]) -> Vec<(&'static str, Vec<u8>)> {
    let now = sites::NOW.parse().expect("a time");
    let origin = WebhookOrigin {
        lineage: "l",
        site: &sites[0].id,
        fact: "7",
        kind: "floor.full",
        webhook: "https://ops.example/",
    };
    let data = json!({ "floor_id": 1, "name": sites[0].floors[0].name, "free": 0, "total": 50 });
    let event = cloud_event(&origin.id(), &origin, now, Some("floor/1"), &data);
    let topics = ("homeassistant", "smartpark");
    vec![
        ("datex2-parking-light", datex2_light(sites, false, now)),
        ("datex2-parking-light+levels", datex2_light(sites, true, now)),
        ("parkapi-v1-index", parkapi_v1_index(sites, "1.0.0", "https://garage.example/")),
        ("parkapi-v1", parkapi_v1_city(&sites[0], now)),
        ("parkapi-v3-push", parkapi_v3(sites)),
        ("siri-fm", siri_fm(sites, now)),
        ("ngsi-keyvalues", ngsi(sites, NgsiForm::KeyValues)),
        ("ngsi-normalized", ngsi(sites, NgsiForm::Normalized)),
        ("ngsi-v2", ngsi_v2_update(sites)),
        ("geojson", geojson(sites)),
        ("ha-mqtt-discovery", home_assistant_config(&sites[0], &[9], topics, "1.0.0").payload),
        ("standard-webhook", standard_webhook("floor.full", now, &data).expect("a body")),
        ("cloudevents", event.expect("a body")),
    ]
}
