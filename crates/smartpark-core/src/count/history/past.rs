//! A change of the past: a fact that comes late, or one that is taken away.

use super::{
    super::gap::{Gap, flips},
    Clamp, Effect, Erased, Fact, Flip, Found, History, Missing, NodeRow, Span, Walk, fold, judge,
    limit,
};

/// What a change of the past will do, found before anything is changed.
pub(super) struct Plan {
    /// From the day to the stretch whose facts change.
    path: Vec<Span>,
    /// The capacity before that stretch.
    slots: i64,
    /// How its facts change.
    edit: Edit,
    /// Later days whose opening moves, and how far.
    openings: Vec<(Span, i64)>,
    /// What it does.
    effect: Effect,
}

/// How the facts of a stretch change.
enum Edit {
    /// One more, at this position.
    Insert(usize, Fact),
    /// One fewer: these are left.
    Leave(Vec<Fact>),
}

/// Carries a gap through what comes after a change.
struct Travel<'h> {
    history: &'h History,
    gap: Gap,
    flips: Vec<Flip>,
}

impl History {
    /// Takes a fact out of the history, as if it had never been recorded.
    ///
    /// # Errors
    /// [`Missing`] names what must be loaded first; nothing has changed then.
    pub fn remove(&mut self, fact: &Fact) -> Result<Effect, Missing> {
        let plan = self.plan_removal(fact)?;
        Ok(self.carry_out(plan))
    }

    /// Finds out what a late fact changes.
    pub(super) fn plan_insertion(&self, fact: &Fact) -> Result<Plan, Missing> {
        let (count, path, (slots, old)) = self.place(fact.at)?;
        let position = old.partition_point(|other| other.place(fact).is_lt());
        let (before, after) = old.split_at(position);
        let facts: Vec<&Fact> = before.iter().chain([fact]).chain(after).collect();
        let edit = Edit::Insert(position, fact.clone());
        self.plan(fact, count, path, (slots, old), &facts, edit)
    }

    /// Finds out what a fact that is taken away changes. A stretch that holds few facts then is not
    /// divided any more, as if it never had been.
    fn plan_removal(&self, fact: &Fact) -> Result<Plan, Missing> {
        let (mut count, mut path, mut found) = self.place(fact.at)?;
        let left =
            |span: &Span| self.nodes.get(span).map_or(0, |node| node.facts.saturating_sub(1));
        let is_short = |span: &Span| left(span) <= self.divide_above;
        if let Some(short) = path[..path.len() - 1].iter().position(is_short) {
            path.truncate(short + 1);
            let top = path[short];
            let (slots, facts) = self.leaves.get(&top).ok_or(Missing::Whole(top))?;
            found = (*slots, facts);
            // The count before the stretch, not before the leaf inside it.
            (count, _) = self.descend(top.start)?;
        }
        let others = found.1.iter().filter(|other| other.place(fact).is_ne());
        let facts: Vec<&Fact> = others.clone().collect();
        self.plan(fact, count, path, found, &facts, Edit::Leave(others.cloned().collect()))
    }

    /// Finds out what a stretch does to all that comes after it, if it holds `facts` instead.
    fn plan(
        &self,
        fact: &Fact,
        count: i64,
        path: Vec<Span>,
        (slots, old): Found<'_>,
        facts: &[&Fact],
        edit: Edit,
    ) -> Result<Plan, Missing> {
        let (mut before, mut after) = (Walk { count, slots }, Walk { count, slots });
        let was = judge(&mut before, old);
        let is = judge(&mut after, facts);
        let own = is.iter().any(|cut_off| cut_off.place(fact).is_eq());
        let mut changed = flips(&was, &is);
        changed.retain(|flip| flip.event_id != fact.id);
        let gap = Gap { old: before.count, new: after.count };
        let mut travel = Travel { history: self, gap, flips: changed };
        for pair in path.windows(2).rev() {
            travel.through(self.children(pair[0])?.filter(|node| node.span > pair[1]))?;
        }
        let openings = travel.through_days(self.days_after(path[0]))?;
        let effect =
            Effect { delta: travel.gap.shift(), at_limit: limit(fact, own), flips: travel.flips };
        Ok(Plan { path, slots, edit, openings, effect })
    }

