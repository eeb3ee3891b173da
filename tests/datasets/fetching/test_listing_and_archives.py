"""Lists of files and archives from strangers are read only where they are what they should be."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.datasets.fetching.archives import unpack
from leadlight.datasets.fetching.listing import lines_of, read_sha256sums, read_zenodo_record
from leadlight.errors import DatasetError

SUM = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("between", [" ", "  ", " *"])  # PhysioNet's form, and both of sha256sum
def test_every_form_of_sha256sums_is_read(between: str) -> None:
    (one,) = read_sha256sums([f"{SUM.upper()}{between}a b/c_lr.dat\n"], "https://host/files/")
    assert (one.path, one.checksum, one.url) == ("a b/c_lr.dat", SUM, "https://host/files/a%20b/c_lr.dat")


def test_a_path_listed_twice_needs_one_checksum() -> None:
    assert len(read_sha256sums([f"{SUM} a\n", f"{SUM} a\n"], "")) == 1
    with pytest.raises(DatasetError, match="line 2: a stands twice"):
        read_sha256sums([f"{SUM} a\n", f"{'0' * 64} a\n"], "")


@given(st.lists(st.binary(max_size=20)))
def test_lines_do_not_depend_on_the_pieces_in_which_they_come(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    expected = whole.decode("utf-8", "replace").split("\n") if whole.isascii() else None
    if expected is not None:
        assert list(lines_of(pieces)) == (expected[:-1] if expected[-1] == "" else expected)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_arrives_as_a_list_is_read_or_refused_in_words(content: bytes) -> None:
    for read in (
        lambda: read_sha256sums(lines_of([content]), "https://host/"),
        lambda: read_zenodo_record(content, "https://host/api/records/1"),
    ):
        try:
            assert read()
        except DatasetError as error:
            assert "found" in str(error)


def _archive(path: Path, name: str, content: bytes, mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        member = zipfile.ZipInfo(name)
        member.compress_type = zipfile.ZIP_DEFLATED
        member.external_attr = mode << 16
        archive.writestr(member, content)
    return path


def test_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    archive = _archive(tmp_path / "a.zip", "sub/part.hdf5", b"content")
    (file,) = unpack(archive, tmp_path)
    assert file.read_bytes() == b"content"
    before = file.stat().st_mtime_ns
    unpack(archive, tmp_path)
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "C:out"])
def test_an_archive_never_writes_outside_its_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(DatasetError, match="leaves the folder; nothing was unpacked"):
        unpack(_archive(tmp_path / "a.zip", name, b"x"), folder)
    assert list(folder.iterdir()) == [] and not (tmp_path / "out").exists()


def test_links_bombs_and_what_does_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="a link"):
        unpack(_archive(tmp_path / "link.zip", "x", b"/etc/passwd", 0o120777), tmp_path)
    with pytest.raises(DatasetError, match=r"unpacks to 7 bytes; 6 are free"):
        unpack(_archive(tmp_path / "big.zip", "y", b"content"), tmp_path, free_bytes=6)
    (tmp_path / "none.zip").write_bytes(b"<html>")
    with pytest.raises(DatasetError, match="cannot be unpacked"):
        unpack(tmp_path / "none.zip", tmp_path)
    packed = bytearray(_archive(tmp_path / "cut.zip", "w", bytes(range(256)) * 9).read_bytes())
    packed[60] ^= 0xFF
    (tmp_path / "cut.zip").write_bytes(packed)
    with pytest.raises(DatasetError, match="cannot be unpacked"):
        unpack(tmp_path / "cut.zip", tmp_path)
    assert not (tmp_path / "w").exists()


def test_a_claimed_size_that_no_compression_reaches_is_refused(tmp_path: Path) -> None:
    raw = bytearray(_archive(tmp_path / "claims.zip", "part.hdf5", b"small").read_bytes())
    claimed = (3_000_000_000).to_bytes(4, "little")
    central = raw.index(b"PK\x01\x02")
    raw[central + 24 : central + 28] = claimed  # "uncompressed size" of the central directory
    (tmp_path / "claims.zip").write_bytes(raw)
    with pytest.raises(DatasetError, match=r"claims 3,000,000,000 bytes"):
        unpack(tmp_path / "claims.zip", tmp_path, free_bytes=10**12)
