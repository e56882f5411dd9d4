//! Every behaviour, through the public interfaces.

mod cli;
mod contract;
mod crash;
mod hostile;
mod http;
mod postgres;
mod server;
mod servers;
mod tidy;
