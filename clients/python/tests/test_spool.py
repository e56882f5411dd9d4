"""The spool: what is on disk, what is refused, and what a damaged file says."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import unittest
from pathlib import Path
from typing import Any

from smartpark_client import Damaged, Full, Limits, NotASpool, Spool, Unavailable
from smartpark_client._answer import DELIVERED, Outcome
from smartpark_client._crossing import Event, events

DEAD = Outcome("dead", 422, "no")


def one(track: str, **changed: Any) -> list[Event]:
    fields: dict[str, Any] = {"floor": 1, "from_floor": None, "direction": "entry"}
    fields.update(changed)
    return events(
        "ramp", track_id=track, vehicle_type="car", confidence=0.8, timestamp=9.0, **fields
    )


class SpoolTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = self.folder / "spool.db"

    def open(self, **limits: int) -> Spool:
        spool = Spool(self.path, Limits(**limits))
        self.addCleanup(spool.close)
        return spool

    def test_events_are_kept_over_a_restart_and_a_repeat_is_the_same(self) -> None:
        spool = self.open()
        self.assertEqual(spool.put(one("a"), 1), 1)
        self.assertEqual(spool.put(one("a"), 2), 0)
        self.assertEqual(spool.put(one("b", from_floor=2), 3), 2)
        spool.close()
        again = self.open()
        bodies = [item.body for item in again.waiting(10)]
        made = [event.body for event in one("a") + one("b", from_floor=2)]
        self.assertEqual(bodies, made)

    def test_a_full_spool_counts_what_is_lost(self) -> None:
        spool = self.open(waiting=2)
        spool.put(one("a"), 1)
        spool.put(one("b"), 1)
        self.assertEqual(spool.put(one("b"), 1), 0, "a repeat takes no room")
        for event in (one("c"), one("d", from_floor=2)):
            with self.assertRaises(Full):
                spool.put(event, 7)
        (loss,) = spool.losses()
        self.assertEqual((loss.camera_id, loss.reason, loss.events), ("ramp", "full", 3))
        spool.settle([(1, DELIVERED)], 8)
        self.assertEqual(spool.put(one("c"), 9), 1, "then there is room again")

    def test_of_dead_letters_and_delivered_events_the_oldest_go(self) -> None:
        spool = self.open(dead=1, delivered=2)
        for number in range(6):
            spool.put(one(str(number)), 1)
        spool.settle([(1, DEAD), (2, DEAD), (3, DELIVERED), (4, DELIVERED), (5, DELIVERED)], 2)
        self.assertEqual([letter.id for letter in spool.dead_letters()], [2])
        self.assertEqual([event.id for event in spool.delivered("ramp")], [4, 5])
        self.assertEqual([loss.reason for loss in spool.losses()], ["dead_letters"])
        self.assertEqual(spool.retry_dead_letters([99]), 0)
        self.assertEqual(spool.retry_dead_letters(), 1)
        self.assertEqual([item.id for item in spool.waiting(9)], [2, 6])

    def test_what_the_server_forgot_stays_delivered_if_it_was(self) -> None:
        spool = self.open()
        spool.put(one("a") + one("b"), 1)
        spool.settle([(1, DELIVERED)], 2)
        spool.send_again("ramp", [1], [])
        spool.settle([(1, Outcome("too_old", 422, "old")), (2, Outcome("too_old", 422, "old"))], 3)
        counts = spool.counts()
        self.assertEqual((counts.delivered, counts.dead, counts.again), (1, 1, 0))

    def test_a_floor_by_name_is_written_into_the_event_once_it_is_known(self) -> None:
        spool = self.open()
        spool.put(one("a", floor="Level ü"), 1)
        spool.put(one("b", floor="Level 2"), 1)
        self.assertEqual(spool.waiting(9), [])
        self.assertEqual(spool.floors_to_find(), ["Level 2", "Level ü"])
        spool.set_floors({"Level ü": 7, "Other": 8})
        self.assertEqual([item.body for item in spool.waiting(9)], [one("a", floor=7)[0].body])
        self.assertEqual(spool.counts().without_floor, 1)

    def test_an_event_that_fails_leaves_nothing_behind(self) -> None:
        spool = self.open()
        other = sqlite3.connect(self.path)
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.track_id = 'b' "
            "AND NEW.direction = 'exit' BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
        other.close()
        with self.assertRaisesRegex(Unavailable, "disk full"):
            spool.put(one("b", from_floor=2), 1)
        self.assertEqual(spool.put(one("a"), 1), 1)
        self.assertEqual([item.body for item in spool.waiting(9)], [one("a")[0].body])

    def test_only_one_sends(self) -> None:
        spool = self.open()
        lock = spool.lock_sender()
        assert lock is not None
        self.assertIsNone(self.open().lock_sender())
        lock.close()
        other = spool.lock_sender()
        assert other is not None
        other.close()

    def test_a_file_that_is_no_spool_is_refused_with_words(self) -> None:
        self.path.write_text("x" * 5_000)
        with self.assertRaisesRegex(NotASpool, "not an SQLite file"):
            self.open()
        self.path.unlink()
        foreign = sqlite3.connect(self.path)
        foreign.execute("CREATE TABLE cars (id INTEGER)")
        foreign.close()
        with self.assertRaisesRegex(NotASpool, "of another program"):
            self.open()
        self.path.unlink()
        self.open().close()
        newer = sqlite3.connect(self.path)
        newer.execute("PRAGMA user_version = 2")
        newer.close()
        with self.assertRaisesRegex(NotASpool, "version 2 of its tables is newer"):
            self.open()
        with self.assertRaises(Unavailable):
            Spool(self.folder / "missing" / "spool.db")

    def test_a_damaged_spool_is_told_and_never_replaced(self) -> None:
        spool = self.open()
        for track in range(500):
            spool.put(one(f"track-{track}"), 1)
        spool.close()
        content = bytearray(self.path.read_bytes())
        content[8_192:40_960] = b"Z" * 32_768
        self.path.write_bytes(content)
        with self.assertRaises(Damaged):
            self.open()
        self.assertEqual(self.path.read_bytes(), bytes(content))

    def test_a_file_that_was_removed_while_in_use_takes_nothing_silently(self) -> None:
        spool = self.open()
        spool.put(one("a"), 1)
        os.remove(self.path)
        with self.assertRaisesRegex(Unavailable, "moved or removed while in use"):
            spool.put(one("b"), 1)

    def test_the_tables_are_those_of_the_rust_crate(self) -> None:
        repository = Path(__file__).parents[3]
        theirs = repository / "crates/smartpark-client/src/spool/schema.sql"
        if not theirs.exists():
            self.skipTest("not in the repository")
        ours = repository / "clients/python/src/smartpark_client/schema.sql"
        self.assertEqual(ours.read_text(), theirs.read_text())
