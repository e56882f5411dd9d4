//! kill -9 of a server under load.

use std::collections::BTreeMap;

use smartpark::{EventFilter, Options, SmartPark};

use super::load::{Connection, Shared};
use crate::cli::{Folder, Server, garage::Random};

const KILLS: usize = 14;
const CONNECTIONS: usize = 6;

/// The stored events' ids by their tracks, and the sum of all counts.
pub(super) fn stored(folder: &Folder) -> (BTreeMap<String, i64>, i64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let park = SmartPark::connect(folder.url(), Options::default()).await.unwrap();
        let (mut ids, mut cursor) = (BTreeMap::new(), None);
        loop {
            let events = park.events();
            let page = events.get_events(EventFilter::default(), 1000, cursor).await.unwrap();
            for event in page.events {
                let twice = ids.insert(event.track_id, event.id);
                assert_eq!(twice, None, "one event is stored twice");
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        let floors = park.floors().get_all_floors().await.unwrap();
        let count = floors.iter().map(|floor| floor.current_vehicles).sum();
        park.close().await;
        (ids, count)
    })
}

/// What is stored must be what was acknowledged, and nothing that was never sent.
fn assert_kept(folder: &Folder, shared: &Shared) {
    folder.run(&["check"]).ok();
    let (ids, count) = stored(folder);
    shared.with(|journal| {
        for (track, id) in &journal.accepted {
            let kept = ids.get(track);
            assert!(kept.is_some(), "{track} was acknowledged and is lost");
            assert!(id.is_none_or(|id| Some(&id) == kept), "{track} was {id:?}, is {kept:?}");
        }
        for track in ids.keys() {
            assert!(journal.sent.contains(track), "{track} was never sent");
        }
    });
    assert_eq!(count, i64::try_from(ids.len()).unwrap(), "every event counts once");
}

#[test]
fn a_killed_server_keeps_all_that_it_acknowledged() {
    let slots = 1_000_000;
    let folder = Folder::with_floors(&[("1F", slots), ("2F", slots), ("3F", slots)]);
    let shared = Shared::default();
    let mut connections: Vec<_> = (0..CONNECTIONS).map(Connection::new).collect();
    let mut random = Random(42);
    for _ in 0..KILLS {
        let server = Server::start(&folder, &[]);
        let url = server.url.clone();
        std::thread::scope(|scope| {
            for connection in &mut connections {
                scope.spawn(|| connection.run(&url, &shared));
            }
            shared.wait_for(1 + random.below(600), CONNECTIONS);
            server.kill();
        });
        assert_kept(&folder, &shared);
    }
    let server = Server::start(&folder, &[]);
    for connection in &mut connections {
        connection.settle(&server.url, &shared);
    }
    assert_eq!(server.stop().0, Some(0));
    assert_kept(&folder, &shared);
    let (ids, _) = stored(&folder);
    shared.with(|journal| assert_eq!(ids.len(), journal.sent.len(), "all is settled"));
}
