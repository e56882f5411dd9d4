"""The spool's file: opening it, its tables, transactions, and the right to send.

An event is on disk when a transaction ends (`synchronous=FULL`). The journal is a rollback journal,
not a write-ahead log: several processes may use the file, also old versions of SQLite, which can
damage a write-ahead log that two connections share.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Optional, Union

from . import _limits
from ._errors import Damaged, Error, NotASpool, Unavailable
from ._records import Limits

# "SPKC": what tells a spool from other SQLite files.
_APPLICATION = 0x53504B43
_VERSION = 1


class Storage:
    """An open file with the tables of a spool. Threads may share it, and processes too."""

    def __init__(self, path: Union[str, os.PathLike[str]], limits: Optional[Limits] = None) -> None:
        # The program may change its folder later.
        self.path = os.path.abspath(path)
        self.limits = limits or Limits()
        self._mutex = threading.Lock()
        with self._translated():
            self._connection = sqlite3.connect(
                self.path,
                timeout=_limits.BUSY_TIMEOUT,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            with self._translated():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Closes the file. What is in it stays."""
        with self._mutex:
            self._connection.close()

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode = TRUNCATE").fetchone()
        run("PRAGMA synchronous = FULL")
        found = run("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise Damaged(self.path, found)
        with self._transaction():
            tables = run("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
            application = run("PRAGMA application_id").fetchone()[0]
            version = run("PRAGMA user_version").fetchone()[0]
            if (tables, application) == (0, 0):
                schema = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
                for statement in _statements(schema):
                    run(statement)
                run(f"PRAGMA application_id = {_APPLICATION}")
                run(f"PRAGMA user_version = {_VERSION}")
            elif application != _APPLICATION:
                raise NotASpool(self.path, "it is the SQLite file of another program")
            elif version != _VERSION:
                reason = f"version {version} of its tables is newer than this program"
                raise NotASpool(self.path, reason)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """A transaction, which is on disk at its end."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # SQLite may have rolled back by itself, as on a full disk.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turns an error of SQLite into words for the person who runs the program."""
        try:
            yield
        except sqlite3.Error as error:
            raise _translate(self.path, error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        with self._mutex, self._translated(), self._transaction():
            yield self._connection

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._mutex, self._translated():
            return self._connection.execute(sql, values).fetchall()

    def version(self) -> int:
        """A number that changes when another process changes the spool."""
        return int(self.read("PRAGMA data_version")[0][0])

    def lock_sender(self) -> Optional[IO[bytes]]:
        """Takes the right to send until the file is closed, or nothing while another has it."""
        try:
            return _lock(self.path + "-lock")
        except OSError as error:
            raise Unavailable(self.path, f"{self.path}-lock: {error}") from error


def _statements(schema: str) -> list[str]:
    """The statements of the schema. `executescript` would end the transaction."""
    lines = (line for line in schema.splitlines() if not line.strip().startswith("--"))
    return [text for text in "\n".join(lines).split(";") if text.strip()]


def _translate(path: str, error: sqlite3.Error) -> Error:
    text = str(error)
    if "malformed" in text:
        return Damaged(path, text)
    if "not a database" in text:
        return NotASpool(path, "it is not an SQLite file")
    if "locked" in text:
        return Unavailable(path, "another process holds it for too long")
    if "readonly" in text and not os.path.exists(path):
        return Unavailable(
            path, "the file was moved or removed while in use; start the program again"
        )
    return Unavailable(path, text)


def _lock(path: str) -> Optional[IO[bytes]]:
    file = open(path, "ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file
    except OSError as error:
        file.close()
        # Windows says that access is denied.
        if isinstance(error, BlockingIOError) or sys.platform == "win32":
            return None
        raise
