//! What a webhook does next. Pure: it is asked, and told what it asked for.
//!
//! The position moves over a fact only after the message of that fact is settled. So a server that
//! is killed at any point reads the fact again and sends the same message with the same id.

use jiff::Timestamp;
use serde_json::{Value, json};
use smartpark_ledger::{AttentionItem, Floor, PlacedFact, Position, SiteFact};

use super::{
    levels::Standing,
    notices::{Known, Notice},
    record::Record,
    schedule::Outcome,
};
use crate::limits::{WEBHOOK_LOOK, WEBHOOK_STORE};

/// What a webhook wants to be told of.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) kinds: Vec<String>,
    /// The ids of floors; all if none.
    pub(super) floors: Option<Vec<i64>>,
}

impl Wanted {
    fn takes(&self, kind: &str) -> bool {
        self.kinds.iter().any(|wanted| wanted == kind)
    }

    fn takes_floor(&self, floor_id: i64) -> bool {
        self.floors.as_ref().is_none_or(|floors| floors.contains(&floor_id))
    }

    fn takes_cameras(&self) -> bool {
        ["camera.silent", "camera.heard", "events.refused"].iter().any(|kind| self.takes(kind))
    }
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    pub(super) kind: &'static str,
    /// A text that no other fact of the site has: the message's id is made of it.
    pub(super) fact: String,
    /// When it happened.
    pub(super) at: Timestamp,
    /// When that was recorded.
    pub(super) recorded: Timestamp,
    /// What it is about, as `floor/1`.
    pub(super) subject: String,
    pub(super) data: Value,
    then: Then,
}

impl Message {
    /// The message of a test; nothing follows from it.
    pub(super) fn test(data: Value, now: Timestamp) -> Self {
        Self {
            kind: "webhook.test",
            fact: now.as_microsecond().to_string(),
            at: now,
            recorded: now,
            subject: "webhook".to_owned(),
            data,
            then: Then::Notice(Known::default()),
        }
    }
}

/// What holds once the message is settled.
#[derive(Clone, Debug, PartialEq)]
enum Then {
    Fact { position: Position, floor_id: i64, standing: Standing },
    Notice(Known),
}

/// What the machine needs next.
#[derive(Debug, PartialEq)]
pub(super) enum Ask<'a> {
    /// The facts after this position, with the floors as they are now.
    Facts(Position),
    /// What needs attention.
    Attention,
    /// This message is to be sent.
    Send(&'a Message),
    /// The record is to be stored.
    Store,
    /// Nothing before this instant, unless something is committed.
    Wait(Timestamp),
    /// Nothing until a person switches the webhook on.
    Off,
}

/// One webhook.
#[derive(Debug)]
pub(super) struct Machine {
    record: Record,
    wanted: Wanted,
    message: Option<Message>,
    /// Whether all facts are read that are known of.
    is_read: bool,
    /// When attention was looked at last.
    looked: Option<Timestamp>,
    /// Whether the message that was settled is not stored yet.
    must_store: bool,
    /// Since when something is not stored that may be read again.
    unstored_since: Option<Timestamp>,
}

impl Machine {
    pub(super) fn new(record: Record, wanted: Wanted) -> Self {
        Self {
            record,
            wanted,
            message: None,
            is_read: false,
            looked: None,
            must_store: false,
            unstored_since: None,
        }
    }

    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// Something was committed.
    pub(super) fn wake(&mut self) {
        self.is_read = false;
    }

