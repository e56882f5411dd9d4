//! Every behaviour, through the public interfaces.

mod cli;
mod contract;
mod crash;
mod http;
mod server;
mod tidy;
