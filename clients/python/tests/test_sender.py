"""The sender's machine with a fake clock, against a naive spool and a naive server."""

from __future__ import annotations

import json
import random
import unittest
from typing import Optional

from smartpark_client._answer import Answer, NoAnswer, Response
from smartpark_client._sender import (
    Compare,
    FindFloors,
    Item,
    Post,
    Read,
    ReadHeld,
    Sender,
    Wait,
    pause,
)


class World:
    """A spool as a dictionary of states, a server as a set, and a clock that is set."""

    def __init__(self) -> None:
        self.now = 0.0
        self.states: dict[int, str] = {}
        self.stored: set[int] = set()
        self.settled: dict[int, int] = {}
        self.is_healed = False
        self.sender = Sender(self.now)

    def report(self) -> None:
        self.states[len(self.states) + 1] = "waiting"
        self.sender.wake()

    def ids(self, state: str) -> list[int]:
        return [event for event, found in self.states.items() if found == state]

    def restart(self) -> None:
        self.sender = Sender(self.now, self.ids("held"))

    def answer(self, ids: tuple[int, ...], how: str) -> Answer:
        """Every seventh event is never valid; every fifth is from the future until the end."""
        if how.isdecimal():
            return Response(int(how), b"")
        if how == "unreachable":
            return NoAnswer("gone")
        if how == "timed out":
            return NoAnswer("gone", timed_out=True)
        if how == "garbage":
            return Response(200, b"<html>")
        errors = []
        new = 0
        for index, event in enumerate(ids):
            if event % 7 == 3:
                errors.append({"index": index, "type": "urn:x:unknown-floor", "status": 422})
            elif event % 5 == 2 and not self.is_healed:
                errors.append({"index": index, "type": "urn:x:in-future", "status": 422})
            elif how == "half" and index % 2:
                errors.append({"index": index, "type": "urn:x:unavailable", "status": 503})
            else:
                new += event not in self.stored
                self.stored.add(event)
        if how == "answer lost":
            return NoAnswer("gone")
        good = len(ids) - len(errors)
        body = {"recorded": new, "duplicates": good - new, "rejected": len(errors)}
        return Response(200, json.dumps({**body, "errors": errors}).encode())

    def act(self, how: str, end: str = "") -> bool:
        """One thing that the machine wants done. Returns whether it waits."""
        step = self.sender.next(self.now)
        if isinstance(step, Wait):
            assert step.until > self.now
            return True
        if isinstance(step, Read):
            items = [Item(event, f"event {event}", 0, False) for event in self.ids("waiting")]
            self.sender.give(step, items[: step.limit])
        elif isinstance(step, ReadHeld):
            held = [event for event in sorted(step.ids) if self.states[event] == "held"]
            self.sender.give(step, [Item(event, f"event {event}", 0, False) for event in held])
        elif isinstance(step, Post):
            self.check(step)
            answer = self.answer(step.ids, how)
            if end == "kill":
                self.restart()
                return True
            told = self.sender.told(self.now, answer, 0.5)
            if end == "disk":
                self.sender.failed(self.now, 0.5)
                return True
            for event, outcome in told.verdicts:
                assert outcome.kind != "delivered" or event in self.stored, "not at the server"
                state = {"too_old": "dead"}.get(outcome.kind, outcome.kind)
                self.states[event] = state
                if state != "held":
                    self.settled[event] = self.settled.get(event, 0) + 1
            if told.verdicts:
                self.sender.settled(self.now)
        elif isinstance(step, FindFloors):
            self.sender.found_floors(self.now)
        else:
            assert isinstance(step, Compare)
            self.sender.compared(self.now, "same")
        return False

    def check(self, post: Post) -> None:
        assert post.body == "".join(f"event {event}\n" for event in post.ids), "byte for byte"
        assert list(post.ids) == sorted(post.ids)
        if not all(self.states[event] == "held" for event in post.ids):
            first = self.ids("waiting")[: len(post.ids)]
            assert list(post.ids) == first, "a request has the first that wait"


HOWS = ["good", "good", "good", "answer lost", "answer lost", "unreachable", "timed out"]
HOWS += ["garbage", "half", "half", "301", "400", "401", "408", "413", "422", "429", "500", "503"]


