"""A tracker and a line: turns boxes that a detector found into crossings, and reports them.

    python3 examples/line.py --url http://127.0.0.1:8000 --demo
    my_detector | python3 examples/line.py --url http://127.0.0.1:8000

Standard input has one frame a line, with the boxes of one camera (x, y, width, height in pixels):

    {"time": 1770892245.12, "boxes": [[310, 180, 90, 60], [40, 200, 80, 55]]}

The line is horizontal, at LINE_Y. A vehicle that moves down the picture enters. This is the least
that counts right on a calm ramp; a product needs more care with shadows, queues and people.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
import uuid
from typing import Any, Iterable, Iterator, Optional

from smartpark_client import Client

LINE_Y = 240.0
BAND = 12.0  # pixels on either side of the line in which a vehicle has no side
REACH = 80.0  # pixels that a vehicle moves at most from one frame to the next
PATIENCE = 1.0  # seconds after which a vehicle that is not seen is forgotten


class Track:
    """One vehicle as long as the camera sees it."""

    def __init__(self, name: str, at: float, x: float, y: float) -> None:
        self.name, self.at, self.x, self.y = name, at, x, y
        self.side: Optional[str] = None

    def move(self, at: float, x: float, y: float) -> Optional[tuple[str, float]]:
        """Moves the vehicle. Returns its direction and time if it has crossed the line."""
        before_at, before_y = self.at, self.y
        self.at, self.x, self.y = at, x, y
        if abs(y - LINE_Y) <= BAND:
            return None  # on the line: nothing is decided
        side = "above" if y < LINE_Y else "below"
        side_before, self.side = self.side, side
        if side_before in (None, side):
            return None
        # When the middle of the vehicle was on the line, between the two frames.
        share = (LINE_Y - before_y) / (y - before_y) if y != before_y else 1.0
        crossed_at = before_at + (at - before_at) * min(max(share, 0.0), 1.0)
        return ("entry" if side == "below" else "exit"), crossed_at


class Tracker:
    """Joins the boxes of one frame to the vehicles of the frame before: the nearest ones first."""

    def __init__(self) -> None:
        # New at each start, so that a track has a name of its own for ever.
        self.run = uuid.uuid4().hex[:12]
        self.count = 0
        self.tracks: list[Track] = []

    def frame(self, at: float, boxes: Iterable[Any]) -> Iterator[tuple[Track, str, float]]:
        """The crossings of a frame."""
        middles = [(x + width / 2, y + height / 2) for x, y, width, height in boxes]
        self.tracks = [track for track in self.tracks if at - track.at <= PATIENCE]
        pairs = sorted(
            (math.hypot(track.x - x, track.y - y), place, number)
            for number, track in enumerate(self.tracks)
            for place, (x, y) in enumerate(middles)
        )
        moved: set[int] = set()
        placed: set[int] = set()
        for distance, place, number in pairs:
            if distance > REACH or place in placed or number in moved:
                continue
            moved.add(number)
            placed.add(place)
            track = self.tracks[number]
            crossed = track.move(at, *middles[place])
            if crossed:
                yield track, *crossed
        for place, (x, y) in enumerate(middles):
            if place not in placed:
                self.count += 1
                track = Track(f"{self.run}-{self.count}", at, x, y)
                track.move(at, x, y)
                self.tracks.append(track)


def read(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    yield from (json.loads(line) for line in lines if line.strip())


def demo() -> Iterator[dict[str, Any]]:
    """Two cars that enter side by side, and one that leaves, within the last four seconds."""
    start = time.time() - 4
    for frame in range(40):
        at, way = start + frame / 10, frame * 10
        boxes = [[100, way, 80, 60], [400, way - 30, 90, 60]]
        if frame > 10:
            boxes.append([250, 460 - way, 80, 60])
        yield {"time": at, "boxes": boxes}


def main() -> None:
    parser = argparse.ArgumentParser(description="Counts vehicles that cross a line.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--spool", default="line.db")
    parser.add_argument("--key-file")
    parser.add_argument("--camera", default="ramp-1")
    parser.add_argument("--floor", default="Ground Floor")
    parser.add_argument("--demo", action="store_true", help="three made-up cars")
    options = parser.parse_args()
    frames = demo() if options.demo else read(sys.stdin)
    tracker = Tracker()
    with Client(options.url, options.spool, key_file=options.key_file) as client:
        for frame in frames:
            for track, direction, at in tracker.frame(frame["time"], frame["boxes"]):
                client.crossing(options.camera, options.floor, track.name, direction, timestamp=at)
                print(f"{track.name} {direction}")
        is_done = client.flush(30)
    print("all delivered" if is_done else "some events wait for the server")


main()
