//! A floor whose facts and rows lie in memory: it answers [`Missing`] as a store does, and every
//! answer of the tree and every row it leaves is compared with the naive model.

use std::collections::{BTreeMap, BTreeSet};

use super::naive::{self, Outcome};
use crate::count::{
    Act, Effect, Fact, History, Level, Missing, NodeRow, Source, Span, Start, fold,
};

#[derive(Debug)]
pub(super) struct Floor {
    divide_above: u32,
    first_slots: i64,
    /// Everything that ever happened, in the naive order. What lies before the horizon is kept
    /// aside here for the naive model only; [`Missing::Facts`] is never answered with it.
    pub(super) all: Vec<Fact>,
    pub(super) rows: BTreeMap<Span, NodeRow>,
    /// The retention horizon, and the count there.
    horizon: Option<(i64, i64)>,
    pub(super) outcome: Outcome,
    /// What the answers and flips say about events at a limit.
    at_limit: BTreeSet<i64>,
    /// The sum of all deltas.
    moved: i64,
    count: i64,
    slots: i64,
    latest: Option<i64>,
    transaction: Option<Transaction>,
    /// Whether a fact was taken away since the last commit.
    shortened: bool,
    /// Ids and numbers that were given.
    given: i64,
    /// Whether to prove, at a price, that a question leaves no trace.
    pub(super) suspicious: bool,
}

#[derive(Debug)]
struct Transaction {
    history: History,
    asked: Vec<Missing>,
}

impl Floor {
    pub(super) fn new(slots: i64, divide_above: u32) -> Self {
        Self {
            divide_above,
            first_slots: slots,
            all: Vec::new(),
            rows: BTreeMap::new(),
            horizon: None,
            outcome: naive::outcome(slots, []),
            at_limit: BTreeSet::new(),
            moved: 0,
            count: 0,
            slots,
            latest: None,
            transaction: None,
            shortened: false,
            given: 0,
            suspicious: false,
        }
    }

    /// The instant of the latest fact or the horizon, as the floor knows it at this moment.
    pub(super) fn latest(&self) -> Option<i64> {
        match &self.transaction {
            Some(transaction) => transaction.history.latest(),
            None => self.latest,
        }
    }

    pub(super) fn horizon(&self) -> Option<i64> {
        self.horizon.map(|(at, _)| at)
    }

    /// Records a fact and compares the answer; `None` for a repetition, which nothing sees.
    pub(super) fn record(&mut self, mut fact: Fact) -> Option<Effect> {
        // A repetition is known by what it says, wherever the first one was pulled to.
        if self.all.iter().any(|other| other.source == fact.source) {
            return None;
        }
        let place = self.all.binary_search_by(|other| naive::order(other, &fact)).err()?;
        if fact.is_event() {
            fact.id = self.next_number();
        }
        let mut open = self.open();
        let effect = self.ask(&mut open, |history| history.record(fact.clone()));
        self.transaction = Some(open);

        self.all.insert(place, fact.clone());
        let now = naive::outcome(self.first_slots, &self.all);
        self.compare(&fact, &effect, &now);
        self.outcome = now;
        Some(effect)
    }

    fn compare(&mut self, fact: &Fact, effect: &Effect, now: &Outcome) {
        assert_eq!(effect.delta, now.count - self.outcome.count, "delta of {fact:?}");
        match fact.act {
            Act::Entry => assert!((0..=1).contains(&effect.delta) && effect.flips.len() < 2),
            Act::Exit => assert!((-1..=0).contains(&effect.delta) && effect.flips.len() < 2),
            _ => {}
        }
        let found = now.at_limit.contains(&fact.id);
        let expected = found.then(|| naive::limit_of(fact.act));
        assert_eq!(effect.at_limit, expected, "at_limit of {fact:?}");
        if found {
            self.at_limit.insert(fact.id);
        }
        self.take(effect, now);
    }

