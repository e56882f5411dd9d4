"""The client: a spool and the thread that empties it."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import IO, Any, Optional, Protocol, Union

from . import _compare, _limits
from ._answer import Answer, NoAnswer, Response, parse
from ._crossing import EPOCH, Floor, When, events
from ._errors import Error, Full
from ._http import Http
from ._records import Counts, Limits, Loss
from ._sender import Compare, FindFloors, Post, Read, ReadHeld, Sender, Wait
from ._spool import Spool

PathLike = Union[str, "os.PathLike[str]"]
_log = logging.getLogger("smartpark_client")

# How often `flush` looks whether the spool is empty, in seconds.
_FLUSH_LOOK = 0.02
# How long `close` waits for the request that is under way, in seconds.
_STOP_WAIT = 2.0


class Transport(Protocol):
    """What carries requests to the server. Each call must come back within a bounded time."""

    def get(self, path: str) -> Answer: ...

    def post(self, lines: str, is_backlog: bool) -> Answer: ...


@dataclass(frozen=True)
class Health:
    """How a client is, for an operator.

    `is_full` means that as many events wait as may, so that more are lost. `unwritten` counts the
    events that could not be written to disk since the client started.
    """

    counts: Counts
    is_full: bool
    losses: list[Loss]
    unwritten: int
    oldest_unsent: Optional[datetime]
    last_success: Optional[datetime]
    last_error: Optional[str]
    last_error_at: Optional[datetime]


class Client:
    """Puts crossings into a spool and delivers them in the background.

    `url` is the server's address, `spool` the file, made if it is missing. The key is given as text
    or in a file, which is read for every request. `ca_file` has certificates (PEM) to be trusted
    instead of the system's. Use it in a `with` statement, or call `close` at the end.
    """

    def __init__(
        self,
        url: str,
        spool: PathLike,
        *,
        key: Optional[str] = None,
        key_file: Optional[PathLike] = None,
        ca_file: Optional[PathLike] = None,
        limits: Optional[Limits] = None,
        compare_interval: float = _limits.COMPARE_INTERVAL,
        transport: Optional[Transport] = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if transport is None:
            transport = Http(url, key=key, key_file=key_file, ca_file=ca_file)
        self._transport: Transport = transport
        self._clock, self._monotonic = clock, monotonic
        self._compare_interval = compare_interval
        self._unwritten = 0
        self._must_stop = False
        self._woken = threading.Event()
        self.spool = Spool(spool, limits)
        self._thread = threading.Thread(target=self._run, name="smartpark-sender", daemon=True)
        self._thread.start()

    def crossing(
        self,
        camera_id: str,
        floor: Floor,
        track_id: str,
        direction: str,
        *,
        from_floor: Optional[Floor] = None,
        vehicle_type: str = "car",
        confidence: float = 0.8,
        timestamp: Optional[When] = None,
    ) -> int:
        """Reports that a vehicle crossed a line. When this returns, the event is on disk and will be
        delivered. Returns how many events are new: 1, 2 for a ramp, 0 for a repeat.

        - `floor` is the floor's id or its name; `direction` is `"entry"` or `"exit"` as seen from
          it. For a ramp between two floors `from_floor` is the other one.
        - `track_id` is the vehicle's track at that camera. A crossing that is reported again (same
          camera, track, direction and time) is the same one.
        - `timestamp` is when the vehicle was on the line: a datetime with a zone, or seconds as
          `time.time()` gives them. Without one it is now.

        Raises `Invalid` if fields do not fit, `Full` if too many events wait (the event is lost and
        counted), and `Unavailable` or `Damaged` if the event cannot be written.
        """
        now = self._micros()
        made = events(
            camera_id,
            floor,
            track_id,
            direction,
            from_floor=from_floor,
            vehicle_type=vehicle_type,
            confidence=confidence,
            timestamp=EPOCH + timedelta(microseconds=now) if timestamp is None else timestamp,
        )
        try:
            new = self.spool.put(made, now)
        except Full:
            _log.error("the spool is full: an event of camera %s is lost", camera_id)
            raise
        except Error as error:
            self._unwritten += len(made)
            _log.error("an event of camera %s is not on disk: %s", camera_id, error)
            raise
        self._woken.set()
        return new

    def flush(self, timeout: float) -> bool:
        """Waits until no event waits any more, held ones included. Returns whether that is so before
        the time is up."""
        end = time.monotonic() + timeout
        while True:
            counts = self.spool.counts()
            if counts.waiting + counts.again == 0:
                return True
            if time.monotonic() >= end:
                return False
            self._thread.join(_FLUSH_LOOK)

    def health(self) -> Health:
        """How the client is. Also tells what another process does with the same spool."""
        return health(self.spool, self._unwritten)

    def wake(self) -> None:
        """Tells the sender that dead letters were let go."""
        self._woken.set()

    def close(self, timeout: float = _limits.CLOSE_WAIT) -> None:
        """Delivers what it can within `timeout` seconds, and stops. Everything else stays in the
        spool."""
        if not self._must_stop:
            try:
                self.flush(timeout)
            finally:
                self._must_stop = True
                self._woken.set()
                self._thread.join(max(timeout, _STOP_WAIT))
                if not self._thread.is_alive():
                    self.spool.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    # The sender's thread: asks the machine, does what it says, tells it what came of it.

    def _micros(self) -> int:
        return int(self._clock() * 1_000_000)

    def _run(self) -> None:
        lock: Optional[IO[bytes]] = None
        try:
            while not self._must_stop:
                try:
                    lock = lock or self.spool.lock_sender()
                    if lock is not None:
                        self._send()
                except Exception as error:
                    self._report(str(error))
                if not self._must_stop:
                    self._woken.wait(_limits.WATCH_INTERVAL)
                    self._woken.clear()
        finally:
            if lock is not None:
                lock.close()

    def _send(self) -> None:
        sender = Sender(self._monotonic(), self.spool.held_ids(), self._compare_interval)
        version = self.spool.version()
        while not self._must_stop:
            now = self._monotonic()
            step = sender.next(now)
            try:
                if isinstance(step, Wait):
                    wait = min(max(step.until - now, 0.0), _limits.WATCH_INTERVAL)
                    woken = self._woken.wait(wait)
                    if woken:
                        # Only then: a wake that comes after the wait must stay for the next one.
                        self._woken.clear()
                    found = self.spool.version()
                    if woken or found != version:
                        sender.wake()
                    version = found
                else:
                    self._act(sender, step, now)
            except Exception as error:
                self._report(str(error) or repr(error))
                sender.failed(self._monotonic(), random.random())

    def _act(
        self, sender: Sender, step: Union[Read, ReadHeld, FindFloors, Compare, Post], now: float
    ) -> None:
        if isinstance(step, Read):
            sender.want_floors(now, self.spool.floors_to_find())
            sender.give(step, self.spool.waiting(step.limit))
        elif isinstance(step, ReadHeld):
            sender.give(step, self.spool.held(step.ids))
        elif isinstance(step, Post):
            answer = self._transport.post(step.body, step.is_backlog(self._micros()))
            told = sender.told(self._monotonic(), answer, random.random())
            if told.verdicts:
                self.spool.settle(told.verdicts, self._micros())
                sender.settled(self._monotonic())
            if told.error is not None:
                self._report(told.error)
        elif isinstance(step, FindFloors):
            self._find_floors()
            sender.found_floors(self._monotonic())
        else:
            outcome = self._compare()
            sender.compared(self._monotonic(), outcome)

    def _find_floors(self) -> None:
        """Asks for the floors and writes the ids of those that are known into the events."""
        answer = self._transport.get("/floors?include_inactive=true")
        try:
            ids = {str(floor["name"]): int(floor["id"]) for floor in _body(answer)["floors"]}
        except (KeyError, TypeError, ValueError):
            reason = "floors are given by name, but the server does not list them"
            self._report(f"{reason}: {_shown(answer)}")
            return
        self.spool.set_floors(ids)
        unknown = self.spool.floors_to_find()
        if unknown:
            self._report("the server knows no floor " + ", ".join(unknown))

    def _compare(self) -> str:
        """Compares each camera's delivered events with what the server has."""
        if self.spool.is_sending_again():
            return "differs"
        outcome = "same"
        for camera in self.spool.delivered_cameras():
            delivered = self.spool.delivered(camera)
            hours = _compare.window(delivered)
            if hours is None:
                continue
            answer = self._transport.get(_compare.path(camera, hours))
            before = self.spool.differing_slices(camera)
            compared = _compare.compare(camera, delivered, hours, _body(answer), before)
            if compared is None:
                _log.debug("the server told no digests: %s", _shown(answer))
                if _is_refusal(answer):
                    continue
                return "not_done"
            again, slices = compared
            if again:
                outcome = "differs"
                _log.warning(
                    "the server lacks delivered events of camera %s: %d are sent again",
                    camera,
                    len(again),
                )
            if again or slices != before:
                self.spool.send_again(camera, again, slices)
            if self._must_stop:
                break
        return outcome

    def _report(self, text: str) -> None:
        """Keeps an error for people, in the log and for other processes."""
        try:
            before = self.spool.last_error()
            if before is None or before[1] != text:
                _log.warning("%s", text)
            self.spool.note_error(text, self._micros())
        except Error as error:
            _log.warning("%s; %s", text, error)


def health(spool: Spool, unwritten: int = 0) -> Health:
    """How the client of a spool is, as far as the file tells."""
    counts = spool.counts()
    error = spool.last_error()
    return Health(
        counts=counts,
        is_full=counts.waiting >= spool.limits.waiting,
        losses=spool.losses(),
        unwritten=unwritten,
        oldest_unsent=_moment(counts.oldest),
        last_success=_moment(spool.last_success()),
        last_error=error[1] if error else None,
        last_error_at=_moment(error[0] if error else None),
    )


def _moment(micros: Optional[int]) -> Optional[datetime]:
    return None if micros is None else EPOCH + timedelta(microseconds=micros)


def _body(answer: Answer) -> Any:
    """The JSON of a good answer, or None."""
    return parse(answer.body) if isinstance(answer, Response) and answer.status == 200 else None


def _is_refusal(answer: Answer) -> bool:
    """Whether asking again soon would be answered the same: the key may not ask, or the server does
    not know the question."""
    if isinstance(answer, NoAnswer):
        return False
    return 400 <= answer.status < 500 and answer.status not in (408, 429)


def _shown(answer: Answer) -> str:
    return answer.reason if isinstance(answer, NoAnswer) else f"it answered {answer.status}"
