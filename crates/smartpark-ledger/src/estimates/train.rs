//! Trained forecasts that are kept, and the floors that learn from one another.

use jiff::civil::Date;

use crate::{
    estimate::forecast::{FloorSeries, HISTORY_WEEKS, Model, Series, train},
    limits::MAX_FORECAST_GROUPS,
};

/// Floors that are trained together.
pub(super) const GROUP: usize = 32;

/// What a group was trained from: floors that share these have the same models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lesson {
    /// The local date at whose beginning the models are made.
    pub(super) midnight: Date,
    /// Each floor, and the digest of its readings before that.
    pub(super) floors: Vec<(i64, u64)>,
}

/// Groups that were trained, the ones used last at the end.
#[derive(Debug, Default)]
pub(super) struct Groups {
    kept: Vec<(Lesson, Vec<Model>)>,
}

impl Groups {
    /// The model of a floor, if its group was trained from the same.
    pub(super) fn model(&mut self, lesson: &Lesson, floor_id: i64) -> Option<Model> {
        let place = self.kept.iter().position(|(known, _)| known == lesson)?;
        let group = self.kept.remove(place);
        let of_floor = group.0.floors.iter().position(|(id, _)| *id == floor_id);
        let model = of_floor.and_then(|place| group.1.get(place)).cloned();
        self.kept.push(group);
        model
    }

    /// Keeps models in the order of the floors of their lesson.
    pub(super) fn keep(&mut self, lesson: Lesson, models: Vec<Model>) {
        self.kept.retain(|(known, _)| *known != lesson);
        self.kept.push((lesson, models));
        if self.kept.len() > MAX_FORECAST_GROUPS {
            self.kept.remove(0);
        }
    }
}

/// The models of floors, in their order.
pub(super) fn trained(lesson: &Lesson, series: &[Series]) -> Vec<Model> {
    let floors = lesson.floors.iter().zip(series);
    let floors: Vec<FloorSeries<'_>> =
        floors.map(|((floor_id, _), series)| FloorSeries { floor_id: *floor_id, series }).collect();
    train(&floors, lesson.midnight, HISTORY_WEEKS)
}
