//! The park that the examples in the documentation run on.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Result, SmartPark};

/// Examples run beside each other in one process.
static EXAMPLES: AtomicU32 = AtomicU32::new(0);

/// Runs `example` on a new park with the four seeded floors, and removes it again.
///
/// # Panics
/// Where the example fails: that is what it is for.
#[expect(clippy::unwrap_used, reason = "an example that fails must fail its test")]
pub fn doctest(example: impl AsyncFnOnce(SmartPark) -> Result<()>) {
    let (process, number) = (std::process::id(), EXAMPLES.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(format!("smartpark-doctest-{process}-{number}"));
    std::fs::create_dir_all(&folder).unwrap();
    let url = format!("sqlite://{}/smartpark.db", folder.display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let park = SmartPark::open(&url).await.unwrap();
        park.seed().seed_floors().await.unwrap();
        example(park).await.unwrap();
    });
    std::fs::remove_dir_all(&folder).unwrap();
}