class SenderTest(unittest.TestCase):
    def test_every_event_arrives_and_is_settled_once(self) -> None:
        for seed in range(300):
            with self.subTest(seed=seed):
                self.one_run(random.Random(seed))

    def one_run(self, chance: random.Random) -> None:
        world = World()
        for _ in range(chance.randrange(1, 120)):
            how = chance.choice(HOWS)
            step = chance.choices(["report", "run", "pass", "kill", "disk"], [5, 5, 3, 1, 1])[0]
            if step == "report":
                world.report()
            elif step == "pass":
                world.now += chance.randrange(1, 5_000)
            else:
                for _ in range(chance.randrange(1, 6)):
                    if world.act(how, step):
                        break
        world.is_healed = True
        for _ in range(2_000):
            if world.act("good"):
                if not world.ids("waiting") and not world.ids("held"):
                    break
                world.now += 60
        for event, state in world.states.items():
            self.assertIn(state, ("delivered", "dead"))
            self.assertEqual(world.settled[event], 1)
            if event % 7 == 3:
                self.assertEqual(state, "dead")

    def posts(self, hows: list[str], fraction: float) -> list[float]:
        """When a single event is sent, while the server answers like this."""
        world, times = World(), []
        world.report()
        while hows:
            step = world.sender.next(world.now)
            if isinstance(step, Wait):
                world.now = step.until
            elif isinstance(step, Post):
                times.append(world.now)
                world.sender.told(world.now, world.answer(step.ids, hows.pop()), fraction)
            else:
                world.act("good")
        return times

    def test_retries_come_after_pauses_that_grow(self) -> None:
        longest = self.posts(["unreachable"] * 8, 1.0)
        self.assertEqual(longest, [0, 1, 3, 7, 15, 31, 61, 91])
        shortest = self.posts(["503"] * 4, 0.0)
        self.assertEqual(shortest, [0, 0.5, 1, 1.5])
        self.assertEqual([pause(1, 0.0, asked) for asked in (0, 5, 10**6)], [0.5, 5, 30])

    def test_an_event_of_the_future_is_tried_every_hour_and_stops_no_other(self) -> None:
        world, tried = World(), []
        world.report()
        world.report()
        while world.now < 3 * 3_600:
            step = world.sender.next(world.now)
            if isinstance(step, Wait):
                world.now = step.until
                continue
            if isinstance(step, Post):
                tried.append((world.now, step.ids))
            world.act("good")
        self.assertEqual(tried, [(0, (1, 2)), (3_600, (2,)), (7_200, (2,))])

    def test_one_bad_event_is_found_among_many(self) -> None:
        world, requests = World(), 0
        world.is_healed = True
        for _ in range(100):
            world.report()
        while world.ids("waiting"):
            step = world.sender.next(world.now)
            how: Optional[str] = "good"
            if isinstance(step, Wait):
                world.now = step.until
                continue
            if isinstance(step, Post):
                requests += 1
                how = "403" if 50 in step.ids else "good"
            world.act(how)
        self.assertIn(50, world.ids("dead"))
        self.assertTrue(all(event == 50 or event % 7 == 3 for event in world.ids("dead")))
        self.assertLess(requests, 40)

    def compares(self, world: World, hows: list[str]) -> int:
        """Reports an event, lets the server answer the posts like this, and counts how often the
        machine compares until it is idle."""
        world.report()
        compares = 0
        while True:
            step = world.sender.next(world.now)
            if isinstance(step, Wait):
                if step.until > world.now + 60:
                    return compares
                world.now = step.until
                continue
            compares += isinstance(step, Compare)
            world.act(hows.pop(0) if isinstance(step, Post) else "good")

    def test_after_the_server_was_away_it_is_asked_what_it_has(self) -> None:
        world = World()
        self.assertEqual(self.compares(world, ["good"]), 1, "once at the start")
        self.assertEqual(self.compares(world, ["good"]), 0)
        self.assertEqual(self.compares(world, ["unreachable", "good"]), 1)
        self.assertEqual(self.compares(world, ["503", "503", "good"]), 1)
        self.assertEqual(self.compares(world, ["429", "good"]), 0)

    def test_waiting_events_are_a_backlog(self) -> None:
        post = Post((1,), "x\n", spooled_at=50_000_000, is_late=False, is_held=False)
        times = [49_999_999, 50_000_000, 60_000_000, 60_000_001]
        self.assertEqual([post.is_backlog(at) for at in times], [True, False, False, True])
