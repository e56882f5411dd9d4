"""The spool: one SQLite file that keeps every event from the moment it is reported. The Rust crate
reads and writes the same file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Optional

from ._crossing import NO_FLOOR, Event
from ._errors import Full
from ._records import Counts, DeadLetter, Delivered, DifferingSlice, Loss
from ._sender import Item, Verdict
from ._storage import Storage

_WAITING, _HELD, _DEAD, _DELIVERED, _AGAIN = range(5)
_LAST_SUCCESS, _LAST_ERROR = "last_success", "last_error"


class Spool(Storage):
    """An open spool. Threads may share it, and several processes may open the same file."""

    def put(self, events: Sequence[Event], now: int) -> int:
        """Puts events in, all or none. Returns how many are new: an event with the key of another
        one is that one."""
        full = None
        with self.writing() as connection:
            new = [event for event in events if not _is_known(connection, event)]
            sql = (
                "SELECT (SELECT COUNT(*) FROM events WHERE state = 0) "
                "+ (SELECT COUNT(*) FROM events WHERE state = 1)"
            )
            waiting = connection.execute(sql).fetchone()[0]
            if new and waiting + len(new) > self.limits.waiting:
                full = Full(waiting)
                for event in new:
                    _add_loss(connection, event.camera_id, "full", now)
            else:
                for event in new:
                    connection.execute(
                        "INSERT INTO events (camera_id, track_id, direction, timestamp, floor, "
                        "body, spooled_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                        (*_key(event), event.floor_name, event.body, now),
                    )
        if full is not None:
            raise full
        return len(new)

    def waiting(self, limit: int) -> list[Item]:
        """The first events that can be sent, in their order."""
        sql = (
            "SELECT id, body, spooled_at, state FROM events "
            "WHERE (state = 0 OR state = 4) AND floor IS NULL ORDER BY id LIMIT ?"
        )
        return [_item(row) for row in self.read(sql, (limit,))]

    def held(self, ids: Iterable[int]) -> list[Item]:
        """Held events, in their order."""
        sql = "SELECT id, body, spooled_at, state FROM events WHERE id = ? AND state = 1"
        rows = [row for event in sorted(ids) for row in self.read(sql, (event,))]
        return [_item(row) for row in rows]

    def held_ids(self) -> list[int]:
        """All events that are held."""
        rows = self.read("SELECT id FROM events WHERE state = 1 ORDER BY id")
        return [row[0] for row in rows]

    def settle(self, verdicts: Sequence[Verdict], now: int) -> None:
        """Writes down what became of events, and when the server last took some."""
        with self.writing() as connection:
            for event, outcome in verdicts:
                state = {"delivered": _DELIVERED, "held": _HELD}.get(outcome.kind, _DEAD)
                if outcome.kind == "too_old":
                    sql = "SELECT state FROM events WHERE id = ?"
                    row = connection.execute(sql, (event,)).fetchone()
                    # The server has forgotten it since it was delivered.
                    state = _DELIVERED if row == (_AGAIN,) else _DEAD
                # Another process may have settled it meanwhile: what is delivered stays so.
                connection.execute(
                    "UPDATE events SET state = ?, settled_at = ?, status = ?, reason = ? "
                    f"WHERE id = ? AND state <> {_DELIVERED}",
                    (state, now, outcome.status, outcome.reason, event),
                )
            if any(outcome.kind == "delivered" for _, outcome in verdicts):
                connection.execute(
                    "DELETE FROM events WHERE state = 3 AND id <= "
                    "(SELECT id FROM events WHERE state = 3 ORDER BY id DESC LIMIT 1 OFFSET ?)",
                    (self.limits.delivered,),
                )
                _set_note(connection, _LAST_SUCCESS, str(now))
            sql = (
                "SELECT id, camera_id FROM events WHERE state = 2 ORDER BY id DESC "
                "LIMIT -1 OFFSET ?"
            )
            for event, camera in connection.execute(sql, (self.limits.dead,)).fetchall():
                connection.execute("DELETE FROM events WHERE id = ?", (event,))
                _add_loss(connection, camera, "dead_letters", now)

    # Floors by name.

    def floors_to_find(self) -> list[str]:
        """The names of floors whose ids are still to be found."""
        names: list[str] = []
        # One step of the index for each name, however many events wait.
        sql = "SELECT MIN(floor) FROM events WHERE floor IS NOT NULL AND floor > ?"
        while True:
            found = self.read(sql, (names[-1] if names else "",))[0][0]
            if found is None:
                return names
            names.append(found)

    def set_floors(self, ids: dict[str, int]) -> None:
        """Writes the ids of floors into the events that name them. From then on their bodies stay
        as they are."""
        sql = "UPDATE events SET floor = NULL, body = ? || substr(body, ?) WHERE floor = ?"
        with self.writing() as connection:
            for name, floor in ids.items():
                start = f'{{"floor_id":{floor},'
                connection.execute(sql, (start, len(NO_FLOOR) + 1, name))

    # What was delivered, to be compared with the server's.

    def is_sending_again(self) -> bool:
        """Whether delivered events still wait to be sent again."""
        return bool(self.read("SELECT 1 FROM events WHERE state = 4 LIMIT 1"))

    def delivered_cameras(self) -> list[str]:
        """The cameras that have delivered events."""
        sql = "SELECT DISTINCT camera_id FROM events WHERE state = 3 ORDER BY camera_id"
        return [row[0] for row in self.read(sql)]

    def delivered(self, camera: str) -> list[Delivered]:
        """The delivered events of a camera, oldest first."""
        sql = (
            "SELECT id, track_id, direction, timestamp FROM events "
            "WHERE state = 3 AND camera_id = ? ORDER BY timestamp"
        )
        return [Delivered(*row) for row in self.read(sql, (camera,))]

    def differing_slices(self, camera: str) -> list[DifferingSlice]:
        """The slices of a camera that differed the last time."""
        sql = "SELECT start, theirs, ours, sent FROM differing_slices WHERE camera_id = ?"
        return [DifferingSlice(*row) for row in self.read(sql, (camera,))]

    def send_again(
        self, camera: str, ids: Iterable[int], slices: Iterable[DifferingSlice]
    ) -> None:
        """Lets delivered events be sent again, and replaces what is known of the camera's slices."""
        with self.writing() as connection:
            for event in ids:
                sql = "UPDATE events SET state = 4 WHERE id = ? AND state = 3"
                connection.execute(sql, (event,))
            connection.execute("DELETE FROM differing_slices WHERE camera_id = ?", (camera,))
            for piece in slices:
                connection.execute(
                    "INSERT INTO differing_slices (camera_id, start, theirs, ours, sent) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (camera, piece.start, piece.theirs, piece.ours, piece.sent),
                )

    # For people.

    def counts(self) -> Counts:
        """How many events are where."""
        rows = self.read("SELECT state, COUNT(*) FROM events GROUP BY state")
        states = dict(rows)
        without_floor, oldest = self.read(
            "SELECT (SELECT COUNT(*) FROM events WHERE floor IS NOT NULL AND state = 0), "
            "(SELECT MIN(spooled_at) FROM events WHERE state IN (0, 1))"
        )[0]
        held = states.get(_HELD, 0)
        return Counts(
            waiting=states.get(_WAITING, 0) + held,
            held=held,
            without_floor=without_floor,
            again=states.get(_AGAIN, 0),
            dead=states.get(_DEAD, 0),
            delivered=states.get(_DELIVERED, 0),
            oldest=oldest,
        )

    def losses(self) -> list[Loss]:
        """All losses since the spool was made."""
        sql = (
            "SELECT camera_id, reason, events, first_at, last_at FROM losses "
            "ORDER BY camera_id, reason"
        )
        return [Loss(*row) for row in self.read(sql)]

    def dead_letters(self, after: int = 0, limit: int = 1000) -> list[DeadLetter]:
        """The dead letters after the one with this number, oldest first."""
        sql = (
            "SELECT id, body, COALESCE(status, 0), COALESCE(reason, ''), COALESCE(settled_at, 0) "
            "FROM events WHERE state = 2 AND id > ? ORDER BY id LIMIT ?"
        )
        return [DeadLetter(*row) for row in self.read(sql, (after, limit))]

    def retry_dead_letters(self, ids: Optional[Iterable[int]] = None) -> int:
        """Lets dead letters be sent again: those with these numbers, or all. Returns how many."""
        return self._change_dead("UPDATE events SET state = 0 WHERE state = 2", ids)

    def discard_dead_letters(self, ids: Optional[Iterable[int]] = None) -> int:
        """Throws dead letters away: those with these numbers, or all. Returns how many."""
        return self._change_dead("DELETE FROM events WHERE state = 2", ids)

    def _change_dead(self, sql: str, ids: Optional[Iterable[int]]) -> int:
        with self.writing() as connection:
            if ids is None:
                return connection.execute(sql).rowcount
            changes = [connection.execute(sql + " AND id = ?", (event,)) for event in ids]
            return sum(change.rowcount for change in changes)

    def note_error(self, text: str, now: int) -> None:
        """Keeps what last went wrong, for other processes."""
        with self.writing() as connection:
            _set_note(connection, _LAST_ERROR, f"{now} {text}")

    def last_error(self) -> Optional[tuple[int, str]]:
        """When something last went wrong, and what."""
        at, _, text = self._note(_LAST_ERROR).partition(" ")
        return (int(at), text) if at.isdecimal() else None

    def last_success(self) -> Optional[int]:
        """When the server last took events."""
        at = self._note(_LAST_SUCCESS)
        return int(at) if at.isdecimal() else None

    def _note(self, name: str) -> str:
        rows = self.read("SELECT value FROM notes WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""


def _key(event: Event) -> tuple[str, str, str, int]:
    return event.camera_id, event.track_id, event.direction, event.micros


def _is_known(connection: sqlite3.Connection, event: Event) -> bool:
    sql = (
        "SELECT 1 FROM events WHERE camera_id = ? AND track_id = ? AND direction = ? "
        "AND timestamp = ?"
    )
    return connection.execute(sql, _key(event)).fetchone() is not None


def _item(row: tuple[int, str, int, int]) -> Item:
    return Item(row[0], row[1], row[2], is_late=row[3] != _WAITING)


def _add_loss(connection: sqlite3.Connection, camera: str, reason: str, now: int) -> None:
    connection.execute(
        "INSERT INTO losses (camera_id, reason, events, first_at, last_at) "
        "VALUES (?, ?, 1, ?, ?) ON CONFLICT (camera_id, reason) "
        "DO UPDATE SET events = events + 1, last_at = excluded.last_at",
        (camera, reason, now, now),
    )


def _set_note(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute(
        "INSERT INTO notes (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
