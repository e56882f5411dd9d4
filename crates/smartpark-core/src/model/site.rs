//! The site as a whole.

use super::{Floor, occupancy_percentage};

/// All floors together that cars may be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// The active floor with the most free slots (of equals the lower id); none where every active
    /// floor is full.
    pub recommended_floor_id: Option<i64>,
    /// The slots of the active floors.
    pub total_slots: i64,
    /// The vehicles on the active floors.
    pub current_vehicles: i64,
}

impl Site {
    /// Sums floors up.
    #[must_use]
    pub fn of(floors: &[Floor]) -> Self {
        let active = || floors.iter().filter(|floor| floor.is_active);
        let free = active().filter(|floor| floor.available_slots() > 0);
        let best = free.min_by_key(|floor| (-floor.available_slots(), floor.id));
        Self {
            recommended_floor_id: best.map(|floor| floor.id),
            total_slots: active().map(|floor| floor.total_slots).sum(),
            current_vehicles: active().map(|floor| floor.current_vehicles).sum(),
        }
    }

    /// How many more vehicles fit.
    #[must_use]
    pub fn available_slots(&self) -> i64 {
        self.total_slots - self.current_vehicles
    }

    /// How full it is; 0 without slots.
    #[must_use]
    pub fn occupancy_percentage(&self) -> f64 {
        occupancy_percentage(self.current_vehicles, self.total_slots)
    }
}
