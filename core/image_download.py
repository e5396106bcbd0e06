"""Downloads a set of images on request, from the mirrors and with the checksums that torchvision has of it.

`python -m core.image_download NAME` does it beside the server and prints a JSON object a line (core.image_job starts
it); `python -m core data NAME` does it in a terminal. Files that somebody has copied into the folder are used, so that
a class without a network can be served from a memory stick.
"""

from __future__ import annotations

import errno
import io
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from filelock import FileLock

from core.errors import InputError, Names
from core.image_data import Part, folder, is_here, keep, room_for
from core.image_sets import DATASETS, find_image_set
from core.measuring import end_with_server, say
from core.messages import N_

PATIENCE = 20.0  # s without an answer, after which a connection is given up
LOOK_EVERY = 0.3  # s between two looks at how much has arrived
MB = 1_000_000
FAILURES: dict[type[Exception], str] = {  # of a connection, in words that a page translates
    socket.gaierror: N_("no server of that name was found: there is no network, or its name service does not answer"),
    TimeoutError: N_("the server did not answer in time"),
    ConnectionRefusedError: N_("the server refused the connection"),
    ConnectionError: N_("the server broke the connection off"),
}
UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)
NO_WAY = N_("no way leads to the server from here")
BESIDE = ".arriving"  # folder of the files that are not whole yet
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)  # what is wrong with the disk, not the net

Report = Callable[[float], None]  # takes the share of the download that has arrived, 0 to 1


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file as it is published."""

    name: str
    urls: tuple[str, ...]  # the mirrors
    md5: str


def sources(name: str) -> tuple[Source, ...]:
    """Return the files of a set, as torchvision knows them. Loads torchvision."""
    kind = _torchvision_class(name)
    if hasattr(kind, "resources"):
        return tuple(
            Source(name=file, urls=tuple(mirror + file for mirror in kind.mirrors), md5=md5)
            for file, md5 in kind.resources
        )
    return (Source(name=kind.filename, urls=(kind.url,), md5=kind.tgz_md5),)


def download(name: str, report: Report = lambda _share: None) -> None:
    """Get a set, unless it is here, and keep it in the form of core.image_data; others who want it wait.

    Raises InputError, with a sentence that says what to do, where there is no network, where what arrives is damaged
    or where the disk is full. What has arrived whole by then is not downloaded again.
    """
    find_image_set(name)
    if is_here(name):
        return
    place, files = folder(name), sources(name)
    with room_for(name):
        place.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place.with_suffix(".lock"))
        with _watched(place, files, MB * DATASETS[name].megabytes, report), lock:
            if is_here(name):  # somebody else was quicker
                return
            shutil.rmtree(place / BESIDE, ignore_errors=True)  # of a download that was stopped
            try:
                for source in files:
                    _fetch(source, place, name, files)
            finally:
                shutil.rmtree(place / BESIDE, ignore_errors=True)
            keep(name, _read(name, place, files))
            for source in files:
                (place / source.name).unlink(missing_ok=True)


def _fetch(source: Source, place: Path, name: str, files: tuple[Source, ...]) -> None:
    """Get one file whole, from the first mirror that has it, unless it is in the folder."""
    from torchvision.datasets.utils import check_integrity, download_url

    title, beside = DATASETS[name].title, place / BESIDE
    there = (place / source.name).exists()
    if there and check_integrity(place / source.name, source.md5):
        return
    reason, damaged = "", False
    for url in source.urls:
        try:
            with _impatient(), redirect_stderr(io.StringIO()):  # its own bar would move beside ours
                download_url(url, beside, source.name, source.md5)
            (beside / source.name).replace(place / source.name)
        except (OSError, HTTPException, RecursionError) as error:
            if getattr(error, "errno", None) in DISK:
                raise
            reason = _reason(error)
        except RuntimeError as error:  # torchvision's word for a checksum that differs
            reason, damaged = _reason(error), True
        else:
            return
    if damaged:
        raise InputError(
            "What arrived of {file} of {title} is not what was published (its checksum differs), or the connection "
            "broke off. Try again; where that does not help, copy {files} into {folder} from elsewhere.",
            file=source.name, title=title, files=_names(files), folder=place,
        )  # fmt: skip
    if there:
        raise InputError(
            "The file {file} in {folder} is damaged (its checksum differs), and {title} cannot be downloaded instead "
            "({reason}). Copy it there again, or connect this computer to the internet once.",
            file=source.name, folder=place, title=title, reason=reason,
        )  # fmt: skip
    raise InputError(
        "{title} cannot be downloaded ({reason}). Connect this computer to the internet once and try again, or copy "
        "{files} into {folder}, which are then used.",
        title=title, reason=reason, files=_names(files), folder=place,
    )  # fmt: skip


def _read(name: str, place: Path, files: tuple[Source, ...]) -> dict[str, Part]:
    """Read what was published. Raises InputError where it cannot be."""
    from core.published import BROKEN, read_cifar, read_idx_set

    try:
        return (read_cifar if DATASETS[name].class_name == "CIFAR10" else read_idx_set)(place)
    except BROKEN as error:
        for source in files:
            (place / source.name).unlink(missing_ok=True)
        raise InputError(
            "What was published as {title} does not hold the expected images.", title=DATASETS[name].title
        ) from error


def _torchvision_class(name: str) -> Any:  # noqa: ANN401 - what torchvision's data sets have in common is not typed
    from core.torchvision_ops import prepare_torchvision

    prepare_torchvision()
    from torchvision import datasets

    return getattr(datasets, find_image_set(name).class_name)


@contextmanager
def _watched(place: Path, files: tuple[Source, ...], total: int, report: Report) -> Iterator[None]:
    """Report how much has arrived, as the sizes of the files tell, while they are downloaded."""
    done = threading.Event()

    def look() -> None:
        most, over = 0.0, False
        while not over:
            over = done.wait(LOOK_EVERY)  # once more at the end
            arrived = sum(_size(place / source.name) + _size(place / BESIDE / source.name) for source in files)
            most = max(most, min(1.0, arrived / total))  # what was unpacked is gone, but has arrived
            report(most)

    watcher = threading.Thread(target=look, daemon=True, name="download")
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@contextmanager
def _impatient() -> Iterator[None]:
    """Give up connections that no longer answer, of which torchvision's own function would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _reason(error: Exception) -> str:
    """Say what happened: in our words what a network usually does, else in the system's."""
    if isinstance(error, HTTPError):
        return f"HTTP {error.code}"
    inner = getattr(error, "reason", None)
    shown = inner if isinstance(inner, Exception) else error
    usual = [said for kind, said in FAILURES.items() if isinstance(shown, kind)]
    if getattr(shown, "errno", None) in UNREACHABLE:
        usual = [NO_WAY]
    if usual:
        return usual[0]
    return (getattr(shown, "strerror", None) or str(shown) or type(shown).__name__)[:120]


def _names(files: tuple[Source, ...]) -> Names:
    return Names(source.name for source in files)


def main(name: str) -> None:
    """Download and say how far it is; the last line says how it ended."""
    try:
        download(name, lambda share: say(kind="progress", done=share))
    except InputError as error:
        values = {key: value if isinstance(value, Names) else str(value) for key, value in error.values.items()}
        say(kind="refused", message=error.message, values=values)
        return
    say(kind="done")


if __name__ == "__main__":
    end_with_server()
    main(Path(sys.argv[1]).name)
