//! Connections that send events to several servers until each is answered, and a journal of what
//! they were told.

use std::{
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::cars::Car;
use crate::cli::{
    client::{Answer, Client},
    garage::Random,
};

pub(super) const CONNECTIONS: usize = 64;
/// Most events in one post.
const BATCH: usize = 240;
/// How much later than its turn an event is sent at most, in events: usually, and the 40th time.
const USUAL_DELAY: usize = 300;
const LONG_DELAY: usize = 30_000;

/// Posts in the order in which they are sent, each the places of its cars. Every car is sent one,
/// two or three times. Of `to_one` posts one holds several cars, which are most cars all the same.
pub(crate) fn posts(cars: usize, to_one: usize, random: &mut Random) -> Vec<Vec<usize>> {
    let mut turns: Vec<(usize, usize)> = Vec::new();
    for car in 0..cars {
        let again = usize::from(random.below(10) < 5) + usize::from(random.below(10) < 2);
        for _ in 0..=again {
            let late = random.below(40) == 0;
            let delay = random.below(if late { LONG_DELAY } else { USUAL_DELAY });
            turns.push((car + delay, car));
        }
    }
    turns.sort_unstable();
    let mut rest = turns.as_slice();
    let mut posts = Vec::new();
    while !rest.is_empty() {
        let size = if random.below(to_one) == 0 { 2 + random.below(BATCH - 1) } else { 1 };
        let (post, after) = rest.split_at(size.min(rest.len()));
        posts.push(post.iter().map(|(_, car)| *car).collect());
        rest = after;
    }
    posts
}

/// An answer about one event alone.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// The id and the count_delta of the event.
    pub(super) stored: (i64, i64),
    /// What else tells where it came from: for people.
    pub(super) story: String,
}

/// What was told of a car so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// The first answer that was about it alone.
    pub(super) first: Option<Heard>,
    /// How often it was answered as recorded now, alone.
    pub(super) created: u32,
    /// Whether it was acknowledged.
    pub(super) acknowledged: bool,
    /// Whether a post with it had no answer but *unknown*: that may have been the one that
    /// recorded it.
    pub(super) unknown: bool,
}

/// What was sent and told so far.
#[derive(Default)]
pub(super) struct Journal {
    /// By the places of the cars.
    pub(super) told: Vec<Told>,
    /// Events that were answered as recorded now, and as recorded before.
    pub(super) recorded: u64,
    pub(super) duplicates: u64,
    /// Posts that were answered with 503, and those without an answer.
    pub(super) unavailable: u32,
    pub(super) lost: u32,
    /// The longest time in which no event was acknowledged, and since when none was.
    pub(super) longest_pause: Duration,
    acknowledged_at: Option<Instant>,
    /// What must not have been told.
    pub(super) faults: Vec<String>,
    /// Posts that were begun, and posts that were answered.
    begun: usize,
    answered: usize,
}

/// The cars, the posts, and the journal that all connections write.
pub(super) struct Clients<'a> {
    cars: &'a [Car],
    posts: Vec<Vec<usize>>,
    journal: Mutex<Journal>,
    moved: Condvar,
    /// How long a connection pauses after a post, while something happens beside the load.
    pace: Option<Duration>,
    is_over: AtomicBool,
}

impl<'a> Clients<'a> {
    pub(super) fn new(cars: &'a [Car], posts: Vec<Vec<usize>>) -> Self {
        let journal = Journal { told: vec![Told::default(); cars.len()], ..Journal::default() };
        let (journal, moved) = (Mutex::new(journal), Condvar::new());
        Self { cars, posts, journal, moved, pace: None, is_over: AtomicBool::new(false) }
    }

    /// The same, with a pause after each post until what happens meanwhile is over.
    pub(super) fn paced(self, pace: Duration) -> Self {
        Self { pace: Some(pace), ..self }
    }

    /// Sends all posts from all connections and returns the journal; `meanwhile` runs beside it.
    pub(super) fn run(self, servers: &[&str], meanwhile: impl FnOnce(&Self)) -> Journal {
        std::thread::scope(|scope| {
            let clients = &self;
            for connection in 0..CONNECTIONS {
                scope.spawn(move || clients.connection(connection, servers));
            }
            meanwhile(clients);
            clients.is_over.store(true, Ordering::Relaxed);
        });
        self.journal.into_inner().unwrap()
    }

    /// Waits until this part of all posts is answered.
    pub(super) fn wait_for_part(&self, part: usize, parts: usize) {
        let enough = self.posts.len() * part / parts;
        self.wait_for(|journal| journal.answered >= enough);
    }

    /// Waits until so many more posts are answered.
    pub(super) fn wait_for_more(&self, posts: usize) {
        let enough = self.journal.lock().unwrap().answered + posts;
        self.wait_for(|journal| journal.answered >= enough);
    }

