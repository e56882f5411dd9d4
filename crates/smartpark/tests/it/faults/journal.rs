//! What was sent and what was told, with the times of asking and answering.

use std::{collections::BTreeMap, time::Instant};

use serde_json::Value;

/// Microseconds since the run began, by the monotonic clock.
pub(crate) type Moment = u64;

/// What breaks an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// `I1` … `I20`; `stop` where a server did not stop as it must; `contract` where an answer is
    /// none that may be given.
    pub(crate) invariant: &'static str,
    pub(crate) detail: String,
}

/// A finding.
pub(crate) fn finding(invariant: &'static str, detail: impl Into<String>) -> Finding {
    Finding { invariant, detail: detail.into() }
}

/// An answer that was about one event alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Single {
    pub(crate) status: u16,
    pub(crate) id: i64,
    pub(crate) count_delta: i64,
}

/// What became of a fact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// When it was sent first.
    pub(crate) sent: Option<Moment>,
    /// When it was acknowledged first.
    pub(crate) accepted: Option<Moment>,
    /// The first server that answered a request with it, whatever it answered.
    pub(crate) answered_by: Option<u32>,
    /// Answers that were about it alone.
    pub(crate) answers: Vec<Single>,
    /// How often its outcome stayed unknown.
    pub(crate) unknown: u32,
}

/// A floor in a read.
#[derive(Clone, Debug)]
pub(crate) struct FloorSeen {
    pub(crate) id: i64,
    pub(crate) count: i64,
    pub(crate) slots: i64,
    pub(crate) active: bool,
}

impl FloorSeen {
    /// As it stands in an answer.
    pub(crate) fn of(floor: &Value) -> Option<Self> {
        Some(Self {
            id: floor["id"].as_i64()?,
            count: floor["current_vehicles"].as_i64()?,
            slots: floor["total_slots"].as_i64()?,
            active: floor["is_active"].as_bool()?,
        })
    }
}

/// What a reader saw.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// All floors in one answer.
    Floors(Vec<FloorSeen>),
    /// The recommended floor, and all floors that the answer names.
    Recommended(Option<i64>, Vec<FloorSeen>),
    /// All pages of all events from `start` on: their ids and tracks, in the order of the answers.
    Walk(Vec<(i64, String)>),
    /// Whether an event that was answered could be read by its id.
    Event(usize, bool),
}

/// A read, from its question to its answer.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) begun: Moment,
    pub(crate) ended: Moment,
    pub(crate) seen: Seen,
}

/// A server that was told to stop, and has.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    /// Which of the servers it was.
    pub(crate) server: u32,
    /// The last id of an event that was stored then: ids grow.
    pub(crate) last_id: i64,
}

/// All that happened in a run.
pub(crate) struct Journal {
    began: Instant,
    /// By the places of the facts.
    pub(crate) told: Vec<Told>,
    pub(crate) reads: Vec<Read>,
    /// Rows that were refused, by status.
    pub(crate) refused: BTreeMap<u16, u64>,
    /// Events that were answered as recorded now, in batches and alone.
    pub(crate) recorded: u64,
    /// Events that were acknowledged, each as often as it was.
    pub(crate) acknowledged: u64,
    /// Posts without an answer, and those that were answered with 503.
    pub(crate) lost: u64,
    pub(crate) unavailable: u64,
    /// The retention horizon whenever it was looked at, in microseconds.
    pub(crate) horizons: Vec<Option<i64>>,
    /// What was wrong at once.
    pub(crate) findings: Vec<Finding>,
    /// Posts that were begun, and posts that were answered.
    pub(crate) begun: usize,
    pub(crate) answered: usize,
    /// Servers that were started.
    pub(crate) servers: u32,
    pub(crate) stops: Vec<Stop>,
    /// Whether the scenario has failed.
    pub(crate) given_up: bool,
}

impl Journal {
    pub(crate) fn new(facts: usize) -> Self {
        Self {
            began: Instant::now(),
            told: vec![Told::default(); facts],
            reads: Vec::new(),
            refused: BTreeMap::new(),
            recorded: 0,
            acknowledged: 0,
            lost: 0,
            unavailable: 0,
            horizons: Vec::new(),
            findings: Vec::new(),
            begun: 0,
            answered: 0,
            servers: 0,
            stops: Vec::new(),
            given_up: false,
        }
    }

    /// Now.
    pub(crate) fn moment(&self) -> Moment {
        u64::try_from(self.began.elapsed().as_micros()).unwrap()
    }

    /// Notes that these facts are being sent.
    pub(crate) fn sent(&mut self, places: &[usize]) {
        let now = self.moment();
        for place in places {
            self.told[*place].sent.get_or_insert(now);
        }
    }

    /// Notes that nobody knows what became of them.
    pub(crate) fn unknown(&mut self, places: &[usize]) {
        places.iter().for_each(|place| self.told[*place].unknown += 1);
    }

    /// Notes that this server answered a request with them.
    pub(crate) fn answered_by(&mut self, server: u32, places: &[usize]) {
        for place in places {
            self.told[*place].answered_by.get_or_insert(server);
        }
    }

    /// Notes that they were acknowledged.
    pub(crate) fn accepted(&mut self, places: &[usize]) {
        let now = self.moment();
        self.acknowledged += places.len() as u64;
        for place in places {
            self.told[*place].accepted.get_or_insert(now);
        }
    }

    /// Notes the answer to one fact alone; none where it has no such form.
    pub(crate) fn single(&mut self, place: usize, status: u16, body: &Value) -> Option<()> {
        let duplicate = body["duplicate"].as_bool()?;
        let event = &body["event"];
        let (id, count_delta) = (event["id"].as_i64()?, event["count_delta"].as_i64()?);
        self.recorded += u64::from(!duplicate);
        self.told[place].answers.push(Single { status, id, count_delta });
        (status == if duplicate { 200 } else { 201 }).then_some(())
    }
}
