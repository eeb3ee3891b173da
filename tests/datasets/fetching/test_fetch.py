"""A data set comes whole and right from a server that is neither."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from leadlight import datasets
from leadlight.cli.app import app
from leadlight.datasets.fetching import Fetched, check, fetch
from leadlight.datasets.fetching.download import Patience
from leadlight.datasets.fetching.fetch import JOURNAL
from leadlight.errors import DatasetError

IMPATIENT = Patience(first=0.001)
BIG = bytes(range(256)) * 4096  # 1 MiB


def _published(server: Any) -> dict[str, bytes]:
    server.files = {
        "ptbxl_database.csv": b"ecg_id\n1\n",
        "LICENSE.txt": b"CC BY 4.0\n",
        "records100/00000/00001_lr.dat": BIG,
        "records100/00000/00001_lr.hea": b"00001_lr 12 100 1000\n",
        "records500/00000/00001_hr.dat": BIG + b"more",
    }
    server.publish()
    return dict(server.files)


def _fetch(server: Any, out: Path, **options: Any) -> Fetched:
    return fetch(datasets.describe("ptb-xl"), out, mirror=server.address, patience=IMPATIENT, **options)


def _size(files: dict[str, bytes]) -> int:
    """Bytes of the files that the list names."""
    return sum(len(content) for path, content in files.items() if path != "SHA256SUMS.txt")


def _is_whole(out: Path, files: dict[str, bytes]) -> bool:
    return all((out / path).read_bytes() == content for path, content in files.items())


def test_every_file_comes_and_nothing_else_is_left(server: Any, tmp_path: Path) -> None:
    files = _published(server)
    fetched = _fetch(server, tmp_path)
    assert _is_whole(tmp_path, files) and fetched.failed == ()
    assert fetched.files == 5 and fetched.received == sum(map(len, files.values())) - len(
        files["SHA256SUMS.txt"]
    )
    there = {str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if one.is_file()}
    assert there == {*files, JOURNAL}


def test_what_is_there_and_right_is_not_asked_for_again(server: Any, tmp_path: Path) -> None:
    _published(server)
    _fetch(server, tmp_path)
    server.requests.clear()
    again = _fetch(server, tmp_path)
    assert [path for path, _ in server.requests] == ["SHA256SUMS.txt"]
    assert (again.kept, again.received) == (5, 0)


def test_a_file_that_was_damaged_on_disk_is_brought_again(server: Any, tmp_path: Path) -> None:
    files = _published(server)
    _fetch(server, tmp_path)
    damaged = tmp_path / "records100/00000/00001_lr.dat"
    damaged.write_bytes(b"x" * len(BIG))
    again = _fetch(server, tmp_path)
    assert again.kept == 4 and _is_whole(tmp_path, files)


@pytest.mark.parametrize("times", [1, 4])
def test_a_dropped_connection_goes_on_where_it_was(server: Any, tmp_path: Path, times: int) -> None:
    files = _published(server)
    server.fail("records500/00000/00001_hr.dat", "drop", times)
    fetched = _fetch(server, tmp_path)
    assert fetched.failed == () and _is_whole(tmp_path, files)
    asked = server.ranges_asked("records500/00000/00001_hr.dat")
    assert (
        asked[0] is None and all(one and one != "bytes=0-" for one in asked[1:]) and len(asked) == times + 1
    )
    # Not one byte twice.
    assert fetched.received == _size(files)


def test_without_ranges_a_dropped_file_begins_anew_and_is_right(server: Any, tmp_path: Path) -> None:
    files = _published(server)
    server.ranges = False
    server.fail("records500/00000/00001_hr.dat", "drop", 2)
    fetched = _fetch(server, tmp_path)
    assert fetched.failed == () and _is_whole(tmp_path, files)


def test_a_part_of_an_older_version_is_thrown_away(server: Any, tmp_path: Path) -> None:
    files = _published(server)
    name = "records500/00000/00001_hr.dat"
    server.fail(name, "drop at once")
    first = _fetch(server, tmp_path)
    assert [path for path, _ in first.failed] == [name]
    part = tmp_path / (name + ".part")
    part.write_bytes(b"bytes of an older version")  # with the validator of that version beside it
    part.with_name(part.name + ".json").write_text('{"validator": "\\"old\\""}')
    del server.faults[name]
    assert _fetch(server, tmp_path).failed == () and _is_whole(tmp_path, files)


@pytest.mark.parametrize("status", ["503", "429"])
def test_a_busy_server_is_asked_again_later(server: Any, tmp_path: Path, status: str) -> None:
    files = _published(server)
    for path in files:
        server.fail(path, status, 3)
    assert _fetch(server, tmp_path).failed == () and _is_whole(tmp_path, files)


def test_a_busy_list_of_files_is_asked_for_again(server: Any, tmp_path: Path) -> None:
    files = _published(server)
    server.fail("SHA256SUMS.txt", "503", 2)
    assert _fetch(server, tmp_path).failed == () and _is_whole(tmp_path, files)


def test_a_wrong_byte_is_noticed_and_the_file_brought_again(server: Any, tmp_path: Path) -> None:
    files = _published(server)
    server.fail("records100/00000/00001_lr.dat", "wrong byte", 1)
    assert _fetch(server, tmp_path).failed == () and _is_whole(tmp_path, files)


def test_a_file_that_stays_wrong_is_listed_and_not_kept(server: Any, tmp_path: Path) -> None:
    _published(server)
    server.fail("records100/00000/00001_lr.dat", "wrong byte")
    fetched = _fetch(server, tmp_path)
    ((name, reason),) = fetched.failed
    assert name == "records100/00000/00001_lr.dat" and "another checksum" in reason and "3 times" in reason
    assert not (tmp_path / name).exists() and not (tmp_path / (name + ".part")).exists()


def test_a_file_that_never_comes_is_given_up_and_the_others_are_there(server: Any, tmp_path: Path) -> None:
    files = _published(server)
    gone, dropping = "LICENSE.txt", "records500/00000/00001_hr.dat"
    server.fail(dropping, "drop at once")
    del server.files[gone]
    fetched = _fetch(server, tmp_path)
    reasons = dict(fetched.failed)
    assert set(reasons) == {gone, dropping}
    assert "404" in reasons[gone] and "6 times without a new byte" in reasons[dropping]
    assert _is_whole(tmp_path, {path: files[path] for path in files if path not in reasons})


def test_a_forbidden_file_says_where_to_ask(server: Any, tmp_path: Path) -> None:
    _published(server)
    server.fail("LICENSE.txt", "403")
    ((_, reason),) = _fetch(server, tmp_path).failed
    assert "403" in reason and "page" in reason


def test_a_redirect_that_never_ends_is_given_up(server: Any, tmp_path: Path) -> None:
    _published(server)
    server.fail("LICENSE.txt", "redirect")
    ((name, reason),) = _fetch(server, tmp_path).failed
    assert name == "LICENSE.txt" and "redirected too often" in reason


def test_files_come_in_parallel_up_to_the_connections_allowed(server: Any, tmp_path: Path) -> None:
    server.files = {f"records100/{number:05d}.dat": BIG[: 200_000 + number] for number in range(40)}
    server.publish()
    server.meet = 3
    fetched = _fetch(server, tmp_path, connections=3)
    assert fetched.files == 40 and fetched.failed == ()
    assert server.at_once["most"] == 3


def test_a_part_of_the_data_set_comes_with_its_tables(server: Any, tmp_path: Path) -> None:
    _published(server)
    _fetch(server, tmp_path, only=["records100/*"])
    assert (tmp_path / "ptbxl_database.csv").exists() and (
        tmp_path / "records100/00000/00001_lr.dat"
    ).exists()
    assert not (tmp_path / "records500").exists()
    with pytest.raises(DatasetError, match=r"no file matches 'record100/\*'; accepted: .*records100/\*"):
        _fetch(server, tmp_path, only=["record100/*"])


@pytest.mark.parametrize("path", ["../outside.csv", "/etc/passwd", "a/../../b", "a//b", "C:\\x", "a\x00b"])
def test_a_list_that_points_out_of_the_folder_is_refused(server: Any, tmp_path: Path, path: str) -> None:
    _published(server)
    server.files["SHA256SUMS.txt"] += f"{'0' * 64} {path}\n".encode()
    with pytest.raises(DatasetError, match="nothing was downloaded"):
        _fetch(server, tmp_path / "out")
    assert [one for one, _ in server.requests] == ["SHA256SUMS.txt"]


def test_an_error_page_is_no_list_of_files(server: Any, tmp_path: Path) -> None:
    server.files["SHA256SUMS.txt"] = b"<html><body>Log in first</body></html>"
    with pytest.raises(DatasetError, match="line 1: found another form"):
        _fetch(server, tmp_path)


def test_a_mirror_without_a_list_says_what_it_needs(server: Any, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"404.*a copy of your own, which needs SHA256SUMS"):
        _fetch(server, tmp_path)


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"found 'ftp://x/'; accepted: one that begins with https://"):
        fetch(datasets.describe("ptb-xl"), tmp_path, mirror="ftp://x/")


def test_a_zenodo_record_comes_with_its_checksums_and_is_unpacked(server: Any, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("exams_part0.hdf5", BIG)
    server.files = {"exams.csv": b"exam_id\n1\n", "exams_part0.zip": packed.getvalue()}
    server.publish_zenodo("api/records/1")
    server.fail("exams_part0.zip", "wrong byte", 1)
    fetched = fetch(
        datasets.describe("ptb-xl"), tmp_path, mirror=server.address + "api/records/1", patience=IMPATIENT
    )
    assert fetched.failed == () and (tmp_path / "exams_part0.hdf5").read_bytes() == BIG
    assert (tmp_path / "exams.csv").read_bytes() == b"exam_id\n1\n"


def test_a_zenodo_answer_that_points_elsewhere_is_refused(server: Any, tmp_path: Path) -> None:
    server.files = {"exams.csv": b"x"}
    server.publish_zenodo("api/records/1")
    record = server.files["api/records/1"].replace(server.address.encode(), b"http://elsewhere.example/")
    server.files["api/records/1"] = record
    with pytest.raises(DatasetError, match="another server"):
        _fetch_zenodo(server, tmp_path)
    server.files["api/records/1"] = b'{"files": [{"key": "x"}]}'
    with pytest.raises(DatasetError, match="no list of files"):
        _fetch_zenodo(server, tmp_path)


def _fetch_zenodo(server: Any, out: Path) -> None:
    fetch(datasets.describe("ptb-xl"), out, mirror=server.address + "api/records/1", patience=IMPATIENT)


def test_checking_needs_no_network_and_finds_what_is_wrong(server: Any, tmp_path: Path) -> None:
    _published(server)
    _fetch(server, tmp_path, only=["records100/*"])
    server.requests.clear()
    assert check(tmp_path).failed == () and check(tmp_path).files == 4 and server.requests == []
    (tmp_path / "LICENSE.txt").write_text("public domain")
    assert [name for name, _ in check(tmp_path).failed] == ["LICENSE.txt"]
    with pytest.raises(DatasetError, match="no such file"):
        check(tmp_path / "records100")


def test_the_command_says_licence_and_size_and_wants_a_yes(server: Any, tmp_path: Path) -> None:
    files = _published(server)
    out = tmp_path / "ptb-xl"
    asked = CliRunner().invoke(app, ["fetch", "ptb-xl", str(out), "--mirror", server.address])
    assert asked.exit_code == 2 and "add --yes" in asked.output
    assert "CC BY 4.0" in asked.output and "GB" in asked.output and not out.exists()
    done = CliRunner().invoke(app, ["fetch", "ptb-xl", str(out), "--mirror", server.address, "--yes"])
    assert done.exit_code == 0 and "5 of 5 files there and checked" in done.output and _is_whole(out, files)
    checked = CliRunner().invoke(app, ["fetch", "ptb-xl", str(out), "--check"])
    assert checked.exit_code == 0 and "5 of 5 files compared" in checked.output
    server.files["LICENSE.txt"] = b"another"
    server.publish()
    server.fail("LICENSE.txt", "wrong byte")
    failed = CliRunner().invoke(app, ["fetch", "ptb-xl", str(out), "--mirror", server.address, "--yes"])
    assert failed.exit_code == 1 and "LICENSE.txt: arrived with another checksum" in failed.output
