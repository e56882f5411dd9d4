//! Statistics, counted again car by car.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    cli::client::Client,
    faults::{
        journal::{Finding, finding},
        trial::Trial,
    },
    servers::cars::{Car, Fold, statistics},
};

/// Of all time, of windows that cut hours, of single floors.
pub(super) fn i13_statistics_are_exact(
    trial: &Trial,
    client: &Client,
    cars: &[Car],
    fold: &Fold,
) -> Vec<Finding> {
    let facts = &trial.load.facts;
    let (first, last) = (facts.cars[0].at, facts.cars[facts.cars.len() - 1].at);
    let hour = SignedDuration::from_hours(1);
    let third = (facts.cars.len() - facts.old) / 3;
    let cut = facts.cars[facts.old + third].at + SignedDuration::from_micros(1);
    let middle = facts.cars[facts.old + 2 * third].at;
    let mut findings = Vec::new();
    for (start, end) in [(first, last + hour), (cut, last), (cut, middle), (middle, last + hour)] {
        for floor_id in [None, Some(1), Some(3), Some(6)] {
            let of = floor_id.map_or(String::new(), |id| format!("&floor_id={id}"));
            let path = format!("/statistics?start={start}&end={end}{of}");
            let told = client.get(&trial.load.url(&path)).map(|answer| answer.body);
            let counted = as_answered(&statistics(cars, fold, (start, end), floor_id));
            let members = counted.as_object().unwrap();
            let differs = |(name, value): &(&String, &Value)| {
                told.as_ref().is_none_or(|told| told[name.as_str()] != **value)
            };
            if let Some((name, value)) = members.iter().find(differs) {
                let told = told.map(|told| told[name.as_str()].clone());
                findings.push(finding("I13", format!("{path}: {name} is {value}, told {told:?}")));
            }
        }
    }
    findings
}

/// As the interface names it.
fn as_answered(sums: &smartpark::Statistics) -> Value {
    let types = sums.by_vehicle_type;
    json!({
        "total_events": sums.total_events,
        "entries": sums.entries,
        "exits": sums.exits,
        "by_vehicle_type": {
            "car": types.car, "motorcycle": types.motorcycle,
            "bus": types.bus, "truck": types.truck,
        },
        "by_floor": sums.by_floor,
        "by_camera": sums.by_camera,
        "at_limit": sums.at_limit,
        "at_limit_by_floor": sums.at_limit_by_floor,
        "at_limit_by_camera": sums.at_limit_by_camera,
    })
}
