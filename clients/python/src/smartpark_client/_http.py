"""How requests reach the server: HTTP and HTTPS by the standard library, one connection a request,
each within a bounded time."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
import urllib.parse
from pathlib import Path
from typing import Optional, Union

from . import _limits
from ._answer import Answer, NoAnswer, Response

PathLike = Union[str, "os.PathLike[str]"]


class Http:
    """Sends requests to one server."""

    def __init__(
        self,
        url: str,
        *,
        key: Optional[str] = None,
        key_file: Optional[PathLike] = None,
        ca_file: Optional[PathLike] = None,
        timeout: float = _limits.REQUEST_TIMEOUT,
    ) -> None:
        fault = f"the server's address must look like https://parking.example; {url!r} does not"
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or " " in url:
            raise ValueError(fault)
        if parts.query or parts.fragment or parts.username is not None:
            raise ValueError(fault)
        try:
            self._port = parts.port
        except ValueError as error:
            raise ValueError(fault) from error
        self._url, self._host, self._base = url, parts.hostname, parts.path.rstrip("/")
        self._key, self._key_file, self._timeout = key, key_file, timeout
        self._tls: Optional[ssl.SSLContext] = None
        if parts.scheme == "https":
            self._tls = ssl.create_default_context(cafile=ca_file)

    def get(self, path: str) -> Answer:
        """Reads."""
        return self._send("GET", path, None, {})

    def post(self, lines: str, is_backlog: bool) -> Answer:
        """Posts events, one a line. `is_backlog` tells the server that they waited, so that their
        delay says nothing about the camera's clock."""
        headers = {"Content-Type": "application/x-ndjson"}
        if is_backlog:
            headers["Backlog"] = "true"
        return self._send("POST", "/events", lines.encode(), headers)

    def _send(
        self, method: str, path: str, body: Optional[bytes], headers: dict[str, str]
    ) -> Answer:
        headers["User-Agent"] = "smartpark-client-python"
        headers["Connection"] = "close"
        try:
            key = self._read_key()
        except (OSError, ValueError) as error:
            return NoAnswer(f"the key file {self._key_file} cannot be read: {error}")
        if key and not (key.isascii() and key.isprintable()):
            return NoAnswer("the key holds characters that no key has")
        if key:
            headers["Authorization"] = f"Bearer {key}"
        watchdog = _Watchdog(self._timeout)
        try:
            with watchdog:
                return self._request(watchdog, method, path, body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            timed_out = watchdog.has_fired or isinstance(error, (TimeoutError, socket.timeout))
            words = "it took too long" if timed_out else str(error) or type(error).__name__
            reason = f"the server at {self._url} did not answer: {words}"
            return NoAnswer(reason, timed_out)

    def _request(
        self,
        watchdog: _Watchdog,
        method: str,
        path: str,
        body: Optional[bytes],
        headers: dict[str, str],
    ) -> Answer:
        connection: http.client.HTTPConnection
        timeout = min(_limits.CONNECT_TIMEOUT, self._timeout)
        if self._tls is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        else:
            connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=timeout, context=self._tls
            )
        try:
            connection.connect()
            connection.sock.settimeout(self._timeout)
            watchdog.watch(connection.sock)
            connection.request(method, self._base + path, body, headers)
            response = connection.getresponse()
            answer = response.read(_limits.MAX_ANSWER_BYTES + 1)
            if len(answer) > _limits.MAX_ANSWER_BYTES:
                raise ValueError("the answer is too large")
            if response.length:
                raise http.client.IncompleteRead(answer, response.length)
            after = response.headers.get("Retry-After", "").strip()
            retry_after = float(after) if after.isdecimal() and len(after) < 10 else 0.0
            return Response(response.status, answer, retry_after)
        finally:
            connection.close()

    def _read_key(self) -> Optional[str]:
        """The key. A file is read for every request: a new key needs no restart."""
        if self._key_file is None:
            return self._key
        return Path(self._key_file).read_text(encoding="ascii").strip()


class _Watchdog:
    """Ends a connection that takes too long as a whole. The time-out of a socket alone would let a
    server hold on for ever that sends a byte now and then."""

    def __init__(self, timeout: float) -> None:
        self.has_fired = False
        self._socket: Optional[socket.socket] = None
        self._timer = threading.Timer(timeout, self._fire)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, connection: socket.socket) -> None:
        self._socket = connection

    def _fire(self) -> None:
        self.has_fired = True
        if self._socket is not None:
            try:
                # Of the socket below TLS, which another thread may be reading.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            except OSError:
                pass
