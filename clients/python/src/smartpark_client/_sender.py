"""The sender: a machine without clock, disk or network. It is asked what to do next at a time, and
is told what came of it.

- Events go out in the order of the spool. Only events that the server holds (422 `future`) or whose
  floor it does not know step aside, so that they do not stop all others.
- One request at a time. It is repeated byte for byte until the server answers.
- An event is settled once, by an answer that names it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Optional, Union

from ._answer import Answer, Outcome, Refused, Rows, meaning
from ._limits import (
    COMPARE_INTERVAL,
    FLOORS_PAUSE,
    FRESH_EVENT,
    HOLD_PAUSE,
    MAX_BATCH_EVENTS,
    MAX_PAUSE,
    MIN_PAUSE,
    SLOW_FAILURES,
)


@dataclass(frozen=True)
class Item:
    """An event that is to be sent."""

    id: int
    body: str
    spooled_at: int
    is_late: bool


@dataclass(frozen=True)
class Read:
    """Read this many waiting events and give them to `Sender.give`."""

    limit: int


@dataclass(frozen=True)
class ReadHeld:
    """Read these held events, and give them to `Sender.give`."""

    ids: tuple[int, ...]


@dataclass(frozen=True)
class FindFloors:
    """Ask the server for its floors, then call `Sender.found_floors`."""


@dataclass(frozen=True)
class Compare:
    """Compare what was delivered with what the server has, then call `Sender.compared`."""


@dataclass(frozen=True)
class Wait:
    """Wait until this time, or until an event is put into the spool (`Sender.wake`)."""

    until: float


@dataclass(frozen=True)
class Post:
    """Send this to the server, and tell `Sender.told` the answer."""

    ids: tuple[int, ...]
    body: str
    spooled_at: int
    is_late: bool
    is_held: bool

    def is_backlog(self, now_micros: int) -> bool:
        """Whether its events waited, so that their delay says nothing about the camera's clock."""
        waited = (now_micros - self.spooled_at) / 1_000_000
        return self.is_late or not 0 <= waited <= FRESH_EVENT


Next = Union[Read, ReadHeld, FindFloors, Compare, Wait, Post]
Verdict = tuple[int, Outcome]


@dataclass
class Told:
    """What an answer came to: what to write into the spool (then call `Sender.settled`), and what
    went wrong."""

    verdicts: list[Verdict] = field(default_factory=list)
    error: Optional[str] = None


@dataclass
class _Settling:
    held: list[int]
    is_good: bool
    pause: Optional[float]


def pause(failures: int, fraction: float, retry_after: float = 0.0) -> float:
    """The pause after so many failures in a row: at random between the least pause and a bound that
    doubles (exponential backoff with full jitter). A server may ask for more, within bounds."""
    bound = min(MAX_PAUSE, MIN_PAUSE * 2.0 ** min(failures, 30))
    jitter = (bound - MIN_PAUSE) * fraction
    return max(MIN_PAUSE + jitter, min(retry_after, MAX_PAUSE))


