//! Every behaviour, through the public interfaces.

mod contract;
mod http;
mod server;
