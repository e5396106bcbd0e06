"""The downloads of a server: one for each set of images, watched by everybody, however many have asked for it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.errors import InputError, Names
from core.image_data import folder
from core.image_sets import find_image_set
from core.measuring import Measuring, State

PROGRAM = ("-m", "core.image_download")


class Download(Measuring[State]):
    """The download of one set, in a program of its own, so that it can be stopped at any moment."""

    format = 1
    blank = State()

    def __init__(self, name: str, program: Sequence[str] = PROGRAM) -> None:
        """Prepare the download of a set; nothing happens before it is started."""
        super().__init__(folder(name) / "download.json", (*program, name))

    def take(self, snapshot: State, kind: str, record: dict[str, Any]) -> State:
        """Take over why it cannot be done."""
        values = {name: Names(value) if isinstance(value, list) else value for name, value in record["values"].items()}
        error = {"refused": InputError}[kind](record["message"], **values)
        return replace(snapshot, error=error)

    def failure(self, reason: str) -> InputError:
        """Say that the program ended early."""
        return InputError("The download stopped early ({reason}). Start it again.", reason=reason)

    def content(self, _snapshot: State) -> dict[str, Any]:
        """Return nothing: what was downloaded is kept by the program itself."""
        return {}

    def read(self, _content: dict[str, Any]) -> State:
        """Return the state before a download."""
        return self.blank


_downloads: dict[tuple[str, str], Download] = {}
_making = threading.Lock()


def image_download(name: str) -> Download:
    """Return this server's download of a set. Raises InputError where there is no such set."""
    find_image_set(name)
    with _making:
        return _downloads.setdefault((name, str(folder(name))), Download(name))
