//! Estimates from a car park's facts.

pub mod estimate;
