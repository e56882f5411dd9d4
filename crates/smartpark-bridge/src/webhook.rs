//! Webhooks: receivers that are told when floors fill and cameras fall silent.
//!
//! The ledger is the only queue: a webhook keeps a position in it. What a receiver is told, and
//! when, is decided by the `machine`; here are the reads, the attempts and the stores.

mod guard;
mod http;
mod lease;
mod levels;
mod machine;
mod notices;
mod operations;
mod record;
mod schedule;

use std::time::Duration;

use jiff::Timestamp;
use smartpark_formats::{
    config::{Floor as NamedFloor, Webhook, WebhookFormat},
    feed::{
        WebhookFault, WebhookOrigin, WebhookSecret, cloud_event, standard_webhook, webhook_headers,
    },
};
use smartpark_ledger::{Result, SmartPark};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

pub use operations::{WebhookState, replay_webhook, test_webhook, webhook_state};

use crate::limits::{
    WEBHOOK_BEAT, WEBHOOK_FACTS, WEBHOOK_OFF_TOLD, WEBHOOK_RETRY, WEBHOOK_STORE,
    WEBHOOK_TOLD_FAILURES,
};
use http::{Http, Request};
use lease::Lease;
use levels::Standing;
use machine::{Ask, Machine, Message, Wanted};
use notices::Known;
use record::{Record, Stored};
use schedule::Outcome;

/// The task that tells one receiver.
#[derive(Debug)]
pub struct WebhookTask {
    park: SmartPark,
    site: String,
    webhook: Webhook,
    secrets: Vec<WebhookSecret>,
}

impl WebhookTask {
    /// The task of this webhook of a site. `secrets` are those of the file that the configuration
    /// names.
    #[must_use]
    pub fn new(
        park: SmartPark,
        site: String,
        webhook: Webhook,
        secrets: Vec<WebhookSecret>,
    ) -> Self {
        Self { park, site, webhook, secrets }
    }

    /// Runs until `stopping` becomes true. An attempt that is under way then is made again later.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut lease = Lease::new(self.park.clone(), &self.webhook.name, holder());
        tokio::select! {
            () = self.deliver(&mut lease) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        lease.leave().await;
    }

    async fn deliver(&self, lease: &mut Lease) {
        loop {
            if let Err(error) = self.deliver_while_held(lease).await {
                tracing::debug!("the webhook {} waits: {error}", self.webhook.name);
                sleep(WEBHOOK_RETRY).await;
            }
        }
    }

    /// Delivers until another server does, or somebody else changed the stored state.
    async fn deliver_while_held(&self, lease: &mut Lease) -> Result<()> {
        while !lease.is_held().await? {
            sleep(WEBHOOK_BEAT).await;
        }
        let lineage = self.park.ledger_id().await?;
        let mut changes = self.park.changes();
        let (mut stored, record) = Stored::load(&self.park, &self.webhook.name).await?;
        let record = match record {
            Some(record) => record,
            None => match self.begin(&mut stored).await? {
                Some(record) => record,
                None => return Ok(()),
            },
        };
        let mut machine = Machine::new(record, self.wanted().await?);
        let http = Http::new(&self.webhook);
        let mut off_told: Option<Timestamp> = None;
        loop {
            if !lease.is_held().await? {
                return Ok(());
            }
            let now = self.park.now();
            let until = match machine.ask(now) {
                Ask::Facts(position) => {
                    let Some(facts) = self.park.facts_after(position, WEBHOOK_FACTS).await? else {
                        return self.begin_anew(&mut stored, &machine).await;
                    };
                    let floors = self.park.floors().get_latest_floors().await?;
                    machine.told_facts(&facts, &floors, now);
                    continue;
                }
                Ask::Attention => {
                    let attention = self.park.get_attention().await?;
                    machine.told_attention(&attention.items, now);
                    continue;
                }
                Ask::Send(message) => {
                    let outcome = self.attempt(&http, message, &lineage).await;
                    self.tell(&outcome, &machine);
                    let given_up = machine.record().attempts.given_up;
                    machine.told_outcome(outcome, self.park.now(), jitter());
                    if machine.record().attempts.given_up > given_up {
                        self.note("webhook_given_up", "a message was given up after 10 attempts");
                    }
                    continue;
                }
                Ask::Store => {
                    if !stored.store(&self.park, &self.webhook.name, machine.record()).await? {
                        return Ok(());
                    }
                    machine.told_stored();
                    continue;
                }
                Ask::Wait(until) => Some(until),
                Ask::Off => {
                    let is_recent = |at: Timestamp| now.duration_since(at) < WEBHOOK_OFF_TOLD;
                    if !off_told.is_some_and(is_recent) {
                        off_told = Some(now);
                        self.note("webhook_off", "the receiver answered 410, so nothing is sent");
                    }
                    None
                }
            };
            self.rest(&mut changes, until).await;
            if !stored.is_current(&self.park, &self.webhook.name).await? {
                return Ok(());
            }
            machine.wake();
        }
    }

    /// Waits for a commit, for the instant, and never longer than this server's right to deliver.
    async fn rest(&self, changes: &mut watch::Receiver<u64>, until: Option<Timestamp>) {
        let pause = until.map_or(WEBHOOK_BEAT, |until| {
            Duration::try_from(until.duration_since(self.park.now())).unwrap_or_default()
        });
        let pause = pause.min(WEBHOOK_BEAT);
        if !matches!(timeout(pause, changes.changed()).await, Ok(Err(_))) {
            return;
        }
        // The ledger has closed: no commit will wake this task.
        sleep(pause).await;
    }