    /// Takes in what a change did: the delta and the sides of other events.
    fn take(&mut self, effect: &Effect, now: &Outcome) {
        self.moved += effect.delta;
        for flip in &effect.flips {
            let changed = if flip.at_limit {
                self.at_limit.insert(flip.event_id)
            } else {
                self.at_limit.remove(&flip.event_id)
            };
            assert!(changed, "{flip:?} changes nothing");
            let event = self.all.iter().find(|event| event.id == flip.event_id);
            let event = event.expect("a flip names an event");
            let by = matches!(&event.source, Source::Event { camera_id, timestamp, .. }
                if *camera_id == flip.camera_id && *timestamp == flip.at);
            assert!(by, "{flip:?} names another camera or time than {event:?}");
        }
        assert_eq!(self.at_limit, now.at_limit, "at a limit");
    }

    /// A number that no fact has.
    pub(super) fn next_number(&mut self) -> i64 {
        self.given += 1;
        self.given
    }

    /// Pulls all that lies ahead of an instant to it, and compares what that did.
    pub(super) fn pull(&mut self, to: i64) {
        let mut open = self.open();
        let pulled = self.ask(&mut open, |history| history.pull(to));
        // What is erased may be asked for once more when something comes there.
        open.asked.clear();
        self.transaction = Some(open);
        let ahead: Vec<Fact> = self.all.iter().filter(|fact| fact.at > to).cloned().collect();
        assert_eq!(pulled.facts, ahead);
        self.all.iter_mut().for_each(|fact| fact.at = fact.at.min(to));
        self.all.sort_by(naive::order);
        let now = naive::outcome(self.first_slots, &self.all);
        assert_eq!(pulled.effect.delta, now.count - self.outcome.count, "a pull to {to}");
        self.take(&pulled.effect, &now);
        self.outcome = now;
    }

    /// Takes a fact away, unless it is one that stays, and compares what that did.
    pub(super) fn remove(&mut self, place: usize) {
        let kept = self.all.partition_point(|fact| Some(fact.at) < self.horizon());
        let Some(range) = self.all.len().checked_sub(kept).filter(|left| *left > 0) else { return };
        let place = kept + place % range;
        let fact = self.all[place].clone();
        if matches!(fact.act, Act::Capacity(_)) {
            return;
        }
        let mut open = self.open();
        let effect = self.ask(&mut open, |history| history.remove(&fact));
        open.asked.clear();
        self.transaction = Some(open);
        self.all.remove(place);
        self.at_limit.remove(&fact.id);
        let now = naive::outcome(self.first_slots, &self.all);
        assert_eq!(effect.delta, now.count - self.outcome.count, "without {fact:?}");
        self.take(&effect, &now);
        self.outcome = now;
        self.shortened = true;
    }

    /// Writes back what the transaction changed, and compares all that is stored then.
    pub(super) fn commit(&mut self) {
        let Some(Transaction { history, .. }) = self.transaction.take() else {
            return;
        };
        for erased in history.erased() {
            self.rows.retain(|span, _| {
                span.level < erased.from_level || !(erased.start..erased.end).contains(&span.start)
            });
        }
        self.rows.extend(history.changed().map(|row| (row.span, *row)));
        (self.count, self.slots) = (history.count(), history.slots());
        self.latest = history.latest();
        assert_eq!(history.base(), self.horizon.map_or(0, |(_, base)| base));

        let right = &self.outcome;
        assert_eq!((self.count, self.slots), (right.count, right.slots));
        assert_eq!(self.moved, self.count, "the sum of all deltas");
        assert!((0..=self.slots).contains(&self.count));
        let last = self.all.last().map(|fact| fact.at);
        let right_latest = last.max(self.horizon());
        // A history does not look for the fact before the one that is taken away.
        assert!(self.latest == right_latest || self.shortened && self.latest > right_latest);
        (self.latest, self.shortened) = (right_latest, false);
        match self.horizon {
            None => assert_eq!(self.rows, self.tree_from_scratch()),
            Some((horizon, _)) => self.check_rows(horizon),
        }
    }

