//! The HTTP server, in this process, over a real database.

mod bad_input;
mod bad_values;
mod batches;
mod connections;
mod dashboard;
mod docs;
mod download;
mod events;
mod floors;
mod history;
mod latest;
mod openapi;
mod statistics;
mod stream;
