//! Whether the schema is still the one that the migrations made. The engines describe it, object by
//! object; this compares.

use std::collections::BTreeMap;

use super::naive::violate;
use crate::check::Report;

/// An object of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// The table it belongs to; its own name for a table, a view and a sequence.
    pub(super) table: String,
    /// All that is declared of it, as the database writes it.
    pub(super) definition: String,
}

/// The objects of a schema, by their kind (`table`, `index`, …) and name.
pub(super) type Schema = BTreeMap<(String, String), Object>;

/// Compares the schema as it is `found` with the one of the migrations. Tables and views that are
/// not SmartPark's are nobody's fault, unless they have a trigger; what hangs on its tables is.
pub(super) fn compare(report: &mut Report, expected: &Schema, found: &Schema) {
    for ((kind, name), object) in expected {
        match found.get(&(kind.clone(), name.clone())) {
            Some(same) if same == object => {}
            Some(other) => {
                let detail = format!(
                    "the {kind} {name} is not as SmartPark made it: {} instead of {}",
                    one_line(&other.definition),
                    one_line(&object.definition)
                );
                violate(report, "I3", detail);
            }
            None => {
                let made = one_line(&object.definition);
                violate(report, "I3", format!("the {kind} {name} is missing: {made}"));
            }
        }
    }
    for ((kind, name), object) in found {
        let is_ours = expected.contains_key(&(kind.clone(), name.clone()));
        let table = ("table".to_owned(), object.table.clone());
        let hangs_on_ours = expected.contains_key(&table) || kind == "trigger";
        if !is_ours && hangs_on_ours {
            let detail = format!("the {kind} {name} on {} is not SmartPark's", object.table);
            violate(report, "I3", detail);
        }
    }
}

/// The text on one line, of a length that people read.
fn one_line(text: &str) -> String {
    const MOST: usize = 200;
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}
