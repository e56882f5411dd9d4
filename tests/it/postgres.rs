//! A schema of its own for one test, in the PostgreSQL that `SMARTPARK_TEST_POSTGRES` names.

use std::{
    env,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use tokio::runtime::Builder;
use tokio_postgres::{Client, NoTls};

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
        let search = format!("SET search_path TO {}", self.name);
        on_a_thread(async |client| {
            batch(client, &search).await;
            let row = client.query_one(query, &[]).await;
            row.map_or(0, |row| row.get(0))
        })
    }

    /// Runs statements in this schema.
    pub(crate) fn execute(&self, sql: &str) {
        execute(&format!("SET search_path TO {}; {sql}", self.name));
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

fn server() -> String {
    env::var("SMARTPARK_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "the tests of PostgreSQL need a server: run scripts/test, which brings one, or set \
             SMARTPARK_TEST_POSTGRES=postgres://user@host/database"
        )
    })
}

fn execute(sql: &str) {
    on_a_thread(async |client| batch(client, sql).await);
}

/// Runs something with a connection, on a thread of its own, since a test may already stand on a
/// runtime.
fn on_a_thread<T: Send>(work: impl AsyncFnOnce(&Client) -> T + Send) -> T {
    let run = || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&server(), NoTls).await.unwrap();
            let driven = tokio::spawn(connection);
            let result = work(&client).await;
            drop(client);
            driven.await.unwrap().unwrap();
            result
        })
    };
    thread::scope(|scope| scope.spawn(run).join().unwrap())
}

async fn batch(client: &Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{error:?}: {sql}");
    }
}
