//! SmartPark counts every car once.
//!
//! Cameras at the ramps of a car park send an event for each vehicle that crosses a line. The
//! stream is retried, duplicated, late and shuffled; SmartPark turns it into exact counts:
//! **each event counts once, the same facts give the same count in any order, and nothing that
//! was acknowledged is lost.**
//!
//! ```
//! use smartpark_ledger::{Direction, NewEvent, NewFloor, SmartPark, VehicleType};
//!
//! # async fn example() -> smartpark_ledger::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let url = format!("sqlite://{}/smartpark.db", folder.path().display());
//! let park = SmartPark::open(&url).await?;
//! let ground = park.floors().add_floor(NewFloor::new("Ground Floor", 50)).await?;
//! let seen = NewEvent::new("cam_001", ground.id, "t1", VehicleType::Car, Direction::Entry)
//!     .at("2026-02-12T10:30:45Z".parse().unwrap());
//! let first = park.events().record_event(seen.clone()).await?;
//! let again = park.events().record_event(seen).await?;
//! assert!(again.duplicate && again.event.id == first.event.id);
//! assert_eq!(again.floor.available_slots(), 49);
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! The operations are grouped as the design groups them: [`FloorOperations`],
//! [`EventOperations`], [`KeyOperations`], [`Migrations`], [`Seed`], and [`SmartPark::check`].

mod attention;
mod backups;
pub mod check;
pub mod clock;
mod codes;
pub mod copy;
mod decide;
mod doctest;
pub mod error;
mod estimates;
mod events;
mod floors;
mod forgetting;
mod history;
pub mod keys;
pub mod limits;
pub mod live;
#[doc(hidden)]
pub mod metrics;
#[doc(hidden)]
pub mod not_counted;
mod options;
mod park;
#[doc(hidden)]
pub mod planted;
#[doc(hidden)]
pub mod private;
#[doc(hidden)]
pub mod recorder;
#[doc(hidden)]
pub mod refusals;
mod replica;
mod reports;
mod resend;
mod restore;
mod schema;
mod seed;
mod site;
mod states;
mod store;
mod sync;
mod trust;
mod withdrawals;

pub use smartpark_core::*;

pub use backups::{BackupMade, BackupPlan, BackupStatus};
pub use clock::Clock;
#[doc(hidden)]
pub use doctest::doctest;
pub use error::{Error, Result};
pub use estimates::{
    Arrival, CameraJudgement, CameraQuality, DriftHistory, DriftStep, EstimateOperations,
    FloorDrift, FloorForecast, SiteDrift, SiteForecast, Today,
};
pub use events::EventOperations;
pub use floors::FloorOperations;
pub use forgetting::{HorizonRepair, Nightly};
pub use keys::{IssuedKey, KeyOperations, Secret};
pub use options::{CameraLine, FloorName, Options};
pub use park::{ServerLock, SmartPark};
pub use replica::Reading;
pub use restore::{RestoreStep, Restored, restore};
pub use schema::{DatabaseStats, Migrations, TableInfo};
pub use seed::{Seed, Stock};
pub use states::StateChange;
pub use withdrawals::WithdrawalOperations;
