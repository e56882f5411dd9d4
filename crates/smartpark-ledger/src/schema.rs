//! The operations on the tables.

use crate::{Result, SmartPark};

/// The operations on the tables; from [`SmartPark::migrations`].
#[derive(Clone, Copy, Debug)]
pub struct Migrations<'a> {
    pub(crate) park: &'a SmartPark,
}

/// A table, its columns and its indexes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TableInfo {
    /// The table's name.
    pub name: String,
    /// Its columns in order.
    pub columns: Vec<String>,
    /// Its indexes by name.
    pub indexes: Vec<String>,
    /// How many rows it has.
    pub rows: u64,
}

/// How much the database holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DatabaseStats {
    /// Floors, also those that are not active.
    pub floors: u64,
    /// Events that are stored.
    pub events: u64,
    /// Adjustments.
    pub adjustments: u64,
    /// The schema's version.
    pub schema_version: u32,
    /// The retention horizon as an RFC 3339 instant, if there is one.
    pub horizon: Option<String>,
    /// The size of the database in bytes.
    pub size_bytes: u64,
}

impl Migrations<'_> {
    /// Makes the tables that are missing and brings older ones up to this version. Does nothing
    /// where all is current. ([`SmartPark::open`] has done it already.)
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// park.migrations().create_tables().await?;
    /// assert!(park.migrations().check_tables_exist().await?);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unusable`](crate::Error::Unusable) for a newer or a changed schema;
    /// [`Error::Unavailable`](crate::Error::Unavailable).
    pub async fn create_tables(self) -> Result<()> {
        self.park.engine.create_tables().await
    }

    /// Whether all tables of this version exist.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable).
    pub async fn check_tables_exist(self) -> Result<bool> {
        self.park.engine.check_tables_exist().await
    }

    /// The tables with their columns, indexes and numbers of rows.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let tables = park.migrations().get_table_info().await?;
    /// let events = tables.iter().find(|table| table.name == "events").unwrap();
    /// assert!(events.indexes.iter().any(|index| index == "uq_event_idempotency"));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable).
    pub async fn get_table_info(self) -> Result<Vec<TableInfo>> {
        self.park.engine.table_info().await
    }

    /// How much the database holds.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let stats = park.migrations().get_database_stats().await?;
    /// assert_eq!((stats.floors, stats.events), (4, 0));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable).
    pub async fn get_database_stats(self) -> Result<DatabaseStats> {
        self.park.engine.database_stats().await
    }

    /// The size of the database in bytes, which is known at once however much it holds.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable).
    pub async fn get_database_size(self) -> Result<u64> {
        self.park.engine.size_bytes().await
    }
}
