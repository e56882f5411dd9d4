//! Feeds that SmartPark sends by itself: the whole state each time, every so often and soon after a
//! change. A target that fails is tried again with the state of then; nothing is queued.

mod http;

use std::time::Duration;

use smartpark_exchange::Sites;
use smartpark_formats::{
    config::{Push, PushTarget},
    feed::{NgsiForm, SiteView, ngsi, ngsi_v2_update, parkapi_v3},
};
use smartpark_ledger::SmartPark;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use crate::limits::{PUSH_AFTER_CHANGE, PUSH_FIRST_PAUSE, PUSH_LONGEST_PAUSE};
use http::{Http, Request};

/// The task that sends to one target.
#[derive(Debug)]
pub struct PushTask {
    park: SmartPark,
    sites: Sites,
    push: Push,
    password: Option<String>,
}

impl PushTask {
    /// The task of this target. `password` is what stands in the file that the configuration names.
    #[must_use]
    pub fn new(park: SmartPark, sites: Sites, push: Push, password: Option<String>) -> Self {
        Self { park, sites, push, password }
    }

    /// Runs until `stopping` becomes true.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        tokio::select! {
            () = self.send_all() => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    async fn send_all(&self) {
        let http = Http::new(&self.push.url);
        let mut changes = self.park.changes();
        let mut pause = PUSH_FIRST_PAUSE;
        loop {
            let begun = Instant::now();
            changes.borrow_and_update();
            match self.send(&http).await {
                Ok(()) => pause = PUSH_FIRST_PAUSE,
                Err(why) => {
                    self.tell(&why);
                    sleep(pause).await;
                    pause = (2 * pause).min(PUSH_LONGEST_PAUSE);
                    continue;
                }
            }
            tokio::select! {
                () = sleep_until(begun + self.push.every) => {}
                changed = changes.changed() => {
                    if changed.is_err() {
                        // Nobody tells of changes any more: the rhythm stays.
                        sleep_until(begun + self.push.every).await;
                    }
                    // Several changes share one message.
                    sleep(PUSH_AFTER_CHANGE).await;
                }
            }
        }
    }

    async fn send(&self, http: &Http) -> Result<(), String> {
        let sites = self.sites.views().await.map_err(|error| error.to_string())?;
        let request = request(&self.push.target, &sites, self.password.as_deref());
        let answer = http.send(request).await?;
        judge(&self.push.target, answer.status, &answer.body)
    }

    fn tell(&self, why: &str) {
        let (kind, host) = (kind(&self.push.target), &self.push.url.host);
        tracing::warn!("the push to {host} ({kind}) failed: {why}");
        let detail = format!("push to {host} ({kind}): {why}");
        self.park.events().note_not_counted(None, "push_failed", &detail);
    }
}

fn kind(target: &PushTarget) -> &'static str {
    match target {
        PushTarget::ParkApiV3 { .. } => "parkapi-v3",
        PushTarget::NgsiLd { .. } => "ngsi-ld",
        PushTarget::NgsiV2 { .. } => "ngsi-v2",
    }
}

/// What is sent to a target.
fn request(target: &PushTarget, sites: &[SiteView], password: Option<&str>) -> Request {
    match target {
        PushTarget::ParkApiV3 { source, .. } => Request {
            path: "/api/admin/v1/parking-sites/upsert-list",
            content_type: "application/json",
            header: None,
            basic: Some((source.clone(), password.unwrap_or_default().to_owned())),
            body: parkapi_v3(sites),
        },
        PushTarget::NgsiLd { tenant } => Request {
            path: "/ngsi-ld/v1/entityOperations/upsert?options=update",
            content_type: "application/ld+json",
            header: tenant.clone().map(|tenant| ("ngsild-tenant", tenant)),
            basic: None,
            body: ngsi(sites, NgsiForm::Normalized),
        },
        PushTarget::NgsiV2 { tenant } => Request {
            path: "/v2/op/update",
            content_type: "application/json",
            header: tenant.clone().map(|tenant| ("fiware-service", tenant)),
            basic: None,
            body: ngsi_v2_update(sites),
        },
    }
}

/// Whether a target took all of it. ParkAPI answers 200 and names refused items in `errors`; an
/// NGSI-LD broker answers 207 if it refused some.
fn judge(target: &PushTarget, status: u16, body: &[u8]) -> Result<(), String> {
    let is_taken = (200..300).contains(&status) && status != 207;
    if !is_taken {
        return Err(format!("it answered {status}"));
    }
    if !matches!(target, PushTarget::ParkApiV3 { .. }) {
        return Ok(());
    }
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    match answer["errors"].as_array().map_or(0, Vec::len) {
        0 => Ok(()),
        refused => Err(format!("it refused {refused} of the sites")),
    }
}

/// A change is to show within ten seconds.
const _: () = assert!(PUSH_AFTER_CHANGE.as_millis() < Duration::from_secs(10).as_millis());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_200_may_hold_errors() {
        let parkapi = PushTarget::ParkApiV3 { source: "s".into(), password_file: "f".into() };
        let ngsi = PushTarget::NgsiLd { tenant: None };
        let table: [(&PushTarget, u16, &[u8], bool); 7] = [
            (&parkapi, 200, br#"{"items":[{}],"errors":[]}"#, true),
            (&parkapi, 200, br#"{"items":[],"errors":[{"message":"no"}]}"#, false),
            (&parkapi, 401, b"", false),
            (&ngsi, 201, b"[]", true),
            (&ngsi, 204, b"", true),
            (&ngsi, 207, br#"{"errors":[]}"#, false),
            (&ngsi, 503, b"", false),
        ];
        for (target, status, body, is_taken) in table {
            assert_eq!(judge(target, status, body).is_ok(), is_taken, "{status}");
        }
    }
}
