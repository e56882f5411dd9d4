//! A schema of its own for one test, in the PostgreSQL that `SMARTPARK_TEST_POSTGRES` names; and
//! what only PostgreSQL does: many servers, faults, standbys.

mod cluster;
mod copies;
mod faults;
mod forgetting;
mod frozen;
mod hosts;
mod many;
mod months;
mod stalled;
mod standby;
mod tls;

use std::{
    env,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use tokio::runtime::Builder;
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// A schema that is removed, with all that is in it, when it is dropped.
pub(crate) struct Schema {
    name: String,
}

impl Schema {
    /// A new schema without tables.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        execute(&format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}"));
        Self { name }
    }

    /// The URL of a database in which this schema is the only one to be seen.
    pub(crate) fn url(&self) -> String {
        let server = server();
        let joint = if server.contains('?') { '&' } else { '?' };
        format!("{server}{joint}options=-c%20search_path%3D{}", self.name)
    }

    /// The number that a query in this schema finds; 0 where it fails.
    pub(crate) fn number(&self, query: &str) -> i64 {
        let found = ask(&server(), &format!("SET search_path TO {}; {query}", self.name));
        found.ok().flatten().map_or(0, |number| number.parse().unwrap())
    }

    /// Runs statements in this schema.
    pub(crate) fn execute(&self, sql: &str) {
        self.ask(sql);
    }

    /// The same; returns the first value of the last row.
    pub(crate) fn ask(&self, sql: &str) -> String {
        let sql = format!("SET search_path TO {}; {sql}", self.name);
        expect(&server(), &sql).unwrap_or_default()
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // A transaction that the test gave up ends with its runtime, which waits for this.
        execute(&format!(
            "SELECT pg_terminate_backend(l.pid)
             FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
             WHERE c.relnamespace = '{0}'::regnamespace AND l.pid <> pg_backend_pid();
             DROP SCHEMA IF EXISTS {0} CASCADE",
            self.name
        ));
    }
}

/// The port of a URL.
fn port(url: &str) -> u16 {
    let config: tokio_postgres::Config = url.parse().unwrap();
    config.get_ports().first().copied().unwrap_or(5432)
}

fn server() -> String {
    env::var("SMARTPARK_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "the tests of PostgreSQL need a server: run scripts/test, which brings one, or set \
             SMARTPARK_TEST_POSTGRES=postgres://user@host/database"
        )
    })
}

fn execute(sql: &str) {
    expect(&server(), sql);
}

/// [`ask`] where it must go well.
fn expect(url: &str, sql: &str) -> Option<String> {
    ask(url, sql).unwrap_or_else(|error| panic!("{error:?}: {sql}"))
}

/// Runs statements on a thread of their own, since a test may already stand on a runtime. Returns
/// the first column of the first row of the last one, if there is one.
fn ask(url: &str, sql: &str) -> Result<Option<String>, tokio_postgres::Error> {
    let run = || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
            let driven = tokio::spawn(connection);
            let told = client.simple_query(sql).await;
            drop(client);
            driven.await.unwrap().unwrap();
            let rows = told?.into_iter().filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            });
            Ok(rows.last())
        })
    };
    thread::scope(|scope| scope.spawn(run).join().unwrap())
}
