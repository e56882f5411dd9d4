"""What an answer of the server means for the events that were sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Optional, Union

from ._limits import MAX_REASON_CHARS


@dataclass(frozen=True)
class Response:
    """What the server answered."""

    status: int
    body: bytes
    retry_after: float = 0.0


@dataclass(frozen=True)
class NoAnswer:
    """No connection, a time-out, or a response that broke off. The server may have taken the events
    all the same."""

    reason: str
    timed_out: bool = False


Answer = Union[Response, NoAnswer]


@dataclass(frozen=True)
class Outcome:
    """What became of an event: `delivered`, `held`, `dead` or `too_old`."""

    kind: str
    status: Optional[int] = None
    reason: Optional[str] = None

    def words(self) -> Optional[str]:
        """The refusal for a person, if it is one."""
        return None if self.kind == "delivered" else f"{self.status}: {self.reason}"


DELIVERED = Outcome("delivered")


@dataclass(frozen=True)
class Rows:
    """Each event's outcome; None for one that must be sent again."""

    outcomes: list[Optional[Outcome]]


@dataclass(frozen=True)
class Refused:
    """The server refuses the request as a whole."""

    outcome: Outcome


@dataclass(frozen=True)
class Unknown:
    """Nothing is known of the events: send the same again."""

    reason: str
    retry_after: float = 0.0
    is_slow: bool = False
    was_away: bool = False


def meaning(answer: Answer, events: int) -> Union[Rows, Refused, Unknown]:
    """What an answer means for a batch of so many events."""
    if isinstance(answer, NoAnswer):
        return Unknown(_shown(answer.reason), is_slow=answer.timed_out, was_away=True)
    status, parsed = answer.status, parse(answer.body)
    if 200 <= status < 300:
        outcomes = _rows(parsed, events)
        if outcomes is not None:
            return Rows(outcomes)
        reason = f"the server answered {status}, but not as SmartPark does; check the address"
        return Unknown(reason, answer.retry_after)
    problem = parsed if isinstance(parsed, dict) else {}
    outcome = _outcome(status, problem)
    if outcome is not None:
        return Refused(outcome)
    reason = _reason(status, problem)
    return Unknown(reason, answer.retry_after, is_slow=status == 408, was_away=status >= 500)


def parse(body: bytes) -> Any:
    """The JSON in a body, or None."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _rows(answer: Any, events: int) -> Optional[list[Optional[Outcome]]]:
    """The outcomes in a good answer. None if it does not speak of exactly these events: then
    something else than SmartPark answered, or a part of the answer is missing."""
    if not isinstance(answer, dict):
        return None
    if events == 1 and isinstance(answer.get("duplicate"), bool):
        return [DELIVERED]
    told = [_count(answer.get(name)) for name in ("recorded", "duplicates", "rejected")]
    errors = answer.get("errors")
    if -1 in told or not isinstance(errors, list):
        return None
    if sum(told) != events or told[2] != len(errors):
        return None
    outcomes: list[Optional[Outcome]] = [DELIVERED] * events
    named = set()
    for problem in errors:
        if not isinstance(problem, dict):
            return None
        index, status = _count(problem.get("index")), _count(problem.get("status"))
        if -1 in (index, status) or index >= events or index in named:
            return None
        named.add(index)
        outcomes[index] = _outcome(status, problem)
    return outcomes


def _count(number: Any) -> int:
    """A number of things, or -1 for anything else."""
    is_count = isinstance(number, int) and not isinstance(number, bool) and number >= 0
    return int(number) if is_count else -1


def _outcome(status: int, problem: dict[str, Any]) -> Optional[Outcome]:
    """What a refusal means for an event. None: send it again soon."""
    slug = str(problem.get("type", "")).rsplit(":", 1)[-1].replace("_", "-")
    if status == 409 and slug == "at-limit":
        # Recorded, and the server is set to say so: the floor's count stays.
        return DELIVERED
    reason = _reason(status, problem)
    if status == 422 and slug in ("in-future", "future", "clock-lag"):
        return Outcome("held", status, reason)
    if status == 422 and slug == "too-old":
        return Outcome("too_old", status, reason)
    if status in (408, 429) or not 400 <= status < 500:
        return None
    return Outcome("dead", status, reason)


def _reason(status: int, problem: dict[str, Any]) -> str:
    """A refusal in words: what the server said, and which fields it named."""
    text = f"the server answered {status}"
    if 300 <= status < 400:
        text += "; redirects are not followed, so give the address that this one leads to"
    text = str(problem.get("detail") or problem.get("title") or text)
    errors = problem.get("errors")
    for fault in errors if isinstance(errors, list) else []:
        if isinstance(fault, dict):
            pointer = str(fault.get("pointer", ""))
            pointer = pointer[2:] if pointer.startswith("#/") else pointer
            words = f"{pointer} {fault.get('detail', '')}"
            text += "" if words in text else f"; {words}"
    return _shown(text)


def _shown(text: str) -> str:
    """A text of the server, fit for a log and bounded."""
    return "".join(character for character in text if character.isprintable())[:MAX_REASON_CHARS]
