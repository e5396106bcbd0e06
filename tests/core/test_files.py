import errno

import pytest

from core import files
from core.files import append_file, folder_bytes, sha256, write_file


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a.json"
    write_file(path, b"old and long")
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_file(path, b"old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_appending_cuts_off_what_a_crash_left(tmp_path):
    path = tmp_path / "metrics"
    append_file(path, b"first\n", at=0)
    append_file(path, b"half a li", at=6)
    append_file(path, b"second\n", at=6)
    assert path.read_bytes() == b"first\nsecond\n"


def test_sizes_and_checksums(tmp_path):
    (tmp_path / "in").mkdir()
    write_file(tmp_path / "in" / "a", b"123")
    write_file(tmp_path / "b", b"4567")
    assert folder_bytes(tmp_path) == 7
    assert sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # FIPS 180-4's empty one
