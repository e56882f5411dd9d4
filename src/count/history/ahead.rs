//! What a group of facts will ask for, told before the first of them is recorded: a store that
//! answers many questions at once is asked once.

use std::collections::{HashMap, HashSet};

use super::{History, Missing, Span};

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
}
