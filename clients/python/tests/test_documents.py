"""The commands and the program of docs/clients.md do what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from .program import Server, needs_program

REPOSITORY = Path(__file__).parents[3]
PAGE = REPOSITORY / "docs/clients.md"


def blocks(language: str) -> list[str]:
    """The blocks of a language on the page."""
    pattern = rf"^```{language}\n(.*?)^```$"
    return re.findall(pattern, PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@needs_program
@unittest.skipUnless(PAGE.exists(), "not in the repository")
class DocumentsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "examples").symlink_to(REPOSITORY / "examples")
        (self.folder / "park").mkdir()
        self.server = Server(self.folder / "park").start()
        self.addCleanup(self.server.kill)

    def run_here(self, command: list[str], text: str) -> str:
        text = text.replace("http://127.0.0.1:8000", self.server.url)
        # `python3` is the one that runs this test.
        path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
        done = subprocess.run(
            [*command, text],
            cwd=self.folder,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        self.assertEqual(done.returncode, 0, f"{text}\n{done.stdout}")
        return done.stdout

    def test_the_commands_work_in_their_order(self) -> None:
        said = [self.run_here(["bash", "-euc"], block) for block in blocks("bash")]
        self.assertEqual(len(said), 4)
        by_hand, dead, line, curl = said
        self.assertIn("0 waiting, 0 dead letters, 1 delivered", by_hand)
        self.assertIn("422 floor_id names no floor", dead)
        self.assertIn("1 dead letters will be sent again", dead)
        self.assertIn("1 dead letters are gone", dead)
        self.assertEqual(line.count(" entry\n"), 2)
        self.assertEqual(line.count(" exit\n"), 1)
        self.assertIn("all delivered", line)
        self.assertIn('"recorded":2', curl.replace(" ", ""))
        cameras = [event["camera_id"] for event in self.server.events()]
        self.assertEqual(cameras, ["ramp-1"] * 6)

    def test_the_program_works(self) -> None:
        (program,) = blocks("python")
        self.run_here([sys.executable, "-c"], program)
        self.assertEqual([event["track_id"] for event in self.server.events()], ["run7-17"])
