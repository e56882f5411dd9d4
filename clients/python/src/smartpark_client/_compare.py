"""Which delivered events the server no longer has: by digests of the hours in which they happened
(`GET /events/digest`)."""

from __future__ import annotations

import hashlib
import urllib.parse
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Optional

from ._crossing import EPOCH, MICROSECOND, instant
from ._limits import COMPARED_HOURS, MAX_SENT
from ._records import Delivered, DifferingSlice

HOUR = 3_600_000_000  # in microseconds


def window(events: Sequence[Delivered]) -> Optional[tuple[int, int]]:
    """The hours to ask for: from the first until before the second, counted from 1970. The window
    that the server answers at once, up to the newest event."""
    if not events:
        return None
    hours = [event.micros // HOUR for event in events]
    last = max(hours)
    return min(hour for hour in hours if hour > last - COMPARED_HOURS), last + 1


def path(camera: str, hours: tuple[int, int]) -> str:
    """The path that asks for the digests of these hours."""
    start, end = (instant(hour * HOUR) for hour in hours)
    asked = {"camera_id": camera, "start": start, "end": end, "step": 3600}
    return "/events/digest?" + urllib.parse.urlencode(asked, quote_via=urllib.parse.quote)


def compare(
    camera: str,
    events: Sequence[Delivered],
    hours: tuple[int, int],
    answer: Any,
    before: Sequence[DifferingSlice],
) -> Optional[tuple[list[int], list[DifferingSlice]]]:
    """The events to be sent again, and the hours that differ. None if the answer is about something
    else."""
    try:
        # The server has forgotten what lies before, and would refuse it.
        horizon = _micros(answer["horizon"]) if answer.get("horizon") else None
        stored = [
            (_micros(piece["start"]), f"{int(piece['events'])} {piece['digest']}")
            for piece in answer["slices"]
        ]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if [start for start, _ in stored] != [hour * HOUR for hour in range(*hours)]:
        return None
    own: dict[int, list[Delivered]] = defaultdict(list)
    for event in events:
        if horizon is None or event.micros >= horizon:
            own[event.micros // HOUR].append(event)
    again: list[int] = []
    differing = []
    for start, theirs in stored:
        mine = own.get(start // HOUR)
        if not mine:
            continue
        ours = f"{len(mine)} {digest(camera, mine)}"
        if ours == theirs:
            continue
        known = [piece.sent for piece in before if _is(piece, start, theirs, ours)]
        sent = known[0] if known else 0
        if sent < MAX_SENT:
            again.extend(event.id for event in mine)
        differing.append(DifferingSlice(start, theirs, ours, min(MAX_SENT, sent + 1)))
    return again, differing


def _is(piece: DifferingSlice, start: int, theirs: str, ours: str) -> bool:
    return (piece.start, piece.theirs, piece.ours) == (start, theirs, ours)


def digest(camera: str, events: Sequence[Delivered]) -> str:
    """The digest of a set of events: the exclusive or of the first 16 bytes of the SHA-256 of each
    key."""
    number = 0
    for event in events:
        key = f"{camera}\n{event.track_id}\n{event.direction}\n{event.micros}"
        number ^= int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big")
    return f"{number:032x}"


def _micros(text: str) -> int:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment - EPOCH) // MICROSECOND
