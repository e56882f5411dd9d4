//! What is known of the car park.

use serde_json::{Map, Value};

use crate::{Error, Result, SiteRecord, SmartPark};

/// How often a change is tried when others change the site meanwhile.
const ATTEMPTS: usize = 20;

impl SmartPark {
    /// What is known of the car park beside its floors. Its time zone decides when a day begins.
    ///
    /// ```
    /// # smartpark_ledger::doctest(async |park| {
    /// let patch = serde_json::json!({"name": "North", "time_zone": "Europe/Berlin"});
    /// park.change_site(patch.as_object().unwrap()).await?;
    /// assert_eq!(park.site().await?.name, "North");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn site(&self) -> Result<SiteRecord> {
        self.engine.site().await
    }

    /// Puts these members in the place of the record's own; `null` takes an optional one out. Two
    /// changes at one time of different members both hold.
    ///
    /// # Errors
    /// [`Error::Invalid`] names every member that does not fit; [`Error::Overloaded`] if others
    /// change it all the time; [`Error::Unavailable`].
    pub async fn change_site(&self, patch: &Map<String, Value>) -> Result<SiteRecord> {
        for _ in 0..ATTEMPTS {
            let old = self.engine.site().await?;
            let new = old.patched(patch).map_err(Error::Invalid)?;
            if new == old || self.engine.replace_site(old, new.clone()).await? {
                return Ok(new);
            }
        }
        Err(Error::Overloaded)
    }
}
