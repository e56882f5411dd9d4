"""A few runs of kills and outages; `python3 -m tests.outages` makes many."""

from __future__ import annotations

import os
import unittest

from .outages import run
from .program import needs_program

RUNS = int(os.environ.get("SMARTPARK_OUTAGE_RUNS", "3"))


@needs_program
class OutagesTest(unittest.TestCase):
    def test_nothing_is_lost_or_doubled(self) -> None:
        for seed in range(1_001, 1_001 + RUNS):
            with self.subTest(seed=seed):
                run(seed)
