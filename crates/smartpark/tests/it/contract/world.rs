//! What the tests of the contract stand on: a park on a fresh database of some engine, with a
//! clock that the test sets, and short words for events.

use jiff::{SignedDuration, Timestamp};
use smartpark::{
    Clock, Direction, Floor, NewEvent, NewFloor, Options, Recorded, SmartPark, VehicleType,
};

use crate::postgres::Schema;

/// The time at which every test begins.
pub(crate) const NOW: &str = "2026-02-12T12:00:00Z";

/// A park of its own for one test.
pub(crate) struct World {
    pub(crate) park: SmartPark,
    pub(crate) clock: Clock,
    pub(crate) url: String,
    place: Place,
}

/// Where the data of a park is, for as long as the test runs.
pub(crate) enum Place {
    /// A folder with the file.
    Folder(tempfile::TempDir),
    /// A schema of a server.
    Schema(Schema),
}

impl Place {
    /// One for a new SQLite file.
    pub(crate) fn sqlite() -> Self {
        Self::Folder(tempfile::tempdir().unwrap())
    }

    /// One for a new schema of PostgreSQL.
    pub(crate) fn postgres() -> Self {
        Self::Schema(Schema::new())
    }

    /// The URL of the database there.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Folder(folder) => format!("sqlite://{}/smartpark.db", folder.path().display()),
            Self::Schema(schema) => schema.url(),
        }
    }

    /// Every row of every table, as the engine holds them, but for the numbers of refusals: what
    /// is refused leaves a trace there, and nowhere else.
    pub(crate) fn rows(&self) -> String {
        match self {
            Self::Folder(folder) => rows_of_file(&folder.path().join("smartpark.db")),
            Self::Schema(schema) => schema.ask(
                // A month is part of its table; one that is made ahead holds nothing.
                "SELECT string_agg(relname || query_to_xml(
                     format('SELECT * FROM %I', relname), true, false, '')::text,
                     '' ORDER BY relname)
                 FROM pg_class
                 WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
                     AND NOT relispartition AND relname NOT IN ('refusals', 'not_counted')",
            ),
        }
    }
}

fn rows_of_file(path: &std::path::Path) -> String {
    let database = rusqlite::Connection::open(path).unwrap();
    let mut tables = database
        .prepare(
            "SELECT name FROM sqlite_schema
             WHERE type = 'table' AND name NOT IN ('refusals', 'not_counted') ORDER BY name",
        )
        .unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let told = |table: String| table.clone() + &rows_of_table(&database, &table).concat();
    tables.map(Result::unwrap).map(told).collect()
}

/// All rows of a table of SQLite, each as text.
fn rows_of_table(database: &rusqlite::Connection, table: &str) -> Vec<String> {
    let mut statement = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns = statement.column_count();
    let text = |row: &rusqlite::Row<'_>| {
        let values = (0..columns).map(|place| row.get_ref(place));
        Ok(format!("{:?}", values.collect::<rusqlite::Result<Vec<_>>>()?))
    };
    let rows = statement.query_map([], text).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

/// Runs a test on a new park of each engine: `name::sqlite` and `name::postgres`.
macro_rules! on_every_engine {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident) $body:block)*) => {
        $(async fn $name($world: $crate::contract::world::World) $body

        mod $name {
            $(#[$meta])*
            #[tokio::test]
            async fn sqlite() {
                super::$name($crate::contract::world::World::sqlite().await).await;
            }

            $(#[$meta])*
            #[tokio::test]
            async fn postgres() {
                super::$name($crate::contract::world::World::postgres().await).await;
            }
        })*
    };
}
pub(crate) use on_every_engine;

impl World {
    /// A park on a new SQLite file.
    pub(crate) async fn sqlite() -> Self {
        Self::at(Place::sqlite()).await
    }

    /// A park in a new schema of PostgreSQL.
    pub(crate) async fn postgres() -> Self {
        Self::at(Place::postgres()).await
    }

    async fn at(place: Place) -> Self {
        let url = place.url();
        let clock = Clock::fixed(instant(NOW));
        let options = Options { clock: clock.clone(), ..Options::default() };
        let park = SmartPark::open_with(&url, options).await.unwrap();
        Self { park, clock, url, place }
    }

    /// Lets the clock go on to so many seconds after the beginning.
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.set(after(seconds));
    }

    /// A new park on the engine of this one.
    pub(crate) async fn another(&self) -> Self {
        match self.place {
            Place::Folder(_) => Self::sqlite().await,
            Place::Schema(_) => Self::postgres().await,
        }
    }

    /// Another park on the same database, as another process has one.
    pub(crate) async fn another_park(&self) -> SmartPark {
        let options = Options { clock: self.clock.clone(), ..Options::default() };
        SmartPark::connect(&self.url, options).await.unwrap()
    }

    /// SQL for 7 µs after the column `timestamp`.
    pub(crate) fn later(&self) -> &'static str {
        match self.place {
            Place::Folder(_) => "timestamp + 7",
            Place::Schema(_) => "timestamp + interval '7 microseconds'",
        }
    }

    /// Runs statements on the database itself, beside the park.
    pub(crate) fn execute(&self, sql: &str) {
        match &self.place {
            Place::Folder(_) => {
                let path = self.url.strip_prefix("sqlite://").unwrap();
                rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
            }
            Place::Schema(schema) => schema.execute(sql),
        }
    }

    /// All rows of a table, as text, sorted.
    pub(crate) fn rows(&self, table: &str) -> Vec<String> {
        let Place::Schema(schema) = &self.place else {
            let path = self.url.strip_prefix("sqlite://").unwrap();
            let mut rows = rows_of_table(&rusqlite::Connection::open(path).unwrap(), table);
            rows.sort();
            return rows;
        };
        let sql = format!("SELECT string_agg(t::text, chr(10) ORDER BY t::text) FROM {table} t");
        schema.ask(&sql).lines().map(str::to_owned).collect()
    }

    /// A new floor.
    pub(crate) async fn floor(&self, name: &str, slots: i64) -> Floor {
        self.park.floors().add_floor(NewFloor::new(name, slots)).await.unwrap()
    }

    /// The count of a floor now.
    pub(crate) async fn count(&self, floor: &Floor) -> i64 {
        self.park.floors().get_floor_by_id(floor.id).await.unwrap().unwrap().current_vehicles
    }

    /// Records an event that must be accepted.
    pub(crate) async fn record(&self, event: NewEvent) -> Recorded {
        self.park.events().record_event(event).await.unwrap()
    }

    /// The stored data must hold against every invariant.
    pub(crate) async fn assert_clean(&self) {
        let report = self.park.check(false).await.unwrap();
        assert!(report.is_clean(), "{:#?}", report.violations);
    }
}

/// An instant from its text.
pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An instant so many seconds after the beginning of the test (before it where negative).
pub(crate) fn after(seconds: i64) -> Timestamp {
    instant(NOW) + SignedDuration::from_secs(seconds)
}

/// A car comes in, so many seconds after the beginning.
pub(crate) fn entry(floor: &Floor, track: &str, seconds: i64) -> NewEvent {
    car(floor, track, Direction::Entry, seconds)
}

/// A car goes out, so many seconds after the beginning.
pub(crate) fn exit(floor: &Floor, track: &str, seconds: i64) -> NewEvent {
    car(floor, track, Direction::Exit, seconds)
}

fn car(floor: &Floor, track: &str, direction: Direction, seconds: i64) -> NewEvent {
    NewEvent::new("cam_001", floor.id, track, VehicleType::Car, direction).at(after(seconds))
}
