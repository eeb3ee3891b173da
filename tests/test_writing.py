"""A file is there whole or not at all, and an older one stays until the new one is."""

from __future__ import annotations

import os

import pytest

from leadlight.writing import remove_unfinished, unfinished, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_has_its_content_and_nothing_stands_beside_it(tmp_path):
    write_whole(tmp_path / "a.txt", b"new")
    assert (tmp_path / "a.txt").read_bytes() == b"new"
    assert names(tmp_path) == ["a.txt"]


def test_until_the_block_ends_the_older_file_stays(tmp_path):
    write_whole(tmp_path / "a.txt", b"old")
    with unfinished(tmp_path / "a.txt") as part:
        part.write_bytes(b"new")
        assert part.parent == tmp_path and (tmp_path / "a.txt").read_bytes() == b"old"
    assert (tmp_path / "a.txt").read_bytes() == b"new"


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_older_file_alone(tmp_path, failure):
    write_whole(tmp_path / "a.txt", b"old")
    with pytest.raises(failure), unfinished(tmp_path / "a.txt") as part:
        part.write_bytes(b"half")
        raise failure
    assert (tmp_path / "a.txt").read_bytes() == b"old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_leaves_the_older_file_alone(tmp_path, monkeypatch):
    def disk_full(descriptor):
        raise OSError(28, "No space left on device")

    write_whole(tmp_path / "a.txt", b"old")
    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "a.txt", b"new")
    assert (tmp_path / "a.txt").read_bytes() == b"old"
    assert names(tmp_path) == ["a.txt"]


def test_what_a_killed_writer_left_can_be_removed(tmp_path):
    (tmp_path / "a.txt.4711.part").write_bytes(b"half")
    write_whole(tmp_path / "b.txt", b"whole")
    remove_unfinished(tmp_path)
    assert names(tmp_path) == ["b.txt"]
