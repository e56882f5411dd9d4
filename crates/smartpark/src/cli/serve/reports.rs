//! Reports that the server writes by itself: of each month, some hours after it has ended.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use smartpark_formats::report;
use tokio::time::sleep;

use crate::{
    Error, SmartPark,
    limits::{REPORT_DELAY, REPORT_LOOK_INTERVAL},
    private,
    report::{Report, ReportPeriod},
};

/// Writes the report of each month that is over, as a page and as a table, for as long as it is
/// polled. A report that is there already is left as it is.
pub(super) async fn write_monthly(park: SmartPark, folder: Option<PathBuf>) {
    let Some(folder) = folder else { return };
    loop {
        match write_due(&park, &folder).await {
            Ok(None) => {}
            Ok(Some(file)) => tracing::info!(file = %file.display(), "report written"),
            Err(fault) => tracing::error!(
                "the report of the last month was not written: {fault}. It is tried again; see \
                 that the folder is there and may be written to"
            ),
        }
        sleep(REPORT_LOOK_INTERVAL).await;
    }
}

async fn write_due(park: &SmartPark, folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let Some(period) = last_month(park).await else { return Ok(None) };
    let file = folder.join(format!("report-{}.html", period.name));
    if file.exists() {
        return Ok(None);
    }
    let made = match park.get_report(&period).await {
        // The site is younger, or has forgotten that month.
        Err(Error::TooOld { .. }) => return Ok(None),
        made => made?,
    };
    if is_empty(&made) {
        return Ok(None);
    }
    // The page last: it says that both are there.
    write(&file.with_extension("csv"), &report::csv(&made))?;
    write(&file, &report::page(&made))?;
    Ok(Some(file))
}

/// The last month that is over, and whose late events have had time to come.
async fn last_month(park: &SmartPark) -> Option<ReportPeriod> {
    let zone = park.time_zone().await;
    let then = park.now().checked_sub(REPORT_DELAY).ok()?;
    ReportPeriod::month(zone.to_datetime(then).date())?.before()
}

/// Whether nothing happened, as in the months before the first event.
fn is_empty(made: &Report) -> bool {
    made.figures.entries + made.figures.exits == 0 && made.figures.highest == 0
}

/// Writes a file that is there as a whole or not at all.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let failed = |fault| anyhow::anyhow!("{}: {fault}", file.display());
    let new = file.with_extension("new");
    let mut open = private::create(&new).map_err(failed)?;
    open.write_all(text.as_bytes()).and_then(|()| open.sync_all()).map_err(failed)?;
    fs::rename(&new, file).map_err(failed)
}
