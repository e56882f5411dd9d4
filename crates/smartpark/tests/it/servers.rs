//! Three servers on one PostgreSQL, 64 connections, and what may happen between them: the same
//! event sent to several, PostgreSQL that dies and comes back, connections that break off in the
//! middle of a commit. Whatever happens, each event counts once and nothing acknowledged is lost.

pub(crate) mod cars;
pub(crate) mod clients;
pub(crate) mod database;
mod ids;
mod proof;
pub(crate) mod proxy;
mod scenarios;
