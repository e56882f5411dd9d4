"""Puts the table of a run of scripts/faults between the markers of docs/reliability.md."""

import json
import os
import platform
import subprocess
import sys
from datetime import date

BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
SUMS = ["acknowledged", "unknown", "reads", "lost", "findings"]


def table(results):
    """The rows of the table, one for each fault and engine, in the order of the results."""
    rows, not_produced = {}, {}
    for line in open(results, encoding="utf-8"):
        run = json.loads(line)
        if "not_produced" in run:
            not_produced[run["fault"], run["engine"]] = run["not_produced"]
            continue
        row = rows.setdefault((run["fault"], run["engine"]), [0] * (1 + len(SUMS)))
        row[0] += 1
        for place, name in enumerate(SUMS, 1):
            row[place] += run[name]
    size = json.loads(line)["size"]
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()
    yield f"`scripts/faults {size}`, {date.today()}, {commit}; {os.cpu_count()} cores, "
    yield f"Linux {platform.release()}, {platform.machine()}; a build without optimisation."
    yield ""
    yield "| fault | engine | runs | events acknowledged | unknown, sent again | reads judged | lost | findings |"
    yield "|---|---|---|---|---|---|---|---|"
    for (fault, engine), sums in sorted(rows.items()):
        yield f"| {fault} | {engine} | " + " | ".join(f"{n:,}".replace(",", " ") for n in sums) + " |"
    for (fault, engine), why in sorted(not_produced.items()):
        yield f"| {fault} | {engine} | not produced here: {why} | | | | | |"


def main():
    results, document = sys.argv[1:]
    text = open(document, encoding="utf-8").read()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    whole = f"{before}{BEGIN}\n\n" + "\n".join(table(results)) + f"\n\n{END}{after}"
    open(document, "w", encoding="utf-8").write(whole)


main()
