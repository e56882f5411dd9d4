"""The client against servers that do everything wrong. Each is asked until it behaves."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import threading
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Optional

from smartpark_client import Client, _limits, _sender
from smartpark_client._answer import NoAnswer, Response
from smartpark_client._http import Http


class Hostile:
    """A server that speaks byte by byte. Each connection gets the next behaviour; the last one
    stays."""

    def __init__(self, *behaviours: Callable[[socket.socket, bytes], None]) -> None:
        self.bodies: list[bytes] = []
        self.heads: list[bytes] = []
        self._behaviours = list(behaviours)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            head, body = _read(connection)
            if not head.startswith(b"POST"):
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                return
            self.heads.append(head)
            self.bodies.append(body)
            behave = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
            try:
                behave(connection, body)
            except OSError:
                pass


def _read(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return data, b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < length:
        body += connection.recv(65_536)
    return head, body


def say(data: bytes) -> Callable[[socket.socket, bytes], None]:
    return lambda connection, _: connection.sendall(data)


def respond(status: int, body: bytes, headers: str = "") -> Callable[[socket.socket, bytes], None]:
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return say(head.encode() + body)


def good(connection: socket.socket, body: bytes) -> None:
    rows = body.count(b"\n")
    answer = {"recorded": rows, "duplicates": 0, "rejected": 0, "errors": []}
    respond(200, json.dumps(answer).encode())(connection, body)


def trickle(connection: socket.socket, _: bytes) -> None:
    """Sends a byte now and then, without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        threading.Event().wait(0.02)


class HostileTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        for module, name, value in [
            (_sender, "MIN_PAUSE", 0.01),
            (_sender, "MAX_PAUSE", 0.05),
            (_limits, "WATCH_INTERVAL", 0.1),
        ]:
            self.addCleanup(setattr, module, name, getattr(module, name))
            setattr(module, name, value)

    def start(self, server: Hostile, timeout: Optional[float] = None) -> Client:
        self.addCleanup(server.close)
        transport = Http(server.url, key="secret", timeout=timeout or 60.0)
        client = Client(server.url, self.folder / "spool.db", transport=transport)
        self.addCleanup(client.close, 0.0)
        return client

    def test_whatever_a_server_answers_the_event_is_sent_until_it_is_acknowledged(self) -> None:
        recorded = b'{"recorded":1,"duplicates":0,"rejected":0,"errors":[]}'
        cut = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + recorded
        behaviours = [
            say(b""),
            say(b"\x00\xff garbage \r\n\r\n"),
            say(b"HTTP/1.1 200 OK\r\n"),
            cut_off := say(cut),
            cut_off,
            respond(200, b"<html>Log in to the hotel's network</html>"),
            respond(200, b"[" * 100_000),
            respond(200, b'{"recorded":2,"duplicates":0,"rejected":0,"errors":[]}'),
            respond(200, b'{"recorded":true,"duplicates":0,"rejected":0,"errors":[]}'),
            respond(200, b"\xff\xfe"),
            respond(204, b""),
            respond(301, b"", "Location: http://127.0.0.1:1/\r\n"),
            respond(408, b"{}"),
            respond(429, b"{}", "Retry-After: 99999999999999999999\r\n"),
            respond(500, b"", "Retry-After: soon\r\n"),
            respond(503, b"{}", "Retry-After: 1\r\n"),
            say(b"HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\n"),
            say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            say(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500),
            good,
        ]
        count = len(behaviours)
        server = Hostile(*behaviours)
        client = self.start(server)
        client.crossing("ramp", 1, "a", "entry")
        self.assertTrue(client.flush(60))
        self.assertEqual(len(server.bodies), count)
        self.assertEqual(len(set(server.bodies)), 1, "byte for byte the same")
        self.assertTrue(all(b"Authorization: Bearer secret" in head for head in server.heads))

    def test_a_server_that_never_ends_its_answer_is_left(self) -> None:
        server = Hostile(trickle, good)
        client = self.start(server, timeout=0.5)
        client.crossing("ramp", 1, "a", "entry")
        self.assertTrue(client.flush(60))
        self.assertEqual(len(server.bodies), 2)

    def test_an_answer_without_end_is_not_read_to_the_end(self) -> None:
        def flood(connection: socket.socket, _: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b"x" * 65_536)

        server = Hostile(flood)
        self.addCleanup(server.close)
        answer = Http(server.url).post("x\n", False)
        assert isinstance(answer, NoAnswer)
        self.assertIn("the answer is too large", answer.reason)

    def test_an_event_that_waited_is_marked(self) -> None:
        server = Hostile(good)
        self.addCleanup(server.close)
        for is_backlog in (True, False):
            answer = Http(server.url).post("x\n", is_backlog)
            assert isinstance(answer, Response)
            self.assertEqual(b"Backlog: true" in server.heads[-1], is_backlog)

    def test_a_refused_event_is_a_dead_letter_and_stops_no_other(self) -> None:
        problem = {"index": 0, "status": 422, "type": "urn:x:unknown-floor", "detail": "no floor"}
        refusal = {"recorded": 0, "duplicates": 0, "rejected": 1, "errors": [problem]}
        server = Hostile(respond(200, json.dumps(refusal).encode()), good)
        client = self.start(server)
        client.crossing("ramp", 9, "a", "entry")
        self.assertTrue(client.flush(60))
        client.crossing("ramp", 1, "b", "entry")
        self.assertTrue(client.flush(60))
        (letter,) = client.spool.dead_letters()
        self.assertEqual((letter.status, letter.reason), (422, "no floor"))
        self.assertEqual(client.health().counts.delivered, 1)

    def test_a_key_is_read_anew_for_each_request_and_never_shown(self) -> None:
        server, file = Hostile(good), self.folder / "key"
        self.addCleanup(server.close)
        http = Http(server.url, key_file=file)
        missing = http.post("x\n", False)
        assert isinstance(missing, NoAnswer)
        self.assertIn("the key file", missing.reason)
        for text in ("first\n", "second"):
            file.write_text(text)
            self.assertIsInstance(http.post("x\n", False), Response)
            self.assertIn(f"Authorization: Bearer {text.strip()}".encode(), server.heads[-1])
        file.write_text("sec\nret")
        bad = http.post("x\n", False)
        assert isinstance(bad, NoAnswer)
        self.assertNotIn("ret", bad.reason)

    def test_addresses_that_are_none_are_refused(self) -> None:
        for url in ("", "parking.example", "ftp://x", "http://", "http://a:b", "http://x?y", "http://a:b@x"):
            with self.subTest(url), self.assertRaises(ValueError):
                Http(url)
