//! What is carried from one database to another when a site is copied: the facts, page by page in
//! the order of their keys. What is derived is built anew where it arrives.
//!
//! A page is put into the target by comparing: what the target has of that stretch of keys and
//! the source has not is taken out, what it lacks is put in. So it does not matter how often that
//! is done, where it broke off, and what the source recorded, or forgot, in between.

use std::collections::BTreeSet;

use crate::{
    Error, Event, Floor, Result,
    count::Fact,
    decide::{Adjustment, StateWrite},
    keys::KnownKey,
    limits::{COPY_PAGE_DIGESTS, COPY_PAGE_ROWS},
    store::{
        site::Columns,
        versions::sha256,
        withdrawals::{WithdrawalRow, WithdrawnRow},
    },
};

/// Where a row stands in the order in which its table is copied.
pub(crate) type Key = (i64, i64);

/// Before and after all rows.
pub(crate) const FIRST: Key = (i64::MIN, i64::MIN);
pub(crate) const LAST: Key = (i64::MAX, i64::MAX);

/// A stretch of keys: all after the first of them, up to the second and with it.
pub(crate) type Stretch = (Key, Key);

/// The tables that are copied row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Adjustments,
    Digests,
    Events,
    /// Of the events at the limit only those before the horizon: there is no history any more
    /// that they could be found in.
    AtLimit,
    /// Places of events that are not their timestamps.
    Places,
}

impl Table {
    /// All of them, in an order in which they can be filled.
    pub(crate) const ALL: [Self; 5] =
        [Self::Adjustments, Self::Digests, Self::Events, Self::AtLimit, Self::Places];

    /// How many of its rows are carried together.
    pub(crate) fn page(self) -> usize {
        match self {
            Self::Digests => COPY_PAGE_DIGESTS,
            _ => COPY_PAGE_ROWS,
        }
    }
}

/// What is kept of an hour whose events are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(super) hour: i64,
    pub(super) floor_id: i64,
    pub(super) data: Vec<u8>,
}

/// An event that found its floor at its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AtLimitRow {
    pub(super) event_id: i64,
    pub(super) floor_id: i64,
    pub(super) camera_id: String,
    pub(super) at: i64,
}

/// An event whose place in history is not its timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlaceRow {
    pub(super) floor_id: i64,
    pub(super) fact: Fact,
}

/// Where a floor's kept history begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(super) floor_id: i64,
    pub(super) initial_slots: i64,
    pub(super) base_count: i64,
    pub(super) removed_delta: i64,
}

/// What is small enough to be copied as a whole, and what everything else hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) floors: Vec<Floor>,
    pub(super) origins: Vec<Origin>,
    /// All keys, the revoked ones too: a site that asked for keys asks for them in a copy, too.
    pub(super) keys: Vec<KnownKey>,
    /// What is known of the site.
    pub(super) site: Columns,
    pub(super) horizon: Option<i64>,
    /// The states of adapters: without them a copy would count a device's next message wrong.
    pub(super) states: Vec<StateWrite>,
    /// What people took back, in the order of the ids.
    pub(super) withdrawals: Vec<WithdrawalRow>,
    pub(super) withdrawn: Vec<WithdrawnRow>,
}

impl Frame {
    /// The floors that there are.
    pub(crate) fn floor_ids(&self) -> BTreeSet<i64> {
        self.floors.iter().map(|floor| floor.id).collect()
    }
}

/// Sums by which two databases that hold the same facts are known. They are read in one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) frame: Frame,
    /// How many events there are, the sum of their ids, the first and the last instant.
    pub(super) events: [Option<i64>; 4],
    /// How many adjustments, and the sums of their ids and places.
    pub(super) adjustments: [Option<i64>; 3],
    /// How many events have a place of their own, and the sum of these.
    pub(super) places: [Option<i64>; 2],
    /// How many digests, and their bytes.
    pub(super) digests: [Option<i64>; 2],
    /// How many events before the horizon were at the limit.
    pub(super) at_limit: Option<i64>,
}

impl Totals {
    /// A fingerprint of all of it.
    pub(super) fn sum(&self) -> String {
        let Self { frame, events, adjustments, places, digests, at_limit } = self;
        sha256(&format!("{frame:?} {events:?} {adjustments:?} {places:?} {digests:?} {at_limit:?}"))
    }

    /// How many events.
    pub(crate) fn events(&self) -> u64 {
        self.events[0].unwrap_or_default().unsigned_abs()
    }

