"""Kills and outages in random order: the camera program and the real server are killed, the server
is frozen, away for a while, or set up again from an older backup. In the end every event is at the
server once, and every floor has the right count.

    SMARTPARK_PROGRAM=.../smartpark python3 -m tests.outages --runs 200
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Optional

from smartpark_client._crossing import OPPOSITE

from .camera import crossings
from .program import Server

COUNT = 30
FLOORS = {1: 1, 2: 2, 3: 3, "First Floor": 2}
PATIENCE = 240.0  # seconds until a run counts as stuck, on a machine that does other things too


class Run:
    """One run of a seed."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed, self.folder = seed, folder
        self.chance = random.Random(seed)
        self.server = Server(folder)
        self.slots: dict[int, int] = {}
        self.start = 0.0
        self.end = time.monotonic() + PATIENCE
        self.faults: collections.Counter[str] = collections.Counter()
        self._camera: Optional[subprocess.Popen[bytes]] = None

    def go(self) -> collections.Counter[str]:
        try:
            self.server.start()
            self.slots = {floor["id"]: floor["total_slots"] for floor in self._floors()}
            self.start = time.time()
            self.server.kill(signal.SIGTERM)
            self.server.back_up()
            self.server.start()
            self._start_camera()
            faults = self.chance.randrange(2, 6)
            for number in range(faults):
                # Somewhere in its part of the crossings; often with all of them delivered, so that
                # a restored server lacks some.
                part = COUNT / faults
                self._wait_for_crossings(int((number + self.chance.random()) * part))
                if self.chance.random() < 0.5:
                    self._wait_for_deliveries()
                time.sleep(self.chance.random() * 0.02)
                fault = self.chance.choice(
                    [self.kill_camera, self.kill_server, self.freeze, self.outage, self.restore]
                )
                self.faults[fault.__name__] += 1
                fault()
            self._check()
        finally:
            self._kill_camera()
            self.server.kill()
        return self.faults

    def kill_camera(self) -> None:
        self._kill_camera()
        self._start_camera()

    def kill_server(self) -> None:
        self.server.kill()
        if self.chance.random() < 0.3:
            self.server.back_up()
        self.server.start()

    def freeze(self) -> None:
        self.server.send_signal(signal.SIGSTOP)
        time.sleep(self.chance.random() * 0.5)
        self.server.send_signal(signal.SIGCONT)

    def outage(self) -> None:
        self.server.kill(self.chance.choice([signal.SIGKILL, signal.SIGTERM]))
        time.sleep(self.chance.random())
        if self.chance.random() < 0.5:
            self.kill_camera()
        self.server.start()

    def restore(self) -> None:
        self.server.kill()
        if self.chance.random() < 0.3:
            self.kill_camera()
        self.server.restore()
        self.server.start()

    def _wait_for_crossings(self, count: int) -> None:
        journal = self.folder / "journal"
        while not journal.exists() or len(journal.read_bytes().splitlines()) < count:
            self._look()

    def _wait_for_deliveries(self) -> None:
        """Waits until the server has what was reported so far."""
        count = len((self.folder / "journal").read_bytes().splitlines())
        while len({event["track_id"] for event in self.server.events()}) < count:
            self._look()

    def _look(self) -> None:
        """A pause between two looks, unless the run is stuck."""
        if time.monotonic() > self.end:
            raise AssertionError(f"run {self.seed}: stuck")
        assert self._camera is not None
        if self._camera.poll() is not None:
            raise AssertionError(f"run {self.seed}: the camera program ended by itself")
        time.sleep(0.02)

    def _start_camera(self) -> None:
        command = [sys.executable, "-m", "tests.camera", self.server.url]
        command += [str(self.folder / "spool.db"), str(self.folder / "journal")]
        command += [str(self.seed), repr(self.start), str(COUNT)]
        with open(self.folder / "camera.log", "ab") as log:
            self._camera = subprocess.Popen(command, stderr=log)

    def _kill_camera(self) -> None:
        if self._camera is not None:
            self._camera.kill()
            self._camera.wait()
            self._camera = None

    def _check(self) -> None:
        """Waits until everything is at the server, and looks that nothing is doubled."""
        expected = set()
        vehicles = dict.fromkeys(self.slots, 0)
        for crossing in crossings(self.seed, self.start, COUNT):
            sides = [(crossing["floor"], crossing["direction"])]
            if "from_floor" in crossing:
                sides.append((crossing["from_floor"], OPPOSITE[str(crossing["direction"])]))
            for named, direction in sides:
                floor = FLOORS[named]  # type: ignore[index]
                expected.add((crossing["camera_id"], crossing["track_id"], floor, direction))
                change = 1 if direction == "entry" else -1
                vehicles[floor] = min(max(vehicles[floor] + change, 0), self.slots[floor])
        self.end = time.monotonic() + PATIENCE
        while True:
            found = [
                (event["camera_id"], event["track_id"], event["floor_id"], event["direction"])
                for event in self.server.events()
            ]
            if set(found) >= expected:
                break
            if time.monotonic() > self.end:
                missing = sorted(map(str, expected - set(found)))
                raise AssertionError(f"run {self.seed}: lost or stuck: {missing}")
            self._look()
        doubled = [key for key, times in collections.Counter(found).items() if times > 1]
        if doubled or set(found) != expected:
            raise AssertionError(f"run {self.seed}: doubled {doubled}, or never reported")
        counts = {floor["id"]: floor["current_vehicles"] for floor in self._floors()}
        if counts != vehicles:
            raise AssertionError(f"run {self.seed}: {counts} vehicles instead of {vehicles}")

    def _floors(self) -> list[dict[str, int]]:
        floors: list[dict[str, int]] = self.server.get("/floors?include_inactive=true")["floors"]
        return floors


def run(seed: int) -> collections.Counter[str]:
    with tempfile.TemporaryDirectory(prefix="smartpark-outages-") as folder:
        try:
            return Run(seed, Path(folder)).go()
        except BaseException:
            log = Path(folder, "camera.log")
            if log.exists():
                sys.stderr.write(log.read_text(errors="replace")[-4_000:])
            raise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=1, help="the seed of the first run")
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.runs)
    faults: collections.Counter[str] = collections.Counter()
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.at_once) as pool:
        for found in pool.map(run, seeds):
            faults.update(found)
    words = ", ".join(f"{number} {name}" for name, number in sorted(faults.items()))
    seconds = round(time.monotonic() - start)
    print(f"{options.runs} runs, {options.runs * COUNT} crossings, {words}: ", end="")
    print(f"nothing lost, nothing doubled ({seconds} s)")


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[1])
    main()
