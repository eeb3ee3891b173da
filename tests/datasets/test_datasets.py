"""The register of data sets, and the command that lists it."""

from __future__ import annotations

import json
import pickle

import pytest
from typer.testing import CliRunner

from leadlight import datasets, labels
from leadlight.cli.app import app
from leadlight.errors import DatasetError


def test_every_data_set_is_described_with_licence_citation_and_label_spaces():
    published = [name for name in datasets.names() if name != "folder"]
    assert len(published) >= 2
    for name in published:
        described = datasets.describe(name)
        assert described.name == name
        assert described.title and described.licence and described.doi and "doi:" in described.citation
        assert described.records > 0 and described.versions
        assert set(described.label_spaces) <= set(labels.names())


def test_a_folder_of_ones_own_has_neither_size_nor_citation_to_state():
    described = datasets.describe("folder")
    assert (described.records, described.doi, described.citation) == (0, "", "")
    assert "cite folder" not in CliRunner().invoke(app, ["datasets"]).stdout


def test_ptbxl_is_described_by_the_figures_of_its_newest_version():
    described = datasets.describe("ptb-xl")
    assert (described.records, described.patients, described.licence) == (21_799, 18_869, "CC BY 4.0")
    assert described.versions == ("1.0.1", "1.0.2", "1.0.3")


def test_an_unknown_data_set_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(DatasetError, match=r"found 'ptbxl'; accepted: ptb-xl, .*\. Did you mean 'ptb-xl'\?"):
        datasets.read_index("ptbxl", tmp_path)


def test_a_folder_of_ptbxl_is_recognised(ptbxl):
    assert datasets.detect(ptbxl.add(1).write()) == "ptb-xl"


def test_a_folder_of_no_known_layout_is_refused_with_the_layouts_that_are_known(tmp_path):
    with pytest.raises(DatasetError, match=r"accepted: ptb-xl: ptbxl_database\.csv"):
        datasets.detect(tmp_path)


def test_the_folder_above_a_data_set_is_refused_with_the_right_one(ptbxl):
    (ptbxl.root / "inside").mkdir()
    ptbxl.add(1).write().joinpath("ptbxl_database.csv").rename(ptbxl.root / "inside" / "ptbxl_database.csv")
    with pytest.raises(DatasetError, match=r"Did you mean .*inside\?"):
        datasets.detect(ptbxl.root)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        datasets.detect(tmp_path / "nowhere")


def test_a_folder_without_an_index_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"found no ptbxl_database\.csv"):
        datasets.read_index("ptb-xl", tmp_path)


def test_an_index_crosses_to_another_process_whole(ptbxl):
    index = ptbxl.add(1, age=300).add(2, rates=()).read()
    assert pickle.loads(pickle.dumps(index)) == index


def test_the_command_lists_what_is_known():
    result = CliRunner().invoke(app, ["datasets"])
    assert result.exit_code == 0
    for word in ("ptb-xl", "21799", "CC BY 4.0", "10.13026/kfzx-aw45", "ptb-xl/superclass", "Wagner"):
        assert word in result.stdout


def test_the_command_prints_everything_as_json():
    described, *_ = json.loads(CliRunner().invoke(app, ["datasets", "--json"]).stdout)
    assert described["name"] == "ptb-xl" and described["records"] == 21_799
    assert set(described["label_spaces"]) <= set(labels.names())
