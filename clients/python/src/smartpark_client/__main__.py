"""The command line: what waits in a spool, what was refused, and a crossing by hand."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any, Optional

from ._client import Client, health
from ._crossing import VEHICLE_TYPES, Floor, instant
from ._errors import Error
from ._spool import Spool


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs a command. Returns the exit code: 0, 1 if it failed, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (Error, ValueError, OSError) as error:
        print(f"smartpark-client: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m smartpark_client",
        description="Looks after the spool of a camera program: the file with the events that it "
        "reports to SmartPark.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("spool", help="the spool's file")
        made.set_defaults(run=run)
        return made

    made = command("status", _status, "show what waits, what was refused and what was lost")
    made.add_argument("--json", action="store_true", help="as JSON, for programs")
    made = command("crossing", _crossing, "report a crossing by hand, as a camera would")
    _add_server(made)
    made.add_argument("--camera", required=True, help="the camera's id")
    made.add_argument("--floor", required=True, help="the floor's id or name")
    made.add_argument("--from-floor", help="for a ramp: the other floor's id or name")
    made.add_argument("--direction", required=True, choices=["entry", "exit"])
    made.add_argument("--track", help="the vehicle's track [default: a new one]")
    made.add_argument("--type", default="car", choices=VEHICLE_TYPES, help="[default: car]")
    made = command("send", _send, "deliver what waits, and end")
    _add_server(made)
    made = command("dead", _dead, "list the dead letters: events that the server refused for good")
    made.add_argument("--json", action="store_true", help="one object a line, for programs")
    made = command("retry", _retry, "let dead letters be sent again")
    made.add_argument("id", nargs="*", type=int, help="their numbers [default: all]")
    made = command("discard", _discard, "throw dead letters away")
    made.add_argument("id", nargs="*", type=int, help="their numbers")
    made.add_argument("--all", action="store_true", help="all of them")
    return parser


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", required=True, help="the server, such as http://127.0.0.1:8000")
    parser.add_argument("--key-file", help="a file with the API key")
    parser.add_argument("--ca-file", help="a file with certificates to be trusted (PEM)")
    parser.add_argument(
        "--timeout", type=float, default=60.0, help="seconds to wait for the server [default: 60]"
    )


def _client(options: argparse.Namespace) -> Client:
    return Client(
        options.url, options.spool, key_file=options.key_file, ca_file=options.ca_file
    )


def _open(options: argparse.Namespace) -> Spool:
    """The spool, which must be there: a look at a wrong name must not make a file."""
    if not os.path.exists(options.spool):
        raise ValueError(f"there is no spool at {options.spool}")
    return Spool(options.spool)


def _floor(text: Optional[str]) -> Optional[Floor]:
    return int(text) if text is not None and text.isdecimal() else text


def _status(options: argparse.Namespace) -> int:
    found = health(_open(options))
    if options.json:
        print(json.dumps(dataclasses.asdict(found), default=str))
        return 0
    counts = found.counts
    print(f"{counts.waiting} waiting, {counts.dead} dead letters, {counts.delivered} delivered")
    if counts.held:
        print(f"{counts.held} of them are held: the server says that their time lies ahead")
    if counts.without_floor:
        print(f"{counts.without_floor} of them name a floor that the server does not know")
    if counts.again:
        print(f"{counts.again} are sent again, because the server lost them")
    if found.oldest_unsent:
        print(f"the oldest has waited since {found.oldest_unsent:%Y-%m-%d %H:%M:%S} UTC")
    if found.is_full:
        print("THE SPOOL IS FULL: further events are lost")
    for loss in found.losses:
        first, last = instant(loss.first_at), instant(loss.last_at)
        print(f"LOST: {loss.events} events of {loss.camera_id}, {first} to {last} ({loss.reason})")
    if found.last_success:
        print(f"the server last took events at {found.last_success:%Y-%m-%d %H:%M:%S} UTC")
    if found.last_error:
        print(f"last error, {found.last_error_at:%Y-%m-%d %H:%M:%S} UTC: {found.last_error}")
    return 0


def _crossing(options: argparse.Namespace) -> int:
    with _client(options) as client:
        floor = _floor(options.floor)
        assert floor is not None
        client.crossing(
            options.camera,
            floor,
            options.track or f"by-hand-{time.time_ns()}",
            options.direction,
            from_floor=_floor(options.from_floor),
            vehicle_type=options.type,
        )
        return _finish(client, options)


def _send(options: argparse.Namespace) -> int:
    _open(options).close()
    with _client(options) as client:
        return _finish(client, options)


def _finish(client: Client, options: argparse.Namespace) -> int:
    """Waits for the deliveries and says how they ended."""
    before = client.spool.counts()
    is_done = client.flush(options.timeout)
    found = client.health()
    client.close(0)
    dead = found.counts.dead - before.dead
    if not is_done:
        print(f"{found.counts.waiting} events still wait: {found.last_error}", file=sys.stderr)
    if dead > 0:
        print(f"{dead} events were refused for good; see `dead`", file=sys.stderr)
    if is_done and dead <= 0:
        print("delivered")
        return 0
    return 1


def _dead(options: argparse.Namespace) -> int:
    spool, after = _open(options), 0
    while letters := spool.dead_letters(after):
        for letter in letters:
            after = letter.id
            if options.json:
                print(json.dumps(dataclasses.asdict(letter)))
            else:
                print(f"{letter.id}  {letter.status} {letter.reason}\n    {letter.body}")
    return 0


def _retry(options: argparse.Namespace) -> int:
    number = _open(options).retry_dead_letters(options.id or None)
    print(f"{number} dead letters will be sent again")
    return 0


def _discard(options: argparse.Namespace) -> int:
    if bool(options.id) == options.all:
        raise ValueError("name the dead letters by their numbers, or give --all")
    number = _open(options).discard_dead_letters(None if options.all else options.id)
    print(f"{number} dead letters are gone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
