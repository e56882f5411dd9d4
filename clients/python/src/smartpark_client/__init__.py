"""Delivers crossings of vehicles to a SmartPark server, each counted once.

    from smartpark_client import Client

    with Client("http://127.0.0.1:8000", spool="spool.db") as client:
        client.crossing(camera_id="ramp-1", floor="Level 1", track_id="17", direction="entry")

`Client.crossing` returns when the event is on disk in the spool, one SQLite file. A thread sends
what is in the spool and repeats it until the server acknowledges it.
"""

from ._client import Client, Health
from ._errors import Damaged, Error, Full, Invalid, NotASpool, Unavailable
from ._records import Counts, DeadLetter, Limits, Loss
from ._spool import Spool

__all__ = [
    "Client",
    "Counts",
    "Damaged",
    "DeadLetter",
    "Error",
    "Full",
    "Health",
    "Invalid",
    "Limits",
    "Loss",
    "NotASpool",
    "Spool",
    "Unavailable",
]
