//! Every behaviour, through the public interfaces.

mod cli;
mod contract;
mod crash;
mod faults;
mod hostile;
mod http;
mod mqtt;
mod postgres;
mod pushes;
mod scrape;
mod server;
mod servers;
mod streams;
mod tidy;
mod webhooks;
