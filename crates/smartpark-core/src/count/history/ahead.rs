//! What a group of facts will ask for, told before the first of them is recorded: a store that
//! answers many questions at once is asked once. And what may be asked for next, where that is only
//! found out on the way.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Act, Fact, History, Level, Missing, NodeRow, Span};

impl History {
    /// What must be loaded before facts at these instants, in their order, can take their places,
    /// as far as that can be told now: to be asked again when it is there. A store that answers
    /// many questions at once asks for all facts of a group ahead. Each instant comes with whether
    /// other facts of the group will stand at it or after it by then.
    #[must_use]
    pub fn wants(&self, facts: impl IntoIterator<Item = (i64, bool)>) -> Vec<Missing> {
        let (mut wanted, mut spans) = (Vec::new(), HashSet::new());
        let mut coming: HashMap<Span, u32> = HashMap::new();
        for (at, late) in facts {
            let missing = if late || self.start.latest.is_some_and(|latest| at <= latest) {
                self.place(at).err()
            } else {
                self.tail(at).map_or_else(Some, |path| self.divides(&path, &mut coming))
            };
            let is_asked = match missing {
                None => continue,
                // The first fact asks for most days.
                Some(Missing::DaysFrom(_)) => {
                    wanted.iter().any(|asked| matches!(asked, Missing::DaysFrom(_)))
                }
                Some(Missing::Path(at)) => {
                    let path = Span::path(at).filter(|span| self.may_exist(*span));
                    path.filter(|span| spans.insert(*span)).count() == 0
                }
                Some(other) => wanted.contains(&other),
            };
            if !is_asked {
                wanted.extend(missing);
            }
        }
        wanted
    }

    /// The facts of a leaf that one more fact, after those that are `coming`, makes too long.
    fn divides(&self, path: &[Span], coming: &mut HashMap<Span, u32>) -> Option<Missing> {
        let leaf = path[path.len() - 1];
        let stored = self.nodes.get(&leaf)?.facts;
        let coming = coming.entry(leaf).or_default();
        *coming += 1;
        let full = stored + *coming > self.divide_above && leaf.level.below().is_some();
        (full && !self.leaves.contains_key(&leaf)).then_some(Missing::Facts(leaf))
    }

    /// Whether there can be a stored stretch `span`: none begins after the latest fact.
    #[must_use]
    pub fn may_exist(&self, span: Span) -> bool {
        self.start.latest.is_some_and(|latest| span.start <= latest)
    }

    /// The leaves whose facts are `wanted`, in runs that are each read at once: those under one
    /// stretch together, with what lies between and beside them, as far as it is not loaded and all
    /// that is read of them is no more than `limit` facts. Late facts of a group close their gaps
    /// here and there among them, and each leaf that is asked for alone costs a round trip.
    #[must_use]
    pub fn runs(&self, wanted: impl IntoIterator<Item = Span>, limit: u32) -> Vec<Vec<Span>> {
        let mut families: BTreeMap<Option<Span>, BTreeSet<Span>> = BTreeMap::new();
        for leaf in wanted {
            families.entry(parent(leaf)).or_default().insert(leaf);
        }
        let mut runs = Vec::with_capacity(families.len());
        for (parent, leaves) in families {
            match self.run(parent, &leaves, limit) {
                Some(run) => runs.push(run),
                None => runs.extend(leaves.into_iter().map(|leaf| vec![leaf])),
            }
        }
        runs
    }

    /// Leaves under one stretch, with those between and beside them; none where that is too much,
    /// or it is not known what there is.
    fn run(&self, parent: Option<Span>, leaves: &BTreeSet<Span>, limit: u32) -> Option<Vec<Span>> {
        let (first, last) = (*leaves.first()?, *leaves.last()?);
        let (from, to) = match parent {
            Some(parent) if self.opened.contains(&parent) => (parent.start, parent.end()),
            Some(_) => return None,
            None => (self.days_from.filter(|from| *from <= first.start)?, i64::MAX),
        };
        let at = |start| Span { start, ..first };
        let (mut facts, mut run) = (0_u32, leaves.clone());
        let mut take = |(span, node): (&Span, &NodeRow)| {
            facts = facts.saturating_add(node.facts);
            (facts <= limit).then(|| run.insert(*span))
        };
        self.nodes.range(first..=last).try_for_each(|node| take(node).map(drop))?;
        let after = self.nodes.range(at(last.start + 1)..at(to));
        let before = self.nodes.range(at(from)..first).rev();
        let _ = after.chain(before).try_for_each(|node| take(node).map(drop));
        let divided = |span: &Span| self.nodes.get(span).is_some_and(|node| node.divided);
        run.retain(|span| !divided(span) && !self.leaves.contains_key(span));
        Some(run.into_iter().collect())
    }

    /// Takes in the facts of some leaves, in their order: `facts` are all from the first of them
    /// to the end of the last, and what lies between; `slots` is the capacity before.
    pub fn learn_leaves(&mut self, leaves: &[Span], mut slots: i64, facts: Vec<Fact>) {
        let mut facts = facts.into_iter().peekable();
        for &leaf in leaves {
            while let Some(between) = facts.next_if(|fact| fact.at < leaf.start) {
                slots = between.slots_after(slots);
            }
            let (before, mut own) = (slots, Vec::new());
            while let Some(fact) = facts.next_if(|fact| fact.at < leaf.end()) {
                slots = fact.slots_after(slots);
                own.push(fact);
            }
            self.learn_facts(leaf, before, own);
        }
    }

    /// The capacity before a leaf that holds no facts yet, as a loaded one beside it tells; none
    /// where it may hold some, or none beside it is loaded. A group that comes late divides the
    /// stretches it falls into, and its next facts fall where nothing is.
    pub(super) fn slots_where_nothing_is(&self, leaf: Span) -> Option<i64> {
        let parent = parent(leaf).filter(|parent| self.opened.contains(parent))?;
        if self.nodes.contains_key(&leaf) {
            return None;
        }
        let siblings = parent.children();
        let loaded = |(span, _): (&Span, &NodeRow)| self.leaves.get(span);
        let before = self.nodes.range(siblings.start..leaf).next_back().and_then(loaded);
        let after = self.nodes.range(leaf..siblings.end).next().and_then(loaded);
        let left =
            before.map(|(slots, facts)| facts.iter().fold(*slots, |at, f| f.slots_after(at)));
        left.or(after.map(|(slots, _)| *slots))
    }
}

/// The stretch that a leaf stands under; none for a day.
fn parent(leaf: Span) -> Option<Span> {
    let above = leaf.level.number().checked_sub(1).and_then(Level::from_number)?;
    Some(Span::of(leaf.start, above))
}

impl Fact {
    /// The capacity after it, where it was `slots` before.
    fn slots_after(&self, slots: i64) -> i64 {
        if let Act::Capacity(changed) = self.act { changed } else { slots }
    }
}
