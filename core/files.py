"""Writing files so that a crash leaves the old one or the new one, never half of one; and their checksums."""

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import InputError


def sha256(content: bytes) -> str:
    """Return the SHA-256 of some bytes as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def write_file(path: Path, content: bytes) -> None:
    """Write beside the file, flush to the disk and rename over it. Raises OSError, and then leaves nothing behind."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def append_file(path: Path, content: bytes, *, at: int) -> None:
    """Write `content` from byte `at` on, cutting off what stood there, and flush to the disk. Raises OSError."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.truncate(at)
        file.seek(at)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def folder_bytes(folder: Path) -> int:
    """Return the size of all files in a folder, in bytes; files that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


@contextmanager
def disk_errors(folder: Path, needed: int) -> Iterator[None]:
    """Turn the system's complaint about a disk into a sentence that says what is needed (`needed` in bytes)."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                "The disk is full: keeping this run needs about {needed} MB in {folder}. Free some space there, or"
                " set TORCHSCAPE_HOME to a folder on another disk.",
                needed=max(1, round(needed / 1e6)),
                folder=folder,
            ) from error
        raise InputError(
            "Runs cannot be kept in {folder} ({reason}). Make that folder writable, or set TORCHSCAPE_HOME to one"
            " that is.",
            folder=folder,
            reason=error.strerror or type(error).__name__,
        ) from error
