"""A zip archive that a stranger may have made: nothing of it is inflated before all of it is known to be small."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib

from core.errors import InputError

MOST_BYTES = 32_000_000  # of the archive; .streamlit/config.toml lets no larger file in
MOST_INFLATED = 64_000_000  # of all of its files
MOST_FILES = 103  # manifest, spec and metrics, and the weights after 100 epochs
LIMITS = {  # bytes of a file, by what its name is; a name that is not here is refused
    re.compile(r"manifest\.json"): 100_000,
    re.compile(r"spec\.json"): 4_000,
    re.compile(r"metrics\.jsonl"): 24_000_000,
    re.compile(r"weights-[0-9]{3}\.safetensors"): 28_000_000,
}
_END = struct.Struct("<4s4H2LH")  # the end of the central directory; APPNOTE.TXT of PKWARE, 4.3.16
_ENCRYPTED = 1
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, NotImplementedError, RuntimeError)


class Archive:
    """The files of an exported run. Raises InputError for every archive that is no such thing."""

    def __init__(self, content: bytes) -> None:
        """Look at the directory of the archive and at nothing else."""
        if len(content) > MOST_BYTES:
            raise InputError(
                "The file has {size} MB; an exported run has at most {most}.",
                size=f"{len(content) / 1e6:,.0f}",
                most=MOST_BYTES // 1_000_000,
            )
        _check_end(content)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except _BROKEN as error:
            raise _no_archive() from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            _check_member(member)
            if member.filename in self._members:
                raise InputError("The archive holds {name} twice; an exported run does not.", name=member.filename)
            self._members[member.filename] = member
        if sum(member.file_size for member in self._members.values()) > MOST_INFLATED:
            raise _too_large()

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the files."""
        return frozenset(self._members)

    def read(self, name: str) -> bytes:
        """Return a file, which has at most the size that the directory says. Raises KeyError where there is none."""
        member = self._members[name]
        try:
            with self._zip.open(member) as file:
                content = file.read(member.file_size + 1)
        except _BROKEN as error:
            raise damaged(name) from error
        if len(content) != member.file_size:
            raise damaged(name)
        return content


def damaged(name: str) -> InputError:
    """Return the error for a file of an archive that is not what it was when it was exported."""
    return InputError("{name} in the archive is damaged; export the run again.", name=name)


def write_archive(files: dict[str, bytes]) -> bytes:
    """Pack files so that equal files make equal archives."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name)  # of 1980-01-01: the date of the run stands in its manifest
            member.external_attr = 0o644 << 16
            archive.writestr(member, files[name], compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def _check_end(content: bytes) -> None:
    """Refuse an archive whose directory is long, or hides in an archive of another kind, before it is read."""
    if len(content) < _END.size:
        raise _no_archive()
    signature, disk, first, here, count, size, _start, comment = _END.unpack(content[-_END.size :])
    zip64 = content[-_END.size - 20 : -_END.size].startswith(b"PK\x06\x07")
    if signature != b"PK\x05\x06" or disk or first or here != count or comment or zip64:
        raise _no_archive()
    if count > MOST_FILES or size > MOST_FILES * 200:
        raise InputError("The archive holds {count} files; an exported run has at most {most}.", count=f"{count:,}",
                         most=MOST_FILES)  # fmt: skip


def _check_member(member: zipfile.ZipInfo) -> None:
    limit = next((limit for name, limit in LIMITS.items() if name.fullmatch(member.filename)), None)
    if limit is None:
        name = re.sub(r"[^\w.\-/]", "?", member.filename)[:40]
        raise InputError("The archive holds {name}, which no exported run has.", name=name)
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _PLAIN:
        raise _no_archive()
    if member.file_size > limit:
        raise _too_large()


def _too_large() -> InputError:
    return InputError(
        "The archive would unpack to more than an exported run has, at most {most} MB.",
        most=MOST_INFLATED // 1_000_000,
    )


def _no_archive() -> InputError:
    return InputError("The file is no run that was exported here: those are zip archives.")
