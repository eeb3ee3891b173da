"""``leadlight labels``."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from leadlight.cli.app import app


def run(*arguments: str):
    return CliRunner().invoke(app, ["labels", *arguments])


def test_without_a_name_every_space_is_listed_with_its_size():
    rows = json.loads(run("--json").stdout)
    sizes = {row["name"]: row["classes"] for row in rows}
    assert sizes["ptb-xl/superclass"] == 5 and sizes["ptb-xl/all"] == 71
    assert sizes["challenge-2021"] == 26 and sizes["code-15"] == 6
    assert sizes["ecg-xplaim"] == sizes["ecg-xplaim/published"] == 25


def test_a_space_is_shown_with_index_code_description_and_members():
    line = next(line for line in run("ptb-xl/superclass").stdout.splitlines() if "HYP" in line)
    assert line.split()[:2] == ["1", "HYP"]
    assert "hypertrophy" in line and "LAO/LAE LVH RAO/RAE RVH SEHYP" in line


def test_a_space_as_json_carries_version_source_and_classes_in_order():
    shown = json.loads(run("ptb-xl/superclass", "--json").stdout)
    assert [row["code"] for row in shown["classes"]] == ["CD", "HYP", "MI", "NORM", "STTC"]
    assert shown["classes"][3]["members"] == ["NORM"]
    assert shown["version"] == "1" and "10.13026/kfzx-aw45" in shown["source"]


def test_an_unknown_space_is_wrong_usage_and_the_nearest_is_named():
    result = run("ptb-xl/superclas")
    assert result.exit_code == 2
    assert "Did you mean 'ptb-xl/superclass'?" in " ".join(result.output.replace("│", "").split())
