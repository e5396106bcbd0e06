"""Writing files so that a crash leaves the old one or the new one, never half of one; and their checksums."""

import hashlib
import os
import tempfile
from pathlib import Path


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
