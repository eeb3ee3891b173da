"""Which recordings a list of files and folders means."""

from __future__ import annotations

import numpy as np
import pytest

from leadlight.errors import FileFormatError
from leadlight.files import find_recordings


@pytest.fixture
def tree(tmp_path, write_record):
    one = np.zeros((1, 4), dtype=int)
    for folder in ("a", "b/c", ".hidden"):
        (tmp_path / folder).mkdir(parents=True)
    write_record(one, ("I",), name="r2", folder=tmp_path / "a")
    write_record(one, ("I",), name="r1", folder=tmp_path / "a", extension="mat")
    write_record(one, ("I",), name="r3", folder=tmp_path / "b" / "c")
    write_record(one, ("I",), name="r4", folder=tmp_path / ".hidden")
    (tmp_path / "a" / "notes.csv").write_text("no record")
    return tmp_path


def names(found, root):
    return [path.relative_to(root).as_posix() for path in found]


def test_a_folder_means_every_record_below_it_sorted(tree):
    assert names(find_recordings([tree]), tree) == ["a/r1.hea", "a/r2.hea", "b/c/r3.hea"]


def test_one_path_needs_no_list(tree):
    assert find_recordings(tree) == find_recordings(str(tree)) == find_recordings([tree])


def test_each_record_is_found_once_however_it_is_named(tree):
    given = [tree / "a" / "r2.dat", tree / "a" / "r2.hea", tree / "a" / "r2", tree / "a"]
    assert names(find_recordings(given), tree) == ["a/r1.hea", "a/r2.dat"]


def test_files_that_are_not_there_are_passed_on_for_read_to_refuse(tree):
    assert find_recordings([tree / "none"]) == [tree / "none"]


def test_a_folder_without_recordings_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="no recordings"):
        find_recordings([tmp_path])


def test_segments_are_not_listed_beside_their_record(tree):
    (tree / "a" / "all.hea").write_text("# comment\nall/3 1 500 8\nr1 4\n~ 2\nr2 4\n")
    assert names(find_recordings(tree / "a"), tree) == ["a/all.hea"]


def test_links_to_folders_are_not_entered(tree):
    (tree / "a" / "loop").symlink_to(tree)
    assert len(find_recordings(tree)) == 3


def test_a_broken_header_is_listed(tree):
    (tree / "a" / "broken.hea").write_bytes(b"\xff\x00")
    assert "a/broken.hea" in names(find_recordings(tree), tree)
