"""A server that comes back with an older database, or that somebody withdrew events from."""

from __future__ import annotations

import shutil
import tempfile
import time
import unittest
from pathlib import Path

from smartpark_client import Client, _sender

from .program import Server, needs_program


@needs_program
class RestoreTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = Server(self.folder).start()
        self.addCleanup(self.server.kill)

    def test_what_a_restored_server_lacks_is_sent_again_and_only_that(self) -> None:
        spool, now = self.folder / "spool.db", time.time()
        with Client(self.server.url, spool) as client:
            for hour in (9, 5, 1):
                client.crossing("a", 1, f"early-{hour}", "entry", timestamp=now - hour * 3_600)
            self.assertTrue(client.flush(60))
            self.server.kill()
            self.server.back_up()
            self.server.start()
            client.crossing("a", 1, "late", "entry", timestamp=now)
            client.crossing("b", 1, "late", "entry", timestamp=now - 3 * 3_600)
            self.assertTrue(client.flush(60))
        self.server.kill()
        self.server.restore()
        self.server.start()
        self.assertEqual(len(self.server.events()), 3)
        # A new start compares; so does the end of an outage that the client has noticed.
        with Client(self.server.url, spool):
            end = time.monotonic() + 60
            while len(self.server.events()) < 5:
                self.assertLess(time.monotonic(), end, "the missing events do not come")
        tracks = sorted(event["track_id"] for event in self.server.events())
        self.assertEqual(tracks, ["early-1", "early-5", "early-9", "late", "late"])

    def test_a_floor_by_name_waits_until_it_is_made(self) -> None:
        self.addCleanup(setattr, _sender, "FLOORS_PAUSE", _sender.FLOORS_PAUSE)
        _sender.FLOORS_PAUSE = 0.1
        with Client(self.server.url, self.folder / "spool.db") as client:
            client.crossing("a", "Level ü", "one", "entry", from_floor="Ground Floor")
            end = time.monotonic() + 60
            while client.health().counts.delivered < 1:
                self.assertLess(time.monotonic(), end)
            self.assertEqual(client.health().counts.without_floor, 1)
            self.assertIn("the server knows no floor Level ü", str(client.health().last_error))
            self.server.send("POST", "/floors", {"name": "Level ü", "total_slots": 5})
            self.assertTrue(client.flush(60))
        self.assertEqual(len(self.server.events()), 2)
