//! What a repeat of an event is told.

use crate::{Event, NewEvent};

/// The fields in which a repeat differs from the first event, which stands.
pub(super) fn differs(repeat: &NewEvent, first: &Event) -> Vec<&'static str> {
    #[expect(clippy::float_cmp, reason = "the same number comes back from the database")]
    let confidence = repeat.confidence != first.confidence;
    let fields = [
        ("floor_id", repeat.floor_id != first.floor_id),
        ("vehicle_type", repeat.vehicle_type != first.vehicle_type),
        ("confidence", confidence),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
}