    pub(super) fn ask(&self, now: Timestamp) -> Ask<'_> {
        let store_at =
            self.unstored_since.map(|since| since.checked_add(WEBHOOK_STORE).unwrap_or(now));
        if self.must_store || store_at.is_some_and(|at| at <= now) {
            return Ask::Store;
        }
        if self.record.attempts.is_off {
            return Ask::Off;
        }
        if let Some(message) = &self.message {
            return match self.record.attempts.wait_until(now) {
                Some(until) => Ask::Wait(until),
                None => Ask::Send(message),
            };
        }
        if !self.is_read {
            return Ask::Facts(self.record.position);
        }
        let look_at = self.looked.map_or(now, |at| at.checked_add(WEBHOOK_LOOK).unwrap_or(now));
        if self.wanted.takes_cameras() && (look_at <= now || self.looked > Some(now)) {
            return Ask::Attention;
        }
        let idle = now.checked_add(WEBHOOK_STORE).unwrap_or(now);
        let look_at = if self.wanted.takes_cameras() { look_at } else { idle };
        Ask::Wait(look_at.min(store_at.unwrap_or(idle)))
    }

    /// The facts that were asked for. Walks to the first one that is to be told.
    pub(super) fn told_facts(&mut self, facts: &[PlacedFact], floors: &[Floor], now: Timestamp) {
        self.is_read = facts.is_empty();
        for (position, fact) in facts {
            let floor_id = fact.floor_id();
            let floor = floors.iter().find(|floor| floor.id == floor_id);
            let slots = floor.map_or(0, |floor| floor.total_slots);
            let mut standing = self.record.floors.get(&floor_id).copied();
            let standing = standing.get_or_insert(Standing::empty(slots));
            let told = standing.take(fact);
            let is_wanted =
                |kind: &&str| self.wanted.takes(kind) && self.wanted.takes_floor(floor_id);
            if let Some(kind) = told.filter(is_wanted) {
                let message = of_floor(kind, (*position, fact), standing, floor);
                if !self.record.attempts.gives_up(message.recorded, now) {
                    self.message = Some(message);
                    return;
                }
                self.record.attempts.given_up += 1;
            }
            self.record.floors.insert(floor_id, *standing);
            self.record.position = *position;
            self.unstored_since.get_or_insert(now);
        }
    }

    /// What needs attention, which was asked for.
    pub(super) fn told_attention(&mut self, items: &[AttentionItem], now: Timestamp) {
        loop {
            match self.record.known.next(items, now) {
                Ok(notice) if self.wanted.takes(notice.kind) => {
                    self.message = Some(of_camera(notice));
                    return;
                }
                Ok(notice) => self.record.known = notice.then,
                Err(known) => {
                    self.looked = Some(now);
                    if known != self.record.known {
                        self.record.known = known;
                        self.unstored_since.get_or_insert(now);
                    }
                    return;
                }
            }
        }
    }

    /// What became of the message that was sent.
    pub(super) fn told_outcome(&mut self, outcome: Outcome, now: Timestamp, jitter: f64) {
        let Some(message) = self.message.take() else { return };
        self.must_store = true;
        if !self.record.attempts.told(outcome, message.recorded, now, jitter) {
            self.message = Some(message);
            return;
        }
        match message.then {
            Then::Fact { position, floor_id, standing } => {
                self.record.position = position;
                self.record.floors.insert(floor_id, standing);
            }
            Then::Notice(known) => self.record.known = known,
        }
    }

    /// The record is stored.
    pub(super) fn told_stored(&mut self) {
        (self.must_store, self.unstored_since) = (false, None);
    }
}

fn of_floor(
    kind: &'static str,
    (position, fact): (Position, &SiteFact),
    standing: &Standing,
    floor: Option<&Floor>,
) -> Message {
    let (at, recorded) = match fact {
        SiteFact::Event(event) => (event.timestamp, event.created_at),
        SiteFact::Change(change) => (change.timestamp, change.created_at),
    };
    let floor_id = fact.floor_id();
    Message {
        kind,
        // A restored backup gives a position again to another fact, but not at the same instant.
        fact: format!("{position} {}", recorded.as_microsecond()),
        at,
        recorded,
        subject: format!("floor/{floor_id}"),
        data: json!({
            "floor_id": floor_id,
            "name": floor.map(|floor| floor.name.as_str()),
            "free": standing.free(),
            "occupied": standing.count,
            "total": standing.slots,
            "position": position.to_string(),
        }),
        then: Then::Fact { position, floor_id, standing: *standing },
    }
}

fn of_camera(notice: Notice) -> Message {
    let Notice { kind, camera, fact, at, data, then } = notice;
    let subject = format!("camera/{camera}");
    Message { kind, fact, at, recorded: at, subject, data, then: Then::Notice(then) }
}

#[cfg(test)]
mod tests;
