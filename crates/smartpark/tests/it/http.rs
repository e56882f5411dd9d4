//! The HTTP server, in this process, over a real database.

mod bad_input;
mod bad_values;
mod batches;
mod connections;
mod dashboard;
mod digest;
mod docs;
mod download;
mod estimates;
mod events;
mod feeds;
mod floors;
mod gate;
mod history;
mod inputs;
mod keys;
mod latest;
mod metrics;
mod openapi;
mod origins;
mod rates;
mod sessions;
mod statistics;
mod stream;
