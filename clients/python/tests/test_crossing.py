"""What a crossing becomes, and what does not fit."""

from __future__ import annotations

import json
import math
import unittest
from datetime import datetime, timedelta, timezone
from typing import Any

from smartpark_client import Invalid
from smartpark_client._crossing import NO_FLOOR, Event, events


def made(**changed: Any) -> list[Event]:
    fields: dict[str, Any] = {
        "camera_id": "ramp",
        "floor": 2,
        "track_id": "t1",
        "direction": "entry",
        "from_floor": None,
        "vehicle_type": "car",
        "confidence": 0.8,
        "timestamp": datetime(2026, 2, 12, 10, 30, 45, 123456, timezone.utc),
    }
    return events(**{**fields, **changed})


class CrossingTest(unittest.TestCase):
    def test_a_crossing_is_one_event(self) -> None:
        (event,) = made()
        self.assertEqual(
            event.body,
            '{"floor_id":2,"camera_id":"ramp","track_id":"t1","vehicle_type":"car",'
            '"direction":"entry","confidence":0.8,"timestamp":"2026-02-12T10:30:45.123456Z"}',
        )

    def test_a_ramp_is_two_events_of_one_moment(self) -> None:
        first, second = made(floor="Level 1", from_floor=7, direction="exit")
        self.assertEqual((first.floor_name, first.direction), ("Level 1", "exit"))
        self.assertEqual((second.floor_name, second.direction), (None, "entry"))
        self.assertEqual(first.micros, second.micros)
        self.assertTrue(first.body.startswith(NO_FLOOR))

    def test_every_form_of_time_names_the_same_instant(self) -> None:
        east = timezone(timedelta(hours=5, minutes=30))
        moment = datetime(2026, 2, 12, 16, 0, 45, 250000, east)
        for form in (moment, moment.timestamp()):
            (event,) = made(timestamp=form)
            self.assertEqual(json.loads(event.body)["timestamp"], "2026-02-12T10:30:45.250000Z")
        (old,) = made(timestamp=datetime(987, 1, 2, tzinfo=timezone.utc))
        self.assertEqual(json.loads(old.body)["timestamp"], "0987-01-02T00:00:00.000000Z")

    def test_every_field_that_does_not_fit_is_named(self) -> None:
        table: list[tuple[dict[str, Any], list[str]]] = [
            ({"camera_id": ""}, ["camera_id"]),
            ({"camera_id": "x" * 101}, ["camera_id"]),
            ({"track_id": 7}, ["track_id"]),
            ({"track_id": "a\nb"}, ["track_id"]),
            ({"track_id": "\ud800"}, ["track_id"]),
            ({"floor": 0}, ["floor"]),
            ({"floor": True}, ["floor"]),
            ({"floor": 2**63}, ["floor"]),
            ({"from_floor": 2}, ["from_floor"]),
            ({"direction": "in", "vehicle_type": "van"}, ["direction", "vehicle_type"]),
            ({"confidence": math.nan}, ["confidence"]),
            ({"confidence": 1.01}, ["confidence"]),
            ({"timestamp": datetime(2026, 2, 12)}, ["timestamp"]),
            ({"timestamp": "2026-02-12"}, ["timestamp"]),
            ({"timestamp": math.inf}, ["timestamp"]),
            ({"timestamp": 10.0**12}, ["timestamp"]),
        ]
        for changed, fields in table:
            with self.subTest(changed), self.assertRaises(Invalid) as caught:
                made(**changed)
            self.assertEqual([fault.split()[0] for fault in caught.exception.faults], fields)