    /// How many adjustments.
    pub(crate) fn adjustments(&self) -> u64 {
        self.adjustments[0].unwrap_or_default().unsigned_abs()
    }
}

/// Which database this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Drawn at random when its tables were made.
    pub(crate) identity: i64,
    /// The last ids that were given. No event, floor or adjustment after these has one yet.
    pub(super) last_event_id: i64,
    pub(super) last_floor_id: i64,
    pub(super) last_adjustment_id: i64,
}

/// Rows of one table in the order of their keys.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    Adjustments(Vec<Adjustment>),
    Digests(Vec<Digest>),
    Events(Vec<Event>),
    AtLimit(Vec<AtLimitRow>),
    Places(Vec<PlaceRow>),
}

/// A row that is copied.
pub(super) trait Copied: PartialEq {
    /// Where it stands.
    fn key(&self) -> Key;
}

impl Copied for Adjustment {
    fn key(&self) -> Key {
        (self.id, 0)
    }
}

impl Copied for Digest {
    fn key(&self) -> Key {
        (self.hour, self.floor_id)
    }
}

impl Copied for Event {
    fn key(&self) -> Key {
        (self.id, self.timestamp.as_microsecond())
    }
}

impl Copied for AtLimitRow {
    fn key(&self) -> Key {
        (self.event_id, 0)
    }
}

impl Copied for PlaceRow {
    fn key(&self) -> Key {
        (self.fact.id, 0)
    }
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.keys().len()
    }

    /// The key of the last row.
    pub(crate) fn last_key(&self) -> Option<Key> {
        self.keys().last().copied()
    }

    /// The floors that the rows hang on.
    pub(crate) fn floor_ids(&self) -> BTreeSet<i64> {
        match self {
            Self::Adjustments(rows) => rows.iter().map(|row| row.floor_id).collect(),
            Self::Digests(rows) => rows.iter().map(|row| row.floor_id).collect(),
            Self::Events(rows) => rows.iter().map(|row| row.floor_id).collect(),
            Self::AtLimit(rows) => rows.iter().map(|row| row.floor_id).collect(),
            Self::Places(rows) => rows.iter().map(|row| row.floor_id).collect(),
        }
    }

    fn keys(&self) -> Vec<Key> {
        fn keys<T: Copied>(rows: &[T]) -> Vec<Key> {
            rows.iter().map(Copied::key).collect()
        }
        match self {
            Self::Adjustments(rows) => keys(rows),
            Self::Digests(rows) => keys(rows),
            Self::Events(rows) => keys(rows),
            Self::AtLimit(rows) => keys(rows),
            Self::Places(rows) => keys(rows),
        }
    }
}

/// What is to be done so that a stretch of the target becomes that of the source.
pub(super) struct Difference {
    /// Up to where: further on the target has more rows than are looked at together.
    pub(super) reached: Key,
    /// Rows to be taken out.
    pub(super) stale: Vec<Key>,
    /// Rows to be put in.
    pub(super) fresh: Rows,
}

impl Difference {
    /// Compares all rows `wanted` in a stretch that ends at `upto` with those that are `stored`
    /// there, which were read up to `limit`.
    pub(super) fn new(stored: Rows, wanted: Rows, upto: Key, limit: usize) -> Self {
        let full = stored.len() >= limit;
        let reached = stored.last_key().filter(|_| full).unwrap_or(upto);
        fn compare<T: Copied>(stored: Vec<T>, wanted: Vec<T>, upto: Key) -> (Vec<Key>, Vec<T>) {
            let mut stale = Vec::new();
            let mut fresh = Vec::new();
            let mut stored = stored.into_iter().peekable();
            for row in wanted.into_iter().take_while(|row| row.key() <= upto) {
                while let Some(old) = stored.next_if(|old| old.key() < row.key()) {
                    stale.push(old.key());
                }
                match stored.next_if(|old| old.key() == row.key()) {
                    Some(same) if same == row => {}
                    Some(old) => {
                        stale.push(old.key());
                        fresh.push(row);
                    }
                    None => fresh.push(row),
                }
            }
            stale.extend(stored.map(|old| old.key()));
            (stale, fresh)
        }
        let (stale, fresh) = match (stored, wanted) {
            (Rows::Adjustments(stored), Rows::Adjustments(wanted)) => {
                let (stale, fresh) = compare(stored, wanted, reached);
                (stale, Rows::Adjustments(fresh))
            }
            (Rows::Digests(stored), Rows::Digests(wanted)) => {
                let (stale, fresh) = compare(stored, wanted, reached);
                (stale, Rows::Digests(fresh))
            }
            (Rows::Events(stored), Rows::Events(wanted)) => {
                let (stale, fresh) = compare(stored, wanted, reached);
                (stale, Rows::Events(fresh))
            }
            (Rows::AtLimit(stored), Rows::AtLimit(wanted)) => {
                let (stale, fresh) = compare(stored, wanted, reached);
                (stale, Rows::AtLimit(fresh))
            }
            (Rows::Places(stored), Rows::Places(wanted)) => {
                let (stale, fresh) = compare(stored, wanted, reached);
                (stale, Rows::Places(fresh))
            }
            // Rows of two tables have nothing in common.
            (_, wanted) => (Vec::new(), wanted),
        };
        Self { reached, stale, fresh }
    }

