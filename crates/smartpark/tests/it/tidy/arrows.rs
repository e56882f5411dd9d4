//! The arrows between the crates: which crate may depend on which. Cargo says what is; the table
//! says what may be.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// Each crate with the crates of this workspace that it may depend on. Tests and benchmarks of a
/// crate (its dev-dependencies) may know more.
const ARROWS: &[(&str, &[&str])] = &[
    ("smartpark-core", &[]),
    ("smartpark-formats", &["smartpark-core"]),
    ("smartpark-client", &["smartpark-core"]),
    ("smartpark-vision", &["smartpark-core", "smartpark-client"]),
    ("smartpark-ledger", &["smartpark-core"]),
    ("smartpark-exchange", &["smartpark-core", "smartpark-ledger", "smartpark-formats"]),
    (
        "smartpark-bridge",
        &["smartpark-core", "smartpark-ledger", "smartpark-formats", "smartpark-exchange"],
    ),
    (
        "smartpark-server",
        &["smartpark-core", "smartpark-ledger", "smartpark-formats", "smartpark-exchange"],
    ),
    (
        "smartpark",
        &[
            "smartpark-core",
            "smartpark-ledger",
            "smartpark-formats",
            "smartpark-client",
            "smartpark-exchange",
            "smartpark-server",
            "smartpark-bridge",
            "smartpark-vision",
        ],
    ),
];

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// What `cargo metadata` says: each crate of the workspace with those that it depends on.
fn drawn() -> Arrows {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--manifest-path"])
        .arg(manifest)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages.iter().map(arrows_of).collect()
}

fn arrows_of(package: &Value) -> (String, BTreeSet<String>) {
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let dependencies = package["dependencies"].as_array().expect("a list of dependencies");
    let ours = dependencies.iter().filter(|it| it["path"].is_string() && it["kind"] != "dev");
    (name(package), ours.map(name).collect())
}

/// The arrows that the table does not have.
fn forbidden(drawn: &Arrows) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, targets) in drawn {
        match ARROWS.iter().find(|(known, _)| known == name) {
            None => faults.push(format!("{name} has no row in the table of arrows")),
            Some((_, allowed)) => {
                let wrong = targets.iter().filter(|target| !allowed.contains(&target.as_str()));
                faults.extend(wrong.map(|target| format!("{name} → {target}")));
            }
        }
    }
    faults
}

#[test]
fn crates_depend_only_as_drawn() {
    let faults = forbidden(&drawn());
    assert!(faults.is_empty(), "arrows that ARCHITECTURE.md does not draw: {faults:?}");
}

#[test]
fn an_arrow_that_is_added_is_seen() {
    let mut drawn = drawn();
    assert!(drawn.contains_key("smartpark-core"), "{drawn:?}");
    drawn.entry("smartpark-core".to_owned()).or_default().insert("smartpark".to_owned());
    drawn.insert("smartpark-common".to_owned(), BTreeSet::new());
    assert_eq!(
        forbidden(&drawn),
        ["smartpark-common has no row in the table of arrows", "smartpark-core → smartpark"]
    );
}
