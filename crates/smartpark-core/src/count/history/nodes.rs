//! The tree of a history: its nodes, what lies below and beside them, dividing and erasing.

use std::collections::BTreeMap;

use super::{Act, Clamp, Erased, History, Leaf, Level, Missing, NodeRow, Source, Span, fold};

impl History {
    /// Gives a leaf that grew too long children of its own, and those theirs.
    pub(super) fn divide_where_full(&mut self, leaf: Span) {
        let Some(below) = leaf.level.below() else {
            return;
        };
        let full = self.nodes.get(&leaf).is_some_and(|node| node.facts > self.divide_above);
        if !full {
            return;
        }
        let Some((mut slots, facts)) = self.leaves.remove(&leaf) else {
            return;
        };
        let mut children: BTreeMap<Span, Leaf> = BTreeMap::new();
        for fact in facts {
            let (_, members) =
                children.entry(Span::of(fact.at, below)).or_insert_with(|| (slots, Vec::new()));
            if let Act::Capacity(changed) = fact.act {
                slots = changed;
            }
            members.push(fact);
        }
        self.opened.insert(leaf);
        self.node_mut(leaf, 0).divided = true;
        for (span, (slots, members)) in children {
            let node = self.node_mut(span, 0);
            node.clamp = fold(&members, slots);
            let own = members.iter().filter(|fact| fact.source != Source::Base).count();
            node.facts = u32::try_from(own).unwrap_or(u32::MAX);
            self.leaves.insert(span, (slots, members));
            self.divide_where_full(span);
        }
    }

    /// The node at `span`, made empty where there is none, and marked as changed.
    pub(super) fn node_mut(&mut self, span: Span, opening: i64) -> &mut NodeRow {
        self.changed.insert(span);
        self.known.insert(span);
        let opening = if span.level == Level::DAY { opening } else { 0 };
        let clamp = Clamp::IDENTITY;
        let empty = NodeRow { span, facts: 0, divided: false, clamp, opening };
        self.nodes.entry(span).or_insert(empty)
    }

    /// The count a day opens with; for a day without facts what the days before lead to.
    pub(super) fn opening(&self, day: Span) -> i64 {
        let first = Span { level: Level::DAY, start: i64::MIN };
        match self.nodes.range(first..=day).next_back() {
            Some((span, node)) if *span == day => node.opening,
            Some((_, before)) => before.clamp.apply(before.opening),
            None => self.start.base,
        }
    }

    pub(super) fn days_after(&self, day: Span) -> impl Iterator<Item = &NodeRow> {
        let first = Span { level: Level::DAY, start: day.start + 1 };
        self.nodes.range(first..=Span { start: i64::MAX, ..first }).map(|(_, node)| node)
    }

    pub(super) fn children(&self, span: Span) -> Result<impl Iterator<Item = &NodeRow>, Missing> {
        if self.opened.contains(&span) {
            Ok(self.nodes_below(span))
        } else {
            Err(Missing::Children(span))
        }
    }

    /// Composes the stretches on a path again, from the last divided one up.
    pub(super) fn compose_again(&mut self, path: &[Span], opening: i64) {
        for pair in path.windows(2).rev() {
            let sum = self.composed(pair[0]);
            self.node_mut(pair[0], opening).clamp = sum;
        }
    }

    fn composed(&self, span: Span) -> Clamp {
        self.nodes_below(span).fold(Clamp::IDENTITY, |sum, node| sum.then(node.clamp))
    }

    /// The loaded nodes one level below `span`, in order.
    fn nodes_below(&self, span: Span) -> impl Iterator<Item = &NodeRow> {
        self.nodes.range(span.children()).map(|(_, node)| node)
    }

    /// Takes nodes away, stored or not: all of `erased`.
    pub(super) fn erase(&mut self, erased: Erased) {
        let levels = Level::all().filter(|level| *level >= erased.from_level);
        for level in levels {
            let at = |start| Span { level, start };
            let gone: Vec<Span> =
                self.nodes.range(at(erased.start)..at(erased.end)).map(|(span, _)| *span).collect();
            for span in gone {
                self.nodes.remove(&span);
                self.leaves.remove(&span);
                self.changed.remove(&span);
                self.opened.remove(&span);
            }
        }
        self.erased.push(erased);
    }
}

impl Erased {
    /// Whether it takes away the stored node at this span.
    pub(super) fn holds(&self, span: Span) -> bool {
        span.level >= self.from_level && (self.start..self.end).contains(&span.start)
    }
}
