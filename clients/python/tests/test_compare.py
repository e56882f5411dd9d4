"""Which delivered events are sent again."""

from __future__ import annotations

import unittest
from typing import Any

from smartpark_client._compare import HOUR, compare, digest, path, window
from smartpark_client._crossing import instant
from smartpark_client._records import Delivered

NONE = "0" * 32


def event(number: int, track: str, micros: int) -> Delivered:
    return Delivered(number, track, "entry", micros)


def answer(*slices: tuple[int, int, str], horizon: Any = None) -> dict[str, Any]:
    made = [
        {"start": instant(hour * HOUR), "events": events, "digest": text}
        for hour, events, text in slices
    ]
    return {"horizon": horizon, "slices": made}


class CompareTest(unittest.TestCase):
    def test_the_digest_is_the_servers(self) -> None:
        known = event(1, "track_12345", 1_770_892_245_000_000)
        self.assertEqual(digest("cam_001", [known]), "3da7286f4a43cf98d86b5ef26821cdb3")

    def test_hours_that_differ_are_sent_again_until_it_is_known_to_be_in_vain(self) -> None:
        events = [event(1, "a", 5), event(2, "b", HOUR), event(3, "c", HOUR + 7)]
        first = digest("c", events[:1])
        known: list[Any] = []
        for sent in (1, 2, 3):
            found = compare("c", events, (0, 2), answer((0, 1, first), (1, 0, NONE)), known)
            assert found is not None
            again, known = found
            self.assertEqual((again, [piece.sent for piece in known]), ([2, 3], [sent]))
        found = compare("c", events, (0, 2), answer((0, 1, first), (1, 0, NONE)), known)
        assert found is not None
        self.assertEqual(found[0], [])
        found = compare("c", events, (0, 2), answer((0, 0, NONE), (1, 0, NONE)), known)
        assert found is not None
        self.assertEqual(found[0], [1], "once the server changes, it is tried anew")

    def test_what_the_server_forgot_on_purpose_is_not_sent_again(self) -> None:
        events = [event(1, "a", 0), event(2, "b", 1_000_000)]
        stored = answer((0, 1, digest("c", events[1:])), horizon="1970-01-01T00:00:01Z")
        self.assertEqual(compare("c", events, (0, 1), stored, []), ([], []))

    def test_an_answer_about_something_else_is_none(self) -> None:
        bad: list[Any] = [None, [], {}, {"slices": 7}, {"slices": [1]}, answer()]
        bad += [answer((1, 0, NONE)), answer((0, 0, NONE), (1, 0, NONE))]
        for stored in bad:
            self.assertIsNone(compare("c", [event(1, "a", 0)], (0, 1), stored, []), stored)

    def test_the_window_ends_at_the_newest_event_and_is_bounded(self) -> None:
        self.assertIsNone(window([]))
        events = [event(hour, "a", hour * HOUR) for hour in (0, 1, 31 * 24)]
        self.assertEqual(window(events), (1, 31 * 24 + 1))
        asked = path("cam ü&1", (0, 1))
        self.assertTrue(asked.startswith("/events/digest?camera_id=cam%20%C3%BC%261&start=1970"))
