//! How things stand, and what has changed since a watcher was told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use super::{News, Piece, Told};
use crate::{Floor, Position, model::Site};

type Floors = BTreeMap<i64, Arc<Told<Floor>>>;

/// How things stand. All events up to the position are in the ring or in the store.
#[derive(Debug)]
pub(super) struct State {
    floors: Floors,
    site: Arc<Told<Site>>,
    pub(super) position: Position,
    /// The state before this one, which is remembered but not kept.
    before: Weak<State>,
    /// What has changed since then: most watchers are told just that.
    changed: Arc<Piece>,
}

impl State {
    /// The state that follows another. What stayed as it was is not told anew.
    pub(super) fn after(old: Option<&Arc<Self>>, floors: Vec<Floor>, position: Position) -> Self {
        let site = Site::of(&floors);
        let site = match old.filter(|old| old.site.value == site) {
            Some(old) => Arc::clone(&old.site),
            None => Told::new(site),
        };
        let same =
            |floor: &Floor| old?.floors.get(&floor.id).filter(|old| old.value == *floor).cloned();
        let floors: Floors = floors
            .into_iter()
            .map(|floor| (floor.id, same(&floor).unwrap_or_else(|| Told::new(floor))))
            .collect();
        let changed = Told::new(differences(old.map(|old| &**old), &floors, &site));
        let before = old.map(Arc::downgrade).unwrap_or_default();
        Self { floors, site, position, before, changed }
    }

    /// Whether it is anything else than the state before it.
    pub(super) fn is_new(&self) -> bool {
        let before = self.before.upgrade();
        before.is_none_or(|it| it.position != self.position || !self.changed.value.is_empty())
    }

    /// What is to be told to whom this was told last.
    pub(super) fn since(&self, told: Option<&Arc<Self>>) -> Arc<Piece> {
        match told {
            Some(told) if Weak::as_ptr(&self.before) == Arc::as_ptr(told) => {
                Arc::clone(&self.changed)
            }
            _ => Told::new(differences(told.map(|told| &**told), &self.floors, &self.site)),
        }
    }
}

/// What is not as it was told.
fn differences(told: Option<&State>, floors: &Floors, site: &Arc<Told<Site>>) -> Vec<News> {
    let mut news = Vec::new();
    for (id, floor) in floors {
        let same = told.and_then(|told| told.floors.get(id));
        if !same.is_some_and(|same| Arc::ptr_eq(same, floor)) {
            news.push(News::Floor(Arc::clone(floor)));
        }
    }
    if let Some(told) = told {
        let gone = told.floors.keys().filter(|id| !floors.contains_key(id));
        news.extend(gone.map(|id| News::FloorRemoved(*id)));
    }
    if !told.is_some_and(|told| Arc::ptr_eq(&told.site, site)) {
        news.push(News::Site(Arc::clone(site)));
    }
    news
}