class Sender:
    """The machine. Times are seconds from any fixed moment and never go back."""

    def __init__(
        self, now: float, held: Iterable[int] = (), compare_interval: float = COMPARE_INTERVAL
    ) -> None:
        self._post: Optional[Post] = None
        self._settling: Optional[_Settling] = None
        self._limit = MAX_BATCH_EVENTS
        self._failures = 0
        self._slow_failures = 0
        self._paused_until = now
        self._has_waiting = True
        # How long they were held before is not known, so they are due at once.
        self._held: deque[tuple[float, int]] = deque((now, event) for event in held)
        self._floors_due: Optional[float] = None
        self._floors_asked: frozenset[str] = frozenset()
        self._compare_due = now
        self._compare_interval = compare_interval
        self._is_behind = False

    def wake(self) -> None:
        """An event was put into the spool, or let go."""
        self._has_waiting = True

    def next(self, now: float) -> Next:
        """What to do at the time `now`."""
        if now < self._paused_until:
            return Wait(self._paused_until)
        if self._post is not None:
            return self._post
        due = takewhile(lambda entry: entry[0] <= now, islice(self._held, self._limit))
        ids = tuple(event for _, event in due)
        if ids:
            return ReadHeld(ids)
        if self._floors_due is not None and self._floors_due <= now:
            return FindFloors()
        if self._has_waiting:
            return Read(self._limit)
        if self._compare_due <= now:
            return Compare()
        times = [self._compare_due]
        if self._floors_due is not None:
            times.append(self._floors_due)
        if self._held:
            times.append(self._held[0][0])
        return Wait(min(times))

    def give(self, asked: Union[Read, ReadHeld], items: Sequence[Item]) -> None:
        """Takes the events that were asked for."""
        if isinstance(asked, ReadHeld):
            # Those that are not given are held no more: a person took them out.
            for _ in asked.ids:
                self._held.popleft()
        else:
            self._has_waiting = len(items) >= asked.limit
        if not items:
            return
        self._slow_failures = 0
        self._post = Post(
            ids=tuple(item.id for item in items),
            body="".join(item.body + "\n" for item in items),
            spooled_at=min(item.spooled_at for item in items),
            is_late=any(item.is_late for item in items),
            is_held=isinstance(asked, ReadHeld),
        )

    def told(self, now: float, answer: Answer, fraction: float) -> Told:
        """Takes the answer to the post. `fraction` is a random number from 0 to 1."""
        if self._post is None:
            return Told()
        ids = self._post.ids
        found = meaning(answer, len(ids))
        if isinstance(found, Rows):
            return self._told_rows(now, found.outcomes, fraction)
        if isinstance(found, Refused):
            error = found.outcome.words()
            if len(ids) == 1:
                # Refused requests in a row have a cause that is none of the events, such as a key
                # that does not hold: the pause keeps most of them in the spool until a person has
                # looked.
                is_good = error is None
                self._settle_later([(ids[0], found.outcome)], is_good, fraction)
                return Told([(ids[0], found.outcome)], error)
            # One of them may be the cause: it must stand alone to be known.
            self._release(now, 1)
            self._fail(now, fraction)
            return Told(error=error)
        self._is_behind = self._is_behind or found.was_away
        self._slow_failures += found.is_slow
        if self._slow_failures >= SLOW_FAILURES and len(ids) > 1:
            self._release(now, len(ids) // 2)
        self._fail(now, fraction, found.retry_after)
        return Told(error=found.reason)

    def _told_rows(
        self, now: float, outcomes: list[Optional[Outcome]], fraction: float
    ) -> Told:
        assert self._post is not None
        pairs = zip(self._post.ids, outcomes)
        verdicts = [(event, outcome) for event, outcome in pairs if outcome is not None]
        errors = [outcome.words() for _, outcome in verdicts if outcome.kind != "delivered"]
        is_complete = len(verdicts) == len(outcomes)
        if not is_complete:
            errors.append("the server could not take all events now")
        error = errors[0] if errors else None
        if verdicts:
            self._settle_later(verdicts, is_complete, fraction)
        else:
            # Nothing to write down: the same once more, after the pause.
            self._fail(now, fraction)
        return Told(verdicts, error)

    def _settle_later(self, verdicts: list[Verdict], is_good: bool, fraction: float) -> None:
        held = [event for event, outcome in verdicts if outcome.kind == "held"]
        wait = None if is_good else pause(self._failures + 1, fraction)
        self._settling = _Settling(held, is_good, wait)

    def settled(self, now: float) -> None:
        """The verdicts are on disk."""
        post, settling = self._post, self._settling
        if post is None or settling is None:
            return
        self._post = self._settling = None
        self._held.extend((now + HOLD_PAUSE, event) for event in settling.held)
        self._has_waiting = True
        if settling.pause is not None:
            self._paused_until = now + settling.pause
            self._failures += 1
        if settling.is_good:
            self._failures = 0
            self._limit = min(self._limit * 2, MAX_BATCH_EVENTS)
            if self._is_behind:
                # The server was away. It may have come back with an older database.
                self._is_behind = False
                self._compare_due = now
        elif post.is_held:
            known = {event for _, event in self._held}
            back = [(now, event) for event in post.ids if event not in known]
            self._held.extendleft(reversed(back))

    def failed(self, now: float, fraction: float) -> None:
        """The spool could not be read or written. What was to be done is done again later."""
        self._settling = None
        self._has_waiting = True
        self._fail(now, fraction)

    def _fail(self, now: float, fraction: float, retry_after: float = 0.0) -> None:
        self._failures += 1
        self._paused_until = now + pause(self._failures, fraction, retry_after)

    def _release(self, now: float, limit: int) -> None:
        """Gives the post back. The next one has at most this many events."""
        self._limit = max(limit, 1)
        self._has_waiting = True
        post, self._post = self._post, None
        if post is not None and post.is_held:
            self._held.extendleft((now, event) for event in reversed(post.ids))

    def want_floors(self, now: float, names: Iterable[str]) -> None:
        """Events wait for floors with these names, whose ids are not known."""
        wanted = frozenset(names)
        if not wanted:
            self._floors_due = None
        elif not wanted <= self._floors_asked:
            self._floors_due = now
        self._floors_asked = wanted

    def found_floors(self, now: float) -> None:
        """The server was asked for its floors. What is still unknown is asked for again later."""
        self._floors_due = now + FLOORS_PAUSE if self._floors_asked else None
        self._has_waiting = True

    def compared(self, now: float, outcome: str) -> None:
        """What was delivered was compared with what the server has: `same`, `differs` (then it is
        looked again soon) or `not_done`."""
        self._has_waiting = True
        pauses = {
            "same": self._compare_interval,
            "differs": MIN_PAUSE,
            "not_done": min(FLOORS_PAUSE, self._compare_interval),
        }
        self._compare_due = now + pauses[outcome]
