//! Estimates: what comes next, and how far counts may be off.
//!
//! Everything is computed from stored facts when somebody asks; nothing is stored. One process
//! keeps the folded days of the floors that were asked about last, and looks at each question
//! which of them changed since: so late facts, other servers and cleanups are always seen, and
//! the answer is the same whether anything was kept or not.

mod cameras;
mod drift;
mod forecast;
mod memory;
mod survey;
mod train;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::tz::TimeZone;

pub use cameras::{CameraJudgement, CameraQuality};
pub use drift::{DriftHistory, DriftStep, FloorDrift, SiteDrift};
pub use forecast::{Arrival, FloorForecast, SiteForecast};

use crate::{Error, Result, SmartPark, limits::MAX_OBSERVED_FLOORS};
use memory::FloorMemory;
use survey::Survey;
use train::Groups;

/// The operations that estimate; from [`SmartPark::estimates`].
#[derive(Clone, Copy, Debug)]
pub struct EstimateOperations<'a> {
    pub(crate) park: &'a SmartPark,
}

/// What a process keeps for estimates.
#[derive(Debug, Default)]
pub(crate) struct Estimates {
    floors: Mutex<Floors>,
    groups: Mutex<Groups>,
    survey: Mutex<Survey>,
    /// The last judgement of cameras, and its hour since 1970.
    cameras: Mutex<Option<(i64, CameraQuality)>>,
}

#[derive(Debug, Default)]
struct Floors {
    uses: u64,
    kept: HashMap<i64, (u64, Arc<tokio::sync::Mutex<FloorMemory>>)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Estimates {
    /// What is kept of a floor. If there are too many, the floor goes that was not used longest.
    fn floor(&self, floor_id: i64) -> Arc<tokio::sync::Mutex<FloorMemory>> {
        let mut floors = lock(&self.floors);
        floors.uses += 1;
        let uses = floors.uses;
        let (used, memory) = floors.kept.entry(floor_id).or_default();
        *used = uses;
        let memory = Arc::clone(memory);
        while floors.kept.len() > MAX_OBSERVED_FLOORS {
            let oldest = floors.kept.iter().min_by_key(|(_, (used, _))| *used);
            let Some(id) = oldest.map(|(id, _)| *id) else { break };
            floors.kept.remove(&id);
        }
        memory
    }
}

impl SmartPark {
    /// The time zone of the site: that of its record, or the one of the options as long as the
    /// record has none but UTC.
    pub async fn time_zone(&self) -> TimeZone {
        let record = self.site().await.ok().filter(|site| site.time_zone != "UTC");
        record.map_or_else(|| self.options.time_zone.clone(), |site| site.zone())
    }
}

/// Runs work that keeps a processor busy, beside the tasks that answer others.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|fault| Error::Internal(format!("an estimate failed: {fault}")))
}
