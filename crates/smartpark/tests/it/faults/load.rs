//! The load: connections that send posts until each is answered, wherever the server is by then.

use std::{
    sync::{Condvar, Mutex},
    time::Duration,
};

use serde_json::Value;

use super::{
    facts::{Facts, bad_row},
    journal::{Journal, finding},
    readers,
};
use crate::{
    cli::{
        client::{Answer, Client},
        garage::Random,
    },
    servers::clients::posts,
};

const CONNECTIONS: usize = 12;
/// A connection that was not answered looks for another server at least so often.
const LOOK: Duration = Duration::from_millis(50);

/// A server that answers no post for so long has come to a stand.
const STAND: Duration = Duration::from_secs(120);

/// What one request holds.
#[derive(Clone)]
pub(crate) struct Post {
    /// The places of its facts.
    places: Vec<usize>,
    /// Among them, before the row of this index: a row of this number that must be refused.
    bad: Option<(usize, usize)>,
    /// Whether it is sent one a line.
    lines: bool,
}

/// Posts of the facts from `from` on: each fact one, two or three times, late now and then, one in
/// forty posts with several facts, some of these with a bad row.
pub(crate) fn mixed(facts: &Facts, random: &mut Random) -> Vec<Post> {
    let count = facts.cars.len() - facts.old;
    let posts = posts(count, 40, random).into_iter();
    let posts = posts.map(|places| places.into_iter().map(|place| facts.old + place).collect());
    posts.map(|places| with_faults(places, random)).collect()
}

/// A post of these facts, maybe with a bad row.
fn with_faults(places: Vec<usize>, random: &mut Random) -> Post {
    let several = places.len() > 1;
    let bad = several && random.below(3) == 0;
    let bad = bad.then(|| (random.below(places.len() + 1), random.below(1 << 20)));
    Post { places, bad, lines: several && random.below(2) == 0 }
}

/// Every fact in as many posts, in an order that has nothing to do with time.
pub(crate) fn shuffled(facts: &Facts, times: usize, size: usize, random: &mut Random) -> Vec<Post> {
    let mut places: Vec<usize> = Vec::new();
    (0..times).for_each(|_| places.extend(facts.old..facts.cars.len()));
    for place in (1..places.len()).rev() {
        places.swap(place, random.below(place + 1));
    }
    places.chunks(size).map(|chunk| with_faults(chunk.to_vec(), random)).collect()
}

/// The connections, what they send and where, and the journal that they write.
pub(crate) struct Load {
    pub(crate) facts: Facts,
    pub(crate) key: String,
    posts: Vec<Post>,
    journal: Mutex<Journal>,
    moved: Condvar,
    /// Where the server is now.
    target: Mutex<String>,
}

impl Load {
    pub(crate) fn new(facts: Facts, posts: Vec<Post>, key: String) -> Self {
        let journal = Mutex::new(Journal::new(facts.cars.len()));
        let (moved, target) = (Condvar::new(), Mutex::new(String::new()));
        Self { facts, key, posts, journal, moved, target }
    }

