"""What a spool keeps, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from . import _limits


@dataclass(frozen=True)
class Limits:
    """How much a spool keeps. An event more than `waiting` is refused and counted as lost; of dead
    letters and delivered events the oldest go."""

    waiting: int = _limits.MAX_WAITING
    dead: int = _limits.MAX_DEAD
    delivered: int = _limits.MAX_DELIVERED


@dataclass(frozen=True)
class Counts:
    """How many events are where. `waiting` has those that are held, and those whose floor the
    server does not know. Times are microseconds since 1970 UTC."""

    waiting: int
    held: int
    without_floor: int
    again: int
    dead: int
    delivered: int
    oldest: Optional[int]


@dataclass(frozen=True)
class DeadLetter:
    """An event that the server refused for good."""

    id: int
    body: str
    status: int
    reason: str
    refused_at: int


@dataclass(frozen=True)
class Loss:
    """Events of a camera that were not kept. `reason`: `full` (too many events waited) or
    `dead_letters` (too many refused events were kept)."""

    camera_id: str
    reason: str
    events: int
    first_at: int
    last_at: int


@dataclass(frozen=True)
class Delivered:
    """The key of a delivered event."""

    id: int
    track_id: str
    direction: str
    micros: int


@dataclass(frozen=True)
class DifferingSlice:
    """A slice of time in which the server's events differ from ours, and how often ours were sent
    again while both were like this."""

    start: int
    theirs: str
    ours: str
    sent: int
