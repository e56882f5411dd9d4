//! What a receiver is told of cameras: which fell silent or are heard again, and whose events were
//! refused. It is drawn from what needs attention; what was told already is remembered. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smartpark_ledger::{AttentionItem, AttentionKind};

/// The notices about cameras that the receiver was told and that still hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Messages of this kind so far.
    told: u64,
    /// Cameras that are silent.
    silent: BTreeSet<String>,
    /// Cameras (empty for events that name none) and reasons of refused events.
    refused: BTreeSet<(String, String)>,
}

/// Something that is to be told of a camera.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Notice {
    pub(super) kind: &'static str,
    pub(super) camera: String,
    /// A text that no other notice of the webhook has.
    pub(super) fact: String,
    pub(super) at: Timestamp,
    pub(super) data: Value,
    /// The notices that hold after the receiver was told this one.
    pub(super) then: Known,
}

impl Known {
    /// All that holds now, as if it had been told.
    pub(super) fn now(items: &[AttentionItem]) -> Self {
        Self { told: 0, silent: silent(items), refused: refused(items) }
    }

    /// The next thing to tell, and otherwise what is known now: what was refused long ago is
    /// forgotten without a word.
    pub(super) fn next(&self, items: &[AttentionItem], now: Timestamp) -> Result<Notice, Self> {
        let (silent, refused) = (silent(items), refused(items));
        let mut then = self.clone();
        then.told += 1;
        if let Some(camera) = silent.difference(&self.silent).next() {
            then.silent.insert(camera.clone());
            let item = items.iter().find(|item| item.camera_id.as_ref() == Some(camera));
            let last = item.and_then(|item| item.last);
            let data = json!({ "camera_id": camera, "last_event": last });
            return Ok(self.notice("camera.silent", (camera, ""), now, data, then));
        }
        if let Some(camera) = self.silent.difference(&silent).next() {
            then.silent.remove(camera);
            let data = json!({ "camera_id": camera });
            return Ok(self.notice("camera.heard", (camera, ""), now, data, then));
        }
        if let Some((camera, reason)) = refused.difference(&self.refused).next() {
            then.refused.insert((camera.clone(), reason.clone()));
            let named = (!camera.is_empty()).then_some(camera);
            let data = json!({ "camera_id": named, "reason": reason });
            return Ok(self.notice("events.refused", (camera, reason), now, data, then));
        }
        Err(Self { told: self.told, silent, refused })
    }

    fn notice(
        &self,
        kind: &'static str,
        (camera, reason): (&str, &str),
        at: Timestamp,
        data: Value,
        then: Self,
    ) -> Notice {
        let fact = format!("notice {} {reason} {camera}", self.told);
        Notice { kind, camera: camera.to_owned(), fact, at, data, then }
    }
}

fn silent(items: &[AttentionItem]) -> BTreeSet<String> {
    let silent = items.iter().filter(|item| item.kind == AttentionKind::CameraSilent);
    silent.filter_map(|item| item.camera_id.clone()).collect()
}

fn refused(items: &[AttentionItem]) -> BTreeSet<(String, String)> {
    let refused = items.iter().filter(|item| item.kind == AttentionKind::EventsRefused);
    let name = |item: &AttentionItem| {
        let camera = item.camera_id.clone().unwrap_or_default();
        Some((camera, item.reason?.as_str().to_owned()))
    };
    refused.filter_map(name).collect()
}
