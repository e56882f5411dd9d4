//! What holds for every problem document.

use serde_json::Value;

use crate::SECRET;

/// A field at fault, and what is said of it.
pub type Fault = (String, String);

/// The fields that a document names.
///
/// # Panics
/// Where it is no document of this kind, or too long for what it has to say.
pub fn faults(document: &str, status: u16, slug: &str) -> Vec<Fault> {
    let value: Value = serde_json::from_str(document).expect("a document is JSON");
    let text = |of: &Value, name: &str| {
        let text = of[name].as_str().unwrap_or_else(|| panic!("no {name}: {document}"));
        assert!(!text.is_empty(), "{name} is empty: {document}");
        text.to_owned()
    };
    assert_eq!(value["status"], status, "{document}");
    assert_eq!(value["type"], format!("urn:smartpark:problem:{slug}"), "{document}");
    text(&value, "title");
    text(&value, "detail");
    assert!(document.len() < 40_000, "{document}");
    let errors = value["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.iter().map(|error| (text(error, "pointer"), text(error, "detail"))).collect()
}

/// Asserts that no value comes back: only names that a client made up do.
#[track_caller]
pub fn assert_repeats_no_value<'a>(document: &str, names: impl IntoIterator<Item = &'a str>) {
    if document.contains(SECRET) {
        // A name is shown without its control characters.
        let shown = |name: &str| name.chars().filter(|c| !c.is_control()).collect::<String>();
        let is_named = names.into_iter().any(|name| shown(name).contains(SECRET));
        assert!(is_named, "a value is repeated: {document}");
    }
}
