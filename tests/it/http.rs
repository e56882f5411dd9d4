//! The HTTP server, in this process, over a real database.

mod bad_input;
mod bad_values;
mod batches;
mod connections;
mod docs;
mod events;
mod floors;
mod keys;
mod openapi;
mod origins;
mod rates;
mod sessions;
mod statistics;
mod stream;
