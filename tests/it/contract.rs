//! What a park does, whichever engine it stands on: each test is run on every engine.

mod check;
mod copy;
mod counting;
mod events;
mod floors;
mod latest;
mod live;
mod order;
mod positions;
mod retention;
mod schema;
mod statistics;
mod world;