    /// Does what the plan says.
    pub(super) fn carry_out(&mut self, plan: Plan) -> Effect {
        let Plan { path, slots, edit, openings, effect } = plan;
        let opening = self.opening(path[0]);
        let leaf = path[path.len() - 1];
        let is_divided = self.nodes.get(&leaf).is_some_and(|node| node.divided);
        if let Some(from_level) = leaf.level.below().filter(|_| is_divided) {
            self.erase(Erased { from_level, start: leaf.start, end: leaf.end() });
            self.opened.remove(&leaf);
            self.node_mut(leaf, opening).divided = false;
        }
        let more = if matches!(edit, Edit::Insert(..)) { 1 } else { -1 };
        let (slots, facts) = self.leaves.entry(leaf).or_insert_with(|| (slots, Vec::new()));
        match edit {
            Edit::Insert(position, fact) => facts.insert(position, fact),
            Edit::Leave(left) => *facts = left,
        }
        let clamp = fold(facts, *slots);
        self.node_mut(leaf, opening).clamp = clamp;
        for &span in &path {
            let node = self.node_mut(span, opening);
            node.facts = node.facts.saturating_add_signed(more);
        }
        if self.nodes.get(&leaf).is_some_and(|node| node.facts == 0) && self.holds_no_base(leaf) {
            self.erase(Erased { from_level: leaf.level, start: leaf.start, end: leaf.end() });
        }
        self.compose_again(&path, opening);
        for (day, shift) in openings {
            if let Some(node) = self.nodes.get_mut(&day) {
                node.opening += shift;
                self.changed.insert(day);
            }
        }
        self.start.count += effect.delta;
        self.divide_where_full(leaf);
        effect
    }

    fn holds_no_base(&self, leaf: Span) -> bool {
        self.leaves.get(&leaf).is_none_or(|(_, facts)| facts.is_empty())
    }
}

impl Travel<'_> {
    /// Carries the gap through stretches until it closes; finds the events that narrowed it.
    fn through<'a>(&mut self, nodes: impl Iterator<Item = &'a NodeRow>) -> Result<(), Missing> {
        for node in nodes {
            if self.gap.is_closed() {
                break;
            }
            self.pass(node.span, node.clamp)?;
        }
        Ok(())
    }

    /// The same through days, which keep the count they open with: those that change, and how far.
    fn through_days<'a>(
        &mut self,
        days: impl Iterator<Item = &'a NodeRow>,
    ) -> Result<Vec<(Span, i64)>, Missing> {
        let mut openings = Vec::new();
        for day in days {
            if self.gap.is_closed() {
                break;
            }
            openings.push((day.span, self.gap.shift()));
            self.pass(day.span, day.clamp)?;
        }
        Ok(openings)
    }

    fn pass(&mut self, span: Span, clamp: Clamp) -> Result<(), Missing> {
        let passed = self.gap.pass(clamp);
        if passed.shift() != self.gap.shift() {
            self.look_into(span)?;
        }
        self.gap = passed;
        Ok(())
    }

    /// Finds the events inside a stretch that narrow the gap.
    fn look_into(&mut self, span: Span) -> Result<(), Missing> {
        let history = self.history;
        let gap = self.gap;
        if history.nodes.get(&span).is_some_and(|node| node.divided) {
            return self.through(history.children(span)?);
        }
        let (slots, facts) = history.leaves.get(&span).ok_or(Missing::Facts(span))?;
        let (mut old, mut new) =
            (Walk { count: gap.old, slots: *slots }, Walk { count: gap.new, slots: *slots });
        let was = judge(&mut old, facts);
        self.flips.extend(flips(&was, &judge(&mut new, facts)));
        Ok(())
    }
}
