"""The real server as a child process, for tests. SMARTPARK_PROGRAM names its program."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import unittest
import urllib.request
from pathlib import Path
from typing import Any, Optional

PROGRAM = os.environ.get("SMARTPARK_PROGRAM")


def needs_program(test: Any) -> Any:
    """Skips a test if there is no program to run it with."""
    return unittest.skipUnless(PROGRAM, "SMARTPARK_PROGRAM names no program")(test)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """A server with a database in a folder. It keeps its port over restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._child: Optional[subprocess.Popen[str]] = None

    @property
    def database(self) -> Path:
        return self.folder / "park.db"

    def start(self) -> Server:
        if PROGRAM is None:
            raise AssertionError("SMARTPARK_PROGRAM must name the smartpark program")
        assert self._child is None
        database = f"sqlite://{self.database}"
        command = [PROGRAM, "serve", "--database", database, "--seed", "floors"]
        command += ["--listen", f"127.0.0.1:{self.port}"]
        self._child = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=self.folder
        )
        assert self._child.stderr is not None
        log = []
        for line in self._child.stderr:
            log.append(line)
            if re.search("listening on ", line):
                # Its few further lines fit into the pipe.
                return self
        raise AssertionError("the server ended:\n" + "".join(log))

    def send_signal(self, number: int) -> None:
        assert self._child is not None
        self._child.send_signal(number)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Ends the server, if it runs."""
        if self._child is not None:
            self._child.send_signal(number)
            self._child.wait()
            assert self._child.stderr is not None
            self._child.stderr.close()
            self._child = None

    def back_up(self) -> None:
        """Copies the database of a server that is stopped."""
        assert self._child is None
        copy = self.folder / "backup"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for file in self.folder.glob("park.db*"):
            shutil.copy(file, copy)

    def restore(self) -> None:
        """Goes back to the copy."""
        assert self._child is None
        for file in self.folder.glob("park.db*"):
            file.unlink()
        for file in (self.folder / "backup").iterdir():
            shutil.copy(file, self.folder)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def send(self, method: str, path: str, body: Any) -> Any:
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def events(self) -> list[dict[str, Any]]:
        """All events, newest first."""
        events: list[dict[str, Any]] = []
        path = "/events?limit=1000"
        while path:
            page = self.get(path)
            events += page["events"]
            cursor = page["next_cursor"]
            path = f"/events?limit=1000&cursor={cursor}" if cursor else ""
        return events