    /// Nothing that a target holds beyond its source is taken out unless the source has forgotten
    /// it, or somebody withdrew it there: it may have been acknowledged to somebody.
    pub(super) fn refuse_foreign(
        &self,
        horizon: Option<i64>,
        withdrawn: &[WithdrawnRow],
    ) -> Result<()> {
        let forgotten = |at: i64| horizon.is_some_and(|horizon| at < horizon);
        let is_withdrawn = |id: i64| withdrawn.iter().any(|row| row.is_event && row.id == id);
        let foreign = match self.fresh {
            Rows::Events(_) => {
                self.stale.iter().any(|(id, at)| !forgotten(*at) && !is_withdrawn(*id))
            }
            _ => false,
        };
        if foreign { Err(foreign_data()) } else { Ok(()) }
    }
}

/// A target that holds what its source does not.
pub(super) fn foreign_data() -> Error {
    Error::Unusable(
        "the unfinished copy holds floors or events that its source does not: the source was \
         emptied, or somebody wrote to the copy. Begin again with an empty database"
            .into(),
    )
}

/// Stands for the source of a copy that has not begun: no database has this identity.
pub(super) const NOT_BEGUN: i64 = 0;

/// What a database says about itself as the target of a copy.
#[derive(Debug)]
pub(super) struct Target {
    /// The source while the copy is not finished.
    pub(super) copy_of: Option<i64>,
    /// The source of the copy that was finished last.
    pub(super) copied_from: Option<i64>,
    /// The fingerprint of what it held then.
    pub(super) copied_sum: Option<String>,
    /// Whether it holds nothing at all.
    pub(super) is_empty: bool,
}

impl Target {
    /// Whether it is a finished copy of `source`. Then [`Target::admit`] wants to know what it
    /// holds now.
    pub(super) fn may_go_on(&self, source: i64) -> bool {
        !self.is_empty && self.copy_of.is_none() && self.copied_from == Some(source)
    }

    /// Admits a copy of `source`: to an empty database, to an unfinished copy of the same source,
    /// and to a finished one that still holds exactly what that copy put there.
    pub(super) fn admit(&self, source: i64, held: Option<&Totals>) -> Result<()> {
        match self.copy_of {
            Some(of) if of == source || (of == NOT_BEGUN && self.is_empty) => return Ok(()),
            Some(_) => {
                return Err(Error::Unusable(
                    "the target is an unfinished copy of another database; finish that one, or \
                     name an empty database"
                        .into(),
                ));
            }
            None if self.is_empty => return Ok(()),
            None => {}
        }
        let held = held.filter(|_| self.may_go_on(source)).map(Totals::sum);
        if held.is_some() && held == self.copied_sum { Ok(()) } else { Err(Error::NotEmpty) }
    }
}

/// Refuses a copy that is not finished.
pub(super) fn require_whole(copy_of: Option<i64>) -> Result<()> {
    if copy_of.is_none() {
        return Ok(());
    }
    Err(Error::Unusable(
        "the database is an unfinished copy: finish it with the same `smartpark copy --from … \
         --to …` as before, or remove it"
            .into(),
    ))
}

/// A step of a copy whose target is no longer the copy that it was.
pub(super) fn require_unfinished(copy_of: Option<i64>, source: i64) -> Result<()> {
    if copy_of == Some(source) {
        return Ok(());
    }
    Err(Error::Unusable("the copy was finished, or begun anew, by somebody else meanwhile".into()))
}
