//! The latest floors, which all readers share: one list for as long as nothing about them changes,
//! so that what is made of it (an answer in JSON) can be made once.

use std::sync::Arc;

use crate::{Floor, model::most_free_first};

/// The list after another look: the one from before where no floor has changed.
pub(super) fn after(before: Option<&Arc<[Floor]>>, mut floors: Vec<Floor>) -> Arc<[Floor]> {
    most_free_first(&mut floors);
    match before {
        Some(before) if **before == *floors => Arc::clone(before),
        _ => floors.into(),
    }
}
