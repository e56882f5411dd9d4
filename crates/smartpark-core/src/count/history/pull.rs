//! An adjustment that somebody makes now pulls what lies ahead of it to its own instant.

use super::{super::gap::flips, Effect, Erased, Fact, History, Level, Missing, Walk, fold, judge};

/// What a pull changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// The facts that have a new place, each with the old one.
    pub facts: Vec<Fact>,
    /// What it did to the count and to the sides of events.
    pub effect: Effect,
}

impl History {
    /// Gives all facts whose place lies after the instant `to` that instant as their place. Events
    /// among them act together with those that stand there.
    ///
    /// # Errors
    /// [`Missing`] names what must be loaded first; nothing has changed then.
    pub fn pull(&mut self, to: i64) -> Result<Pulled, Missing> {
        if self.start.latest.is_none_or(|latest| latest <= to) {
            let effect = Effect { delta: 0, at_limit: None, flips: Vec::new() };
            return Ok(Pulled { facts: Vec::new(), effect });
        }
        let (count, path, (slots, stood)) = self.place(to)?;
        let behind = self.behind.as_ref().filter(|(at, _)| *at == to);
        let behind = &behind.ok_or(Missing::Behind(to))?.1;
        let kept = &stood[..stood.partition_point(|fact| fact.at <= to)];

        let mut old = Walk { count, slots };
        let all: Vec<&Fact> = kept.iter().chain(behind).collect();
        let was = judge(&mut old, &all);
        let moved = behind.iter().map(|fact| Fact { at: to, ..fact.clone() });
        let mut facts: Vec<Fact> = kept.iter().cloned().chain(moved).collect();
        facts.sort_by(Fact::place);
        let mut new = Walk { count, slots };
        let flips = flips(&was, &judge(&mut new, &facts));

        let pulled = behind.clone();
        let opening = self.opening(path[0]);
        self.erase(Erased { from_level: Level::DAY, start: to + 1, end: i64::MAX });
        let leaf = path[path.len() - 1];
        for &span in &path {
            let inside = pulled.partition_point(|fact| fact.at < span.end());
            let node = self.node_mut(span, opening);
            node.facts += u32::try_from(pulled.len() - inside).unwrap_or(u32::MAX);
        }
        self.node_mut(leaf, opening).clamp = fold(&facts, slots);
        self.leaves.insert(leaf, (slots, facts));
        self.compose_again(&path, opening);
        let delta = new.count - self.start.count;
        (self.start.count, self.start.slots) = (new.count, new.slots);
        self.start.latest = Some(to);
        self.behind = None;
        self.divide_where_full(leaf);
        Ok(Pulled { facts: pulled, effect: Effect { delta, at_limit: None, flips } })
    }
}