    /// A webhook that never ran: what happens from now on is told. `None` if another server began
    /// at the same moment.
    async fn begin(&self, stored: &mut Stored) -> Result<Option<Record>> {
        let record = now_record(&self.park).await?;
        let is_stored = stored.store(&self.park, &self.webhook.name, &record).await?;
        Ok(is_stored.then_some(record))
    }

    /// The position is not known any more: the database is a copy or a restored backup, or the
    /// facts after it were deleted.
    async fn begin_anew(&self, stored: &mut Stored, machine: &Machine) -> Result<()> {
        let mut record = now_record(&self.park).await?;
        record.attempts = machine.record().attempts.clone();
        if stored.store(&self.park, &self.webhook.name, &record).await? {
            let detail = "its position is not in this database (a copy, a restored backup, or \
                          deleted events), so it goes on from now; messages may be missing";
            self.note("webhook_begun_anew", detail);
        }
        Ok(())
    }

    async fn wanted(&self) -> Result<Wanted> {
        let kinds = self.webhook.events.clone();
        if self.webhook.floors.is_empty() {
            return Ok(Wanted { kinds, floors: None });
        }
        let known = self.park.floors().get_all_floors().await?;
        let is_named = |id: i64, name: &str| {
            self.webhook.floors.iter().any(|floor| match floor {
                NamedFloor::Id(wanted) => *wanted == id,
                NamedFloor::Name(wanted) => wanted == name,
            })
        };
        let named = known.iter().filter(|floor| is_named(floor.id, &floor.name));
        Ok(Wanted { kinds, floors: Some(named.map(|floor| floor.id).collect()) })
    }

    async fn attempt(&self, http: &Http, message: &Message, lineage: &str) -> Outcome {
        let now = self.park.now();
        match signed(&self.webhook, &self.secrets, (lineage, &self.site), message, now) {
            Ok(request) => http.send(request, now).await,
            Err(fault) => Outcome::Failed { why: fault.to_string(), retry_after: None },
        }
    }

    /// Tells the log of an attempt, and a person if it has failed for long.
    fn tell(&self, outcome: &Outcome, machine: &Machine) {
        let name = &self.webhook.name;
        match outcome {
            Outcome::Taken => tracing::debug!("the webhook {name} took a message"),
            Outcome::Gone => tracing::warn!("the webhook {name} is switched off: it answered 410"),
            Outcome::Failed { why, .. } => {
                tracing::warn!("the webhook {name} failed: {why}");
                if machine.record().attempts.failures + 1 >= WEBHOOK_TOLD_FAILURES {
                    self.note("webhook_failed", why);
                }
            }
        }
    }

    fn note(&self, reason: &'static str, why: &str) {
        let detail = format!("webhook {}: {why}", self.webhook.name);
        self.park.events().note_not_counted(None, reason, &detail);
    }
}

/// A record that begins now. The floors are read between two looks at the facts, so that they are
/// those of the position.
async fn now_record(park: &SmartPark) -> Result<Record> {
    loop {
        let position = park.events().get_position().await?;
        let floors = park.floors().get_all_floors().await?;
        if park.facts_after(position, 1).await?.is_some_and(|facts| facts.is_empty()) {
            let attention = park.get_attention().await?;
            return Ok(Record {
                position,
                floors: floors.iter().map(|floor| (floor.id, Standing::of(floor))).collect(),
                known: Known::now(&attention.items),
                attempts: schedule::Attempts::default(),
            });
        }
    }
}

/// A message as it is sent at `now`.
fn signed(
    webhook: &Webhook,
    secrets: &[WebhookSecret],
    (lineage, site): (&str, &str),
    message: &Message,
    now: Timestamp,
) -> std::result::Result<Request, WebhookFault> {
    let Message { kind, fact, at, subject, data, .. } = message;
    let fact = format!("{fact} {subject}");
    let origin = WebhookOrigin { lineage, site, fact: &fact, kind, webhook: &webhook.name };
    let id = origin.id();
    let (content_type, body) = match webhook.format {
        WebhookFormat::Standard => ("application/json", standard_webhook(kind, *at, data)?),
        WebhookFormat::CloudEvents => {
            let body = cloud_event(&id, &origin, *at, Some(subject), data)?;
            ("application/cloudevents+json", body)
        }
    };
    let headers = webhook_headers(&id, now, &body, secrets);
    Ok(Request { content_type, headers, body })
}

/// A name that no other server has.
fn holder() -> String {
    let mut bytes = [0_u8; 16];
    if let Err(error) = getrandom::fill(&mut bytes) {
        // The number of the process still tells servers of one machine apart.
        tracing::warn!("no random name for this server: {error}");
    }
    format!("{:032x}-{}", u128::from_be_bytes(bytes), std::process::id())
}

/// Between -1 and 1.
fn jitter() -> f64 {
    let mut bytes = [0_u8; 2];
    if getrandom::fill(&mut bytes).is_err() {
        return 0.0;
    }
    f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX) * 2.0 - 1.0
}

/// A position is never older in memory than the store may be.
const _: () = assert!(WEBHOOK_STORE.as_secs() >= 1);
