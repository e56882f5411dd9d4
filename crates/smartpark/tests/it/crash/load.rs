//! Connections that send events to a server, and a journal of what they were told.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    sync::{Condvar, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

/// Events in a request that sends several.
const BATCH: usize = 20;

/// What was sent and told so far.
#[derive(Default)]
pub(crate) struct Journal {
    /// Tracks of events that were acknowledged, with the id where the answer named it.
    pub(crate) accepted: BTreeMap<String, Option<i64>>,
    /// Tracks of all events that were sent.
    pub(crate) sent: BTreeSet<String>,
    /// Events that were acknowledged, each as often as it was.
    acknowledgements: usize,
    /// Connections that have ended.
    ended: usize,
}

/// A journal that connections write and the test waits on.
#[derive(Default)]
pub(crate) struct Shared {
    journal: Mutex<Journal>,
    moved: Condvar,
}

impl Shared {
    /// Does something with the journal.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Journal) -> T) -> T {
        let done = act(&mut self.journal.lock().unwrap());
        self.moved.notify_all();
        done
    }

    /// Waits until so many more events are acknowledged, or `connections` have given up.
    pub(crate) fn wait_for(&self, more: usize, connections: usize) {
        let mut journal = self.journal.lock().unwrap();
        journal.ended = 0;
        let enough = journal.acknowledgements + more;
        let not_yet = |it: &mut Journal| it.acknowledgements < enough && it.ended < connections;
        let waited = self.moved.wait_timeout_while(journal, Duration::from_secs(60), not_yet);
        assert!(!waited.unwrap().1.timed_out(), "the server has come to a stand");
    }
}

/// One connection: its events, and the request whose answer it does not know.
pub(crate) struct Connection {
    name: usize,
    next: usize,
    unknown: Option<Vec<String>>,
}

impl Connection {
    pub(crate) fn new(name: usize) -> Self {
        Self { name, next: 0, unknown: None }
    }

    /// Sends what is unknown again, then more, until the server is gone.
    pub(crate) fn run(&mut self, url: &str, shared: &Shared) {
        let agent = agent();
        while self.step(&agent, url, shared).is_some() {}
        shared.with(|journal| journal.ended += 1);
    }

    /// Settles what is unknown.
    pub(crate) fn settle(&mut self, url: &str, shared: &Shared) {
        if self.unknown.is_some() {
            self.step(&agent(), url, shared).expect("the server must answer");
        }
    }

    /// One request and its answer; `None` where there was no answer.
    fn step(&mut self, agent: &ureq::Agent, url: &str, shared: &Shared) -> Option<()> {
        let tracks = self.unknown.take().unwrap_or_else(|| self.new_tracks());
        shared.with(|journal| journal.sent.extend(tracks.iter().cloned()));
        let body = match tracks.as_slice() {
            [track] => self.event(track),
            several => several.iter().map(|track| self.event(track)).collect(),
        };
        let Some((status, answer)) = post(agent, url, &body) else {
            self.unknown = Some(tracks);
            return None;
        };
        assert!(status == 200 || status == 201, "{status}: {answer}");
        shared.with(|journal| journal.acknowledge(&tracks, &answer));
        Some(())
    }

    /// The next new event or events; now and then one that was acknowledged before.
    fn new_tracks(&mut self) -> Vec<String> {
        let number = if self.next % 7 == 3 { BATCH } else { 1 };
        self.next += number;
        if self.next % 11 == 10 {
            return vec![format!("{}_{}", self.name, 0)];
        }
        (self.next - number..self.next).map(|n| format!("{}_{n}", self.name)).collect()
    }

    /// An entry, the same whenever it is sent again.
    fn event(&self, track: &str) -> Value {
        let second: usize = track.rsplit('_').next().unwrap().parse().unwrap();
        let (minute, second) = (second / 60, second % 60);
        json!({
            "camera_id": format!("cam_{}", self.name),
            "floor_id": 1 + self.name % 3,
            "track_id": track,
            "vehicle_type": "car",
            "direction": "entry",
            "timestamp": format!("2026-02-12T{:02}:{:02}:{second:02}Z", minute / 60, minute % 60),
        })
    }
}

impl Journal {
    fn acknowledge(&mut self, tracks: &[String], answer: &Value) {
        self.acknowledgements += tracks.len();
        let [track] = tracks else {
            let known = |name: &str| answer[name].as_u64().unwrap();
            assert_eq!(known("recorded") + known("duplicates"), tracks.len() as u64, "{answer}");
            for track in tracks {
                self.accepted.entry(track.clone()).or_default();
            }
            return;
        };
        let id = answer["event"]["id"].as_i64().unwrap();
        let before = self.accepted.insert(track.clone(), Some(id)).flatten();
        assert!(before.is_none_or(|before| before == id), "{track} was {before:?}, is {id}");
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    config.timeout_global(Some(Duration::from_secs(30))).build().into()
}

/// The answer, unless there was none or not all of it.
fn post(agent: &ureq::Agent, url: &str, body: &Value) -> Option<(u16, Value)> {
    let request = agent.post(format!("{url}/events")).header("content-type", "application/json");
    let mut answer = request.send(body.to_string()).ok()?;
    let mut text = String::new();
    answer.body_mut().as_reader().read_to_string(&mut text).ok()?;
    Some((answer.status().as_u16(), serde_json::from_str(&text).ok()?))
}