    /// Forgets everything before `at`: the facts, and the days wholly before its own.
    pub(super) fn move_horizon(&mut self, at: i64) {
        self.commit();
        assert!(self.horizon() <= Some(at), "a horizon never moves back");
        self.horizon = Some((at, self.naive_before(at).count));
        let day = Span::of(at, Level::DAY);
        self.rows.retain(|span, _| span.start >= day.start);
        self.latest = self.latest.max(Some(at));
    }

    /// Asks the tree for the count before `at` and compares it.
    pub(super) fn look(&mut self, at: i64) {
        let mut open = self.open();
        let count = self.ask(&mut open, |history| history.count_before(at));
        self.transaction = Some(open);
        assert_eq!(count, self.naive_before(at).count, "the count before {at}");
    }

    fn open(&mut self) -> Transaction {
        let start = Start {
            count: self.count,
            slots: self.slots,
            latest: self.latest,
            base: self.horizon.map_or(0, |(_, base)| base),
        };
        let new = || Transaction {
            history: History::new(start).dividing_above(self.divide_above),
            asked: Vec::new(),
        };
        self.transaction.take().unwrap_or_else(new)
    }

    /// Asks until all is loaded that the answer needs; nothing is asked for twice.
    fn ask<T>(
        &self,
        open: &mut Transaction,
        mut question: impl FnMut(&mut History) -> Result<T, Missing>,
    ) -> T {
        loop {
            let before = self.suspicious.then(|| format!("{:?}", open.history));
            let missing = match question(&mut open.history) {
                Ok(answer) => return answer,
                Err(missing) => missing,
            };
            if let Some(before) = before {
                assert_eq!(before, format!("{:?}", open.history), "{missing:?} left a trace");
            }
            assert!(!open.asked.contains(&missing), "{missing:?} asked twice");
            open.asked.push(missing);
            match missing {
                Missing::Facts(leaf) => self.load_leaves(open, leaf),
                other => self.load(&mut open.history, other),
            }
        }
    }

    /// Loads the facts of a leaf, and of some beside it: now many, now none.
    fn load_leaves(&self, open: &mut Transaction, leaf: Span) {
        let limit = (open.asked.len() % 3) as u32 * self.divide_above;
        let leaves = open.history.runs([leaf], limit).concat();
        assert!(leaves.contains(&leaf));
        for &beside in leaves.iter().filter(|beside| **beside != leaf) {
            let missing = Missing::Facts(beside);
            assert!(!open.asked.contains(&missing), "{missing:?} asked twice");
            open.asked.push(missing);
        }
        let (first, last) = (leaves[0], leaves[leaves.len() - 1]);
        let (slots, facts) = self.kept_facts(first.start, last.end());
        let events = facts.iter().filter(|fact| fact.source != Source::Base).count();
        assert!(leaves.len() == 1 || events <= limit as usize, "{events} facts are read ahead");
        open.history.learn_leaves(&leaves, slots, facts);
    }

    /// Loads what a group of facts, in their order, wants; each of them at an instant of its own.
    pub(super) fn prefetch(&mut self, facts: &[Fact]) {
        let mut open = self.open();
        loop {
            let wanted = open.history.wants(facts.iter().map(|fact| (fact.at, false)));
            if wanted.is_empty() {
                break;
            }
            for missing in wanted {
                assert!(!open.asked.contains(&missing), "{missing:?} asked twice");
                open.asked.push(missing);
                self.load(&mut open.history, missing);
            }
        }
        self.transaction = Some(open);
    }

    /// How many questions the transaction has had to ask.
    pub(super) fn asked(&self) -> usize {
        self.transaction.as_ref().map_or(0, |open| open.asked.len())
    }

