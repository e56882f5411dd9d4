//! How full a floor will be in the next 15 minutes to 7 days.
//!
//! Three steps: a [`Series`] holds how full the floor was at each local quarter of an hour;
//! [`train`] learns from it once a local day; [`Model::forecast`] answers from the model, the
//! series and the count now.
//!
//! A forecast is what is usual at that quarter of the week (the profile), plus a share of how far
//! the floor is from usual now. Its interval is drawn from the errors of the same procedure over
//! the past 28 days. They are computed again from the history as it is known now, so a late event
//! corrects them too.

mod answer;
mod interval;
mod ridge;
mod series;
mod train;

#[cfg(test)]
mod tests;

pub use answer::{Forecast, PastError, Step, Window, rank};
pub use interval::LEVEL;
pub use series::{Blind, Reading, Series};
pub use train::{FloorSeries, HISTORY_WEEKS, Model, train};
