"""Why an event is not on disk, or why the spool cannot be used."""

from __future__ import annotations


class Error(Exception):
    """The root of all errors of this package."""


class Invalid(Error, ValueError):
    """Fields of a crossing do not fit. `faults` names all of them."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Full(Error):
    """As many events wait as may. The event is lost and was counted as lost."""

    def __init__(self, waiting: int) -> None:
        super().__init__(
            f"the spool is full: {waiting} events wait for the server, so this one is lost; "
            "look at `status` why the server does not take them"
        )
        self.waiting = waiting


class Damaged(Error):
    """The spool's file is damaged."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"the spool {path} is damaged ({reason}); stop the program, move the file away to "
            "save what can be read, and start again with a new one"
        )


class NotASpool(Error):
    """The file is something else than a spool, or of a newer version."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} cannot be used as a spool: {reason}")


class Unavailable(Error):
    """The spool cannot be read or written. The event is not on disk: report it again."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"the spool {path} cannot be read or written: {reason}")