    /// Waits until the journal says so, or says that something was told that must not be.
    pub(super) fn wait_for(&self, condition: impl Fn(&Journal) -> bool) {
        let not_yet = |it: &mut Journal| !condition(it) && it.faults.is_empty();
        let journal = self.journal.lock().unwrap();
        let waited = self.moved.wait_timeout_while(journal, Duration::from_secs(120), not_yet);
        assert!(!waited.unwrap().1.timed_out(), "the servers have come to a stand");
    }

    /// One connection, to another server whenever one gives no answer.
    fn connection(&self, number: usize, servers: &[&str]) {
        let client = Client::new(None);
        let mut server = number % servers.len();
        while let Some(post) = self.next() {
            while !self.send(&client, servers[server], post) {
                server = (server + 1) % servers.len();
            }
            if let Some(pace) = self.pace.filter(|_| !self.is_over.load(Ordering::Relaxed)) {
                // The load keeps a rate; no test waits for this.
                thread::park_timeout(pace);
            }
        }
    }

    /// The next post; none where all are sent, or where it makes no sense to go on.
    fn next(&self) -> Option<&[usize]> {
        let mut journal = self.journal.lock().unwrap();
        let post = self.posts.get(journal.begun).filter(|_| journal.faults.is_empty())?;
        journal.begun += 1;
        Some(post)
    }

    /// Sends a post; false where it must be sent again.
    fn send(&self, client: &Client, server: &str, post: &[usize]) -> bool {
        let event = |place: &usize| self.cars[*place].event((place + post.len()).is_multiple_of(3));
        let body: Value = match post {
            [place] => event(place),
            several => several.iter().map(event).collect(),
        };
        let content = Some(("application/json", body.to_string()));
        let answer = client.send("POST", &format!("{server}/events"), content);
        let mut journal = self.journal.lock().unwrap();
        let done = match answer {
            None => journal.unknown(post, |journal| journal.lost += 1),
            Some(Answer { status: 503, retry_after: true, .. }) => {
                journal.unknown(post, |journal| journal.unavailable += 1)
            }
            Some(answer) => {
                let story = story(server, &answer);
                let told = match post {
                    [place] => journal.one(*place, &answer, &story),
                    several => journal.many(several, &answer),
                };
                if told.is_none() {
                    journal.note_fault(post, &story);
                }
                journal.answered += 1;
                journal.note_answer(Instant::now());
                true
            }
        };
        drop(journal);
        self.moved.notify_all();
        done
    }
}

impl Journal {
    /// Notes when a post was answered.
    fn note_answer(&mut self, now: Instant) {
        let pause = self.acknowledged_at.map_or(Duration::ZERO, |before| now - before);
        self.longest_pause = self.longest_pause.max(pause);
        self.acknowledged_at = Some(now);
    }

    /// A post whose outcome nobody was told.
    fn unknown(&mut self, post: &[usize], count: impl FnOnce(&mut Self)) -> bool {
        post.iter().for_each(|place| self.told[*place].unknown = true);
        count(self);
        false
    }

    /// Notes an answer that must not be given, and what was told before of the same event.
    fn note_fault(&mut self, post: &[usize], story: &str) {
        let before = match post {
            [place] => self.told[*place].first.as_ref(),
            _ => None,
        };
        let before = before.map_or("nothing", |first| &first.story);
        self.faults.push(format!("{} events, told before: {before}; then: {story}", post.len()));
    }

    /// The answer to one car; none where it is not one that may be given.
    fn one(&mut self, place: usize, answer: &Answer, story: &str) -> Option<()> {
        let duplicate = answer.body["duplicate"].as_bool()?;
        if answer.status != if duplicate { 200 } else { 201 } {
            return None;
        }
        let event = &answer.body["event"];
        let stored = (event["id"].as_i64()?, event["count_delta"].as_i64()?);
        let told = &mut self.told[place];
        told.acknowledged = true;
        let heard = || Heard { stored, story: story.to_owned() };
        if told.first.get_or_insert_with(heard).stored != stored {
            return None;
        }
        if duplicate {
            self.duplicates += 1;
        } else {
            told.created += 1;
            self.recorded += 1;
        }
        Some(())
    }

    /// The answer to several.
    fn many(&mut self, post: &[usize], answer: &Answer) -> Option<()> {
        let number = |name: &str| answer.body[name].as_u64();
        let (recorded, duplicates) = (number("recorded")?, number("duplicates")?);
        if answer.status != 200 || recorded + duplicates != post.len() as u64 {
            return None;
        }
        self.recorded += recorded;
        self.duplicates += duplicates;
        post.iter().for_each(|place| self.told[*place].acknowledged = true);
        Some(())
    }
}

/// An answer, and which server gave it.
fn story(server: &str, answer: &Answer) -> String {
    format!("{} by {server}: {}", answer.status, answer.body)
}
