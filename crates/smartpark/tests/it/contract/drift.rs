//! `check` finds what somebody changes in the schema. On each engine, since they declare it
//! differently.

use super::world::World;

/// A change of the schema, and what the report must say of it.
type Drift = (&'static str, &'static str);

const SQLITE: [Drift; 9] = [
    ("DROP INDEX uq_event_idempotency", "index uq_event_idempotency is missing"),
    ("DROP INDEX ix_event_timestamp", "index ix_event_timestamp is missing"),
    (
        "DROP INDEX ix_adjustment_floor_timestamp;
        CREATE UNIQUE INDEX ix_adjustment_floor_timestamp ON adjustments (floor_id, timestamp)",
        "index ix_adjustment_floor_timestamp is not as SmartPark made it",
    ),
    ("CREATE INDEX ix_more ON events (confidence)", "index ix_more on events is not SmartPark's"),
    (
        "CREATE TRIGGER tr_more AFTER INSERT ON events BEGIN SELECT 1; END",
        "trigger tr_more on events is not SmartPark's",
    ),
    ("ALTER TABLE events ADD COLUMN plate TEXT", "table events is not as SmartPark made it"),
    (
        "PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (total_slots >= 0)', 'CHECK (1)')
        WHERE name = 'floors';
        PRAGMA writable_schema = RESET",
        "table floors is not as SmartPark made it",
    ),
    (
        "PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'adjustments';
        PRAGMA writable_schema = RESET",
        "table adjustments is not as SmartPark made it",
    ),
    (
        "DROP VIEW floors_readable; CREATE VIEW floors_readable AS SELECT * FROM floors",
        "view floors_readable is not as SmartPark made it",
    ),
];

const POSTGRES: [Drift; 22] = [
    ("DROP INDEX uq_event_idempotency", "index uq_event_idempotency is missing"),
    ("DROP INDEX ix_event_timestamp", "index ix_event_timestamp is missing"),
    (
        "DROP INDEX ix_adjustment_floor_timestamp;
        CREATE UNIQUE INDEX ix_adjustment_floor_timestamp ON adjustments (floor_id, timestamp)",
        "index ix_adjustment_floor_timestamp is not as SmartPark made it",
    ),
    ("CREATE INDEX ix_more ON events (confidence)", "index ix_more on events is not SmartPark's"),
    (
        "CREATE INDEX ix_more ON events_before_2000 (confidence)",
        "index ix_more on events is not SmartPark's",
    ),
    (
        "UPDATE pg_index SET indisvalid = false
        WHERE indexrelid = 'ix_floor_updated_at'::regclass",
        "index ix_floor_updated_at is not as SmartPark made it",
    ),
    (
        "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER tr_more BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION more()",
        "trigger events.tr_more on events is not SmartPark's",
    ),
    (
        "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER tr_more BEFORE INSERT ON events_before_2000
            FOR EACH ROW EXECUTE FUNCTION more()",
        "trigger events_before_2000.tr_more on events_before_2000 is not SmartPark's",
    ),
    (
        "CREATE RULE ru_more AS ON DELETE TO adjustments DO INSTEAD NOTHING",
        "rule adjustments.ru_more on adjustments is not SmartPark's",
    ),
    (
        "ALTER TABLE floor_origins DISABLE TRIGGER ALL",
        "table floor_origins is not as SmartPark made it",
    ),
    ("ALTER TABLE event_hours SET UNLOGGED", "table event_hours is not as SmartPark made it"),
    ("ALTER TABLE floors ENABLE ROW LEVEL SECURITY", "table floors is not as SmartPark made it"),
    (
        "ALTER TABLE events ADD COLUMN plate text",
        "column events.plate on events is not SmartPark's",
    ),
    (
        "ALTER TABLE events_at_limit ALTER COLUMN floor_id TYPE integer",
        "column events_at_limit.floor_id is not as SmartPark made it",
    ),
    (
        "ALTER TABLE floors ALTER COLUMN description SET NOT NULL",
        "column floors.description is not as SmartPark made it",
    ),
    (
        "ALTER TABLE events ALTER COLUMN change DROP DEFAULT",
        "column events.change is not as SmartPark made it",
    ),
    (
        "ALTER TABLE floors DROP CONSTRAINT ck_floor_capacity",
        "constraint floors.ck_floor_capacity is missing",
    ),
    (
        "ALTER TABLE floors ADD CONSTRAINT ck_more CHECK (total_slots < 9999)",
        "constraint floors.ck_more on floors is not SmartPark's",
    ),
    (
        "ALTER TABLE events DROP CONSTRAINT fk_event_floor",
        "constraint events.fk_event_floor is missing",
    ),
    (
        "DROP VIEW floors_readable; CREATE VIEW floors_readable AS SELECT id FROM floors",
        "view floors_readable is not as SmartPark made it",
    ),
    ("ALTER SEQUENCE events_id_seq CYCLE", "sequence events_id_seq is not as SmartPark made it"),
    ("SELECT setval('floors_id_seq', 1, false)", "floors: the next id was given already"),
];

async fn expect_found(world: World, drifts: &[Drift]) {
    let mut missed = Vec::new();
    for (sql, said) in drifts {
        let world = world.another().await;
        world.floor("Ground", 3).await;
        world.park.floors().change_floor(1, described()).await.unwrap();
        world.assert_clean().await;
        world.execute(sql);
        let report = world.another_park().await.check(false).await.unwrap();
        if !report.violations.iter().any(|found| found.detail.contains(said)) {
            missed.push((*sql, report.violations));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

fn described() -> smartpark::FloorChange {
    smartpark::FloorChange { description: Some(Some("low".into())), ..Default::default() }
}

#[tokio::test]
async fn a_changed_schema_is_found_on_sqlite() {
    expect_found(World::sqlite().await, &SQLITE).await;
}

#[tokio::test]
async fn a_changed_schema_is_found_on_postgres() {
    expect_found(World::postgres().await, &POSTGRES).await;
}

/// A report of an administrator's own beside SmartPark's tables is nobody's fault.
#[tokio::test]
async fn what_others_keep_beside_is_not_reported() {
    for world in [World::sqlite().await, World::postgres().await] {
        world.execute(
            "CREATE TABLE notes (id integer PRIMARY KEY, body text);
            CREATE INDEX ix_notes ON notes (body);
            CREATE VIEW report AS SELECT name FROM floors",
        );
        world.assert_clean().await;
    }
}
