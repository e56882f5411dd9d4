"""A crossing as a camera program reports it, and the events that it makes."""

from __future__ import annotations

import json
import math
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Optional, Union

from ._errors import Invalid
from ._limits import MAX_NAME_CHARS

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)
VEHICLE_TYPES = ("car", "motorcycle", "bus", "truck")
OPPOSITE = {"entry": "exit", "exit": "entry"}

# How the body of an event begins while its floor is only known by name.
NO_FLOOR = '{"floor_id":null,'

# A floor by its id or by its name.
Floor = Union[int, str]
# A time with a zone, or seconds since 1970 as `time.time()` gives them.
When = Union[datetime, float]


@dataclass(frozen=True)
class Event:
    """An event on its way to the spool. Camera, track, direction and time are its key."""

    camera_id: str
    track_id: str
    direction: str
    micros: int
    floor_name: Optional[str]
    body: str


def instant(micros: int) -> str:
    """A time as the server reads it."""
    moment = EPOCH + timedelta(microseconds=micros)
    return moment.strftime(f"{moment.year:04}-%m-%dT%H:%M:%S.%fZ")


def events(
    camera_id: str,
    floor: Floor,
    track_id: str,
    direction: str,
    *,
    from_floor: Optional[Floor],
    vehicle_type: str,
    confidence: float,
    timestamp: When,
) -> list[Event]:
    """The events of a crossing: one, or two for a ramp. Names every field that does not fit."""
    faults: list[str] = []
    _check_name("camera_id", camera_id, faults)
    _check_name("track_id", track_id, faults)
    _check_floor("floor", floor, faults)
    if from_floor is not None:
        _check_floor("from_floor", from_floor, faults)
        if from_floor == floor:
            faults.append("from_floor must be another floor than floor")
    if direction not in OPPOSITE:
        faults.append("direction must be one of: entry, exit")
    if vehicle_type not in VEHICLE_TYPES:
        faults.append("vehicle_type must be one of: " + ", ".join(VEHICLE_TYPES))
    is_number = isinstance(confidence, (int, float)) and not isinstance(confidence, bool)
    if not is_number or not 0 <= confidence <= 1:
        faults.append("confidence must be a number from 0 to 1")
    micros = _micros(timestamp, faults)
    if faults:
        raise Invalid(faults)
    sides = [(floor, direction)]
    if from_floor is not None:
        sides.append((from_floor, OPPOSITE[direction]))
    made = []
    for side, way in sides:
        name = side if isinstance(side, str) else None
        # floor_id stands first, for NO_FLOOR.
        members = {
            "floor_id": None if name is not None else side,
            "camera_id": camera_id,
            "track_id": track_id,
            "vehicle_type": vehicle_type,
            "direction": way,
            "confidence": confidence,
            "timestamp": instant(micros),
        }
        body = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
        made.append(Event(camera_id, track_id, way, micros, name, body))
    return made


def _micros(timestamp: When, faults: list[str]) -> int:
    """Microseconds since 1970, cut downwards as at the server."""
    if isinstance(timestamp, datetime):
        if timestamp.tzinfo is None or timestamp.utcoffset() is None:
            faults.append(
                "timestamp must have a time zone: local time is ambiguous twice a year; "
                "use datetime.now(timezone.utc)"
            )
            return 0
        return (timestamp - EPOCH) // MICROSECOND
    if isinstance(timestamp, bool) or not isinstance(timestamp, (int, float)):
        faults.append("timestamp must be a datetime with a zone, or seconds since 1970")
        return 0
    if not math.isfinite(timestamp) or not -62_135_596_800 <= timestamp < 253_402_300_800:
        faults.append("timestamp must lie in the years 1 to 9999, in seconds since 1970")
        return 0
    return math.floor(timestamp * 1_000_000)


def _check_floor(field: str, floor: object, faults: list[str]) -> None:
    if isinstance(floor, str):
        _check_name(field, floor, faults)
    elif isinstance(floor, bool) or not isinstance(floor, int) or not 1 <= floor < 2**63:
        faults.append(f"{field} must be an id of 1 or more, or a name")


def _check_name(field: str, name: object, faults: list[str]) -> None:
    if not isinstance(name, str):
        faults.append(f"{field} must be text")
    elif not 1 <= len(name) <= MAX_NAME_CHARS:
        faults.append(f"{field} must have 1 to 100 characters")
    elif any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        faults.append(f"{field} must not contain control characters")
