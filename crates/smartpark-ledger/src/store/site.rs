//! What is known of the car park, as it is stored.

use crate::{Error, Result, SiteDetails, SiteRecord};

/// The texts of its columns: slug, name, time zone, and the details as JSON.
pub(super) type Columns = [String; 4];

/// The columns of a record.
pub(super) fn columns(record: &SiteRecord) -> Result<Columns> {
    let SiteRecord { slug, name, time_zone, details } = record;
    let internal = |fault| Error::Internal(format!("the site: {fault}"));
    // What is not known is not stored: so a new database has the columns of a new record.
    let mut details = serde_json::to_value(details).map_err(internal)?;
    if let Some(members) = details.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    let details = details.to_string();
    Ok([slug.clone(), name.clone(), time_zone.clone(), details])
}

/// The record in columns.
pub(super) fn record([slug, name, time_zone, details]: Columns) -> Result<SiteRecord> {
    let details: SiteDetails = serde_json::from_str(&details)
        .map_err(|fault| Error::Internal(format!("the site's details are damaged: {fault}")))?;
    Ok(SiteRecord { slug, name, time_zone, details })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_record_has_the_columns_of_a_new_database() {
        let columns = columns(&SiteRecord::default()).unwrap();
        assert_eq!(columns, ["default", "SmartPark", "UTC", "{}"]);
        assert_eq!(record(columns).unwrap(), SiteRecord::default());
    }
}
