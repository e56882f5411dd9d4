//! What a park does, whichever engine it stands on: each test is run on every engine.

mod again;
mod attention;
mod between;
mod check;
mod clocks;
mod copy;
mod counting;
mod digests;
mod drift;
mod events;
mod floors;
mod history;
mod keys;
mod latest;
mod live;
mod metrics;
mod order;
mod places;
mod positions;
mod refusals;
mod repair;
mod retention;
mod schema;
mod statistics;
mod steps;
mod tamper;
pub(crate) mod world;