    /// Does something with the journal.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Journal) -> T) -> T {
        let done = act(&mut self.journal.lock().unwrap());
        self.moved.notify_all();
        done
    }

    /// Sends everything to this server from now on.
    pub(crate) fn aim(&self, url: &str) {
        self.with(|journal| {
            url.clone_into(&mut self.target.lock().unwrap());
            journal.servers += 1;
        });
    }

    /// Where the server is, with a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.target.lock().unwrap())
    }

    /// Sends the cars of long ago, which nothing disturbs yet.
    pub(crate) fn send_old(&self) {
        let post = Post { places: (0..self.facts.old).collect(), bad: None, lines: true };
        assert!(self.send(&Client::new(Some(&self.key)), &post), "nothing stands in the way yet");
    }

    /// Sends all posts, with readers and `meanwhile` beside them.
    pub(crate) fn run(&self, meanwhile: impl FnOnce(&Self)) {
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| self.connection());
            }
            for reader in readers::ALL {
                scope.spawn(move || reader(self));
            }
            let watch = GiveUp(self);
            meanwhile(self);
            drop(watch);
        });
    }

    /// Whether all is answered, or it makes no sense to go on.
    pub(crate) fn is_over(&self) -> bool {
        self.with(|journal| journal.answered == self.posts.len() || hopeless(journal))
    }

    /// Waits until this part of all posts is answered.
    pub(crate) fn wait_for_part(&self, part: usize, parts: usize) {
        let enough = self.posts.len() * part / parts;
        self.wait_for(|journal| journal.answered >= enough);
    }

    /// Waits until the journal says so, or something was told that must not be.
    pub(crate) fn wait_for(&self, condition: impl Fn(&Journal) -> bool) {
        let mut journal = self.journal.lock().unwrap();
        while !condition(&journal) && !hopeless(&journal) {
            let answered = journal.answered;
            let stands =
                |it: &mut Journal| it.answered == answered && !condition(it) && !hopeless(it);
            let waited = self.moved.wait_timeout_while(journal, STAND, stands).unwrap();
            assert!(!waited.1.timed_out(), "the server has come to a stand");
            journal = waited.0;
        }
    }

    /// Waits a moment for a server to come back.
    pub(crate) fn pause(&self) {
        let journal = self.journal.lock().unwrap();
        let servers = journal.servers;
        let same = |it: &mut Journal| it.servers == servers && !hopeless(it);
        drop(self.moved.wait_timeout_while(journal, LOOK, same).unwrap());
    }

    fn connection(&self) {
        let client = Client::new(Some(&self.key));
        while let Some(post) = self.next() {
            while !self.send(&client, post) {
                if self.with(|journal| hopeless(journal)) {
                    return;
                }
                self.pause();
            }
            self.with(|journal| journal.answered += 1);
        }
    }

    /// The next post, for whoever sends it until it is answered.
    pub(super) fn next(&self) -> Option<&Post> {
        self.with(|journal| {
            let post = self.posts.get(journal.begun).filter(|_| !hopeless(journal))?;
            journal.begun += 1;
            Some(post)
        })
    }

    /// Sends a post; false where it must be sent again.
    fn send(&self, client: &Client, post: &Post) -> bool {
        let (server, url) = self.sent(post);
        let answer = client.send("POST", &url, Some(self.content(post)));
        self.told(post, server, answer)
    }

    /// Notes that a post is being sent; says to which of the servers, and where that is.
    pub(super) fn sent(&self, post: &Post) -> (u32, String) {
        self.with(|journal| {
            journal.sent(&post.places);
            (journal.servers, self.url("/events"))
        })
    }

    /// Notes what this server answered to a post; false where it must be sent again.
    pub(super) fn told(&self, post: &Post, server: u32, answer: Option<Answer>) -> bool {
        self.with(|journal| {
            let Some(answer) = answer else {
                journal.lost += 1;
                journal.unknown(&post.places);
                return false;
            };
            journal.answered_by(server, &post.places);
            if answer.status == 503 && answer.retry_after {
                journal.unavailable += 1;
                journal.unknown(&post.places);
                return false;
            }
            if take_in(journal, post, &answer).is_none() {
                let Answer { status, body, .. } = answer;
                let told = format!("{} events: {status} {body}", post.places.len());
                journal.findings.push(finding("contract", told));
            }
            true
        })
    }

    /// The body of a post, with its type.
    pub(super) fn content(&self, post: &Post) -> (&'static str, String) {
        let event = |place: &usize| self.facts.cars[*place].event(place.is_multiple_of(3));
        if let [place] = post.places.as_slice() {
            return ("application/json", event(place).to_string());
        }
        let mut rows: Vec<Value> = post.places.iter().map(event).collect();
        if let Some((index, number)) = post.bad {
            rows.insert(index, bad_row(number).0);
        }
        if !post.lines {
            return ("application/json", Value::from(rows).to_string());
        }
        let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
        ("application/x-ndjson", lines.join("\n"))
    }
}

/// Ends the load where a scenario panics: nobody would bring the server back.
struct GiveUp<'a>(&'a Load);

impl Drop for GiveUp<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.with(|journal| journal.given_up = true);
        }
    }
}

/// Whether so much is wrong already that more would only take time.
fn hopeless(journal: &Journal) -> bool {
    journal.given_up || journal.findings.len() > 50
}

/// Notes an answer; none where it is not one that may be given.
fn take_in(journal: &mut Journal, post: &Post, answer: &Answer) -> Option<()> {
    let body = &answer.body;
    if let [place] = post.places.as_slice() {
        journal.single(*place, answer.status, body)?;
    } else {
        let number = |name: &str| body[name].as_u64();
        let errors = body["errors"].as_array()?;
        let told = (number("recorded")? + number("duplicates")?, number("rejected")?);
        let bad = usize::from(post.bad.is_some());
        if answer.status != 200 || told != (post.places.len() as u64, bad as u64) {
            return None;
        }
        if let Some((index, row)) = post.bad {
            let [error] = errors.as_slice() else { return None };
            let status = u64::from(bad_row(row).1);
            // A server that does not trust its clock does not judge what seems to be the future.
            let distrusts = error["type"] == "urn:smartpark:problem:clock";
            let status = if distrusts { 503 } else { status };
            if (error["index"].as_u64()?, error["status"].as_u64()?) != (index as u64, status) {
                return None;
            }
            *journal.refused.entry(bad_row(row).1).or_default() += 1;
        }
        journal.recorded += number("recorded")?;
    }
    journal.accepted(&post.places);
    Some(())
}
