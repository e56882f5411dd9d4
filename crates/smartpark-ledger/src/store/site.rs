//! What is known of the car park, as it is stored.

use crate::{Error, Result, SiteDetails, SiteRecord};

/// The texts of its columns: slug, name, time zone, and the details as JSON.
pub(super) type Columns = [String; 4];

/// The columns of a record.
pub(super) fn columns(record: &SiteRecord) -> Result<Columns> {
    let SiteRecord { slug, name, time_zone, details } = record;
    let details = serde_json::to_string(details);
    let details = details.map_err(|fault| Error::Internal(format!("the site: {fault}")))?;
    Ok([slug.clone(), name.clone(), time_zone.clone(), details])
}

/// The record in columns.
pub(super) fn record([slug, name, time_zone, details]: Columns) -> Result<SiteRecord> {
    let details: SiteDetails = serde_json::from_str(&details)
        .map_err(|fault| Error::Internal(format!("the site's details are damaged: {fault}")))?;
    Ok(SiteRecord { slug, name, time_zone, details })
}