    fn load(&self, history: &mut History, missing: Missing) {
        let from = |level, start| Span { level, start };
        let day = |start| from(Level::DAY, start);
        let rows: Vec<NodeRow> = match missing {
            Missing::DaysFrom(start) => {
                let before = self.rows.range(day(i64::MIN)..day(start)).next_back();
                let after = self.rows.range(day(start)..=day(i64::MAX));
                before.into_iter().chain(after).map(|(_, row)| *row).collect()
            }
            Missing::DayBefore(at) => {
                let found = self.rows.range(day(i64::MIN)..=day(at)).next_back();
                found.into_iter().map(|(_, row)| *row).collect()
            }
            Missing::Path(at) => {
                Span::path(at).filter_map(|span| self.rows.get(&span).copied()).collect()
            }
            Missing::Children(span) => {
                let row = self.rows.get(&span);
                assert!(row.is_some_and(|row| row.divided), "{span:?} has no stored children");
                let level = Level::from_number(span.level.number() + 1).expect("a divided span");
                let below = self.rows.range(from(level, span.start)..from(level, span.end()));
                below.map(|(_, row)| *row).collect()
            }
            Missing::Facts(span) | Missing::Whole(span) => {
                let (slots, facts) = self.kept_facts(span.start, span.end());
                return history.learn_facts(span, slots, facts);
            }
            Missing::Behind(at) => {
                let facts = between(&self.all, at + 1, i64::MAX).to_vec();
                return history.learn_behind(at, facts);
            }
        };
        history.learn_nodes(missing, rows);
    }

    /// The capacity before the first kept fact of a time, and those facts behind their base.
    fn kept_facts(&self, start: i64, end: i64) -> (i64, Vec<Fact>) {
        let from = self.horizon().map_or(start, |at| at.max(start));
        let base = self.horizon.filter(|(at, _)| (start..end).contains(at));
        let base =
            base.map(|(at, count)| Fact { at, source: Source::Base, act: Act::Base(count), id: 0 });
        let facts = between(&self.all, from, end).iter().cloned();
        (self.naive_before(from).slots, base.into_iter().chain(facts).collect())
    }

    fn naive_before(&self, at: i64) -> Outcome {
        naive::outcome(self.first_slots, between(&self.all, i64::MIN, at))
    }

    /// All rows as they must be, from the facts alone. (Of a floor that forgot nothing.)
    fn tree_from_scratch(&self) -> BTreeMap<Span, NodeRow> {
        let mut rows = BTreeMap::new();
        for fact in &self.all {
            for span in Span::path(fact.at) {
                let row = rows.entry(span).or_insert_with(|| self.row_from_scratch(span));
                if !row.divided {
                    break;
                }
            }
        }
        rows
    }

    fn row_from_scratch(&self, span: Span) -> NodeRow {
        let facts = between(&self.all, span.start, span.end());
        let before = self.naive_before(span.start);
        let smallest = Level::from_number(span.level.number() + 1).is_none();
        NodeRow {
            span,
            facts: facts.len() as u32,
            divided: facts.len() > self.divide_above as usize && !smallest,
            clamp: fold(facts, before.slots),
            opening: if span.level == Level::DAY { before.count } else { 0 },
        }
    }

    /// What holds of rows on a floor with a horizon: those after it are as from scratch, and
    /// those around it still lead from the count before them to the count after them.
    fn check_rows(&self, horizon: i64) {
        let nothing_forgotten = between(&self.all, i64::MIN, horizon).is_empty();
        for row in self.rows.values() {
            let right = self.row_from_scratch(row.span);
            assert_eq!(row.opening, right.opening, "the opening of {row:?}");
            if nothing_forgotten {
                assert_eq!((row.facts, row.divided), (right.facts, right.divided));
            }
            if row.span.start > horizon {
                assert_eq!(*row, right);
            } else {
                let before = self.naive_before(row.span.start).count;
                let after = self.naive_before(row.span.end()).count;
                assert_eq!(row.clamp.apply(before), after, "what {row:?} leads to");
            }
        }
        for fact in between(&self.all, horizon, i64::MAX) {
            let mut path = Span::path(fact.at).map(|span| self.rows.get(&span));
            let leaf = path.find(|row| row.is_none_or(|row| !row.divided));
            assert!(leaf.flatten().is_some(), "no row holds {fact:?}");
        }
    }
}

/// The facts from `start` on and before `end`.
fn between(facts: &[Fact], start: i64, end: i64) -> &[Fact] {
    let place = |at| facts.partition_point(|fact| fact.at < at);
    &facts[place(start)..place(end).max(place(start))]
}
