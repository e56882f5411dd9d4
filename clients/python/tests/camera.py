"""A camera program that is killed: reports crossings that a seed chooses, and writes each into a
journal once `crossing` has returned. Started again, it goes on where the journal ends.

    python3 -m tests.camera URL SPOOL JOURNAL SEED START COUNT
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from smartpark_client import Client, _limits, _sender


def crossings(seed: int, start: float, count: int) -> list[dict[str, object]]:
    """The crossings of a seed from a time on: entries, exits and ramps at three cameras."""
    chance = random.Random(seed)
    made: list[dict[str, object]] = []
    for number in range(count):
        crossing: dict[str, object] = {
            "camera_id": f"cam-{chance.randrange(3)}",
            "track_id": f"{seed}-{number}",
            "floor": chance.choice([1, 2, "First Floor"]),
            "direction": chance.choice(["entry", "exit"]),
            "timestamp": start + (number + chance.random() / 2) * 0.01,
        }
        if chance.random() < 0.2:
            crossing["from_floor"] = 3
        made.append(crossing)
    return made


def hurry() -> None:
    """Makes the pauses of the client short, so that a run takes seconds."""
    _sender.MIN_PAUSE, _sender.MAX_PAUSE = 0.02, 0.3
    _sender.FLOORS_PAUSE = _limits.WATCH_INTERVAL = 0.1


def main() -> None:
    url, spool, journal, seed, start, count = sys.argv[1:]
    hurry()
    done = len(Path(journal).read_bytes().splitlines()) if Path(journal).exists() else 0
    chance = random.Random(time.time_ns())
    made = crossings(int(seed), float(start), int(count))
    with Client(url, spool, compare_interval=1.0) as client, open(journal, "ab", 0) as written:
        for number, crossing in enumerate(made):
            if number < done:
                continue
            client.crossing(**crossing)  # type: ignore[arg-type]
            written.write(b"%d\n" % number)
            time.sleep(chance.random() * 0.02)
        while True:
            # Until the driver has seen everything at the server.
            time.sleep(1)


if __name__ == "__main__":
    main()
