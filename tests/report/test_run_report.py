"""The report of a run shows what is there and says what is not."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from leadlight.errors import RunError
from leadlight.pages import Paragraph, Section
from leadlight.report import draw_evaluation, run_report
from leadlight.report.run import evaluations_beside


class Explained:
    """An example that sets itself as a section."""

    def section(self, title: str, layout: str = "auto") -> Section:
        return Section(title, [Paragraph("the example")])


def report(run: Path, explanations: list[Any] | None = None) -> str:
    out = run_report(run, run.parent / "demo" / "report.html", explanations or [])
    assert out.is_file()
    return out.read_text(encoding="utf-8")


def headings(page: str) -> list[str]:
    return re.findall(r"<h2[^>]*>([^<]*)</h2>", page)


def test_the_sections_go_from_the_data_to_the_model_card(run: Path) -> None:
    assert headings(report(run, [Explained(), Explained()])) == [
        "In short", "Data and recipe", "Training", "Measurements on fold 9 of ptb-xl 1.0.3", "Examples",
        "Recording 1", "Recording 2", "Model card",
    ]  # fmt: skip


def test_it_tells_data_recipe_and_training(run: Path) -> None:
    page = report(run)
    for text in ("PTB-XL 1.0.3", "CC BY 4.0", "training records 1,600", "1, 2", "0.001", "42",
                 "3 epochs, 5 min", "best validation macro ROC-AUC 0.823"):  # fmt: skip
        assert text in page, text


def test_it_shows_the_measured_values_with_their_intervals(run: Path) -> None:
    stored = json.loads((run / "evaluation/fold-9/metrics.json").read_text())
    page = report(run)
    auc = stored["overall"]["macro_roc_auc"]
    assert f"{auc['value']:.3f}" in page
    assert f"{auc['low']:.3f} to {auc['high']:.3f}" in page
    assert "60 records of 30 patients" in page
    assert "in no mean: HYP" in page


def test_training_and_roc_curves_are_drawn_with_a_text(run: Path) -> None:
    page = report(run)
    assert 'alt="Curves by epoch: the training loss goes from 0.600 to 0.400' in page
    assert 'alt="ROC curves of MI, NORM, HYP."' in page


def test_the_model_card_is_set_as_text_and_tables(run: Path) -> None:
    page = report(run)
    assert "<strong>Not a medical device.</strong>" in page
    assert "<td>1</td>" in page


def test_an_empty_run_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    page = report(tmp_path / "empty")
    for name in ("recipe.toml", "log.csv", "evaluation/fold-N/metrics.json", "model/MODEL_CARD.md"):
        assert f"{name} is missing from the run folder" in page
    assert "No recording was explained." in page


def test_without_predictions_the_curves_are_said_to_be_missing(run: Path) -> None:
    (run / "evaluation/fold-9/predictions.parquet").unlink()
    assert "predictions.parquet (curves and other figures) is missing" in report(run)


def test_a_run_before_its_first_epoch_says_so(run: Path) -> None:
    (run / "log.csv").write_text(
        "epoch,train_loss,validation_loss,validation_macro_auc,learning_rate,seconds\n"
    )
    assert "No epoch has been finished yet." in report(run)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recipe.toml", "model = "),
        ("log.csv", "epoch,train_loss\n1,abc\n"),
        ("log.csv", "epoch,train_loss\n1,0.5\n"),
        ("evaluation/fold-9/metrics.json", '{"overall": '),
        ("evaluation/fold-9/metrics.json", '{"overall": {}}'),
    ],
)
def test_a_broken_file_is_named(run: Path, name: str, content: str) -> None:
    (run / name).write_text(content)
    with pytest.raises(RunError, match=re.escape(Path(name).name)):
        report(run)


def test_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="found no folder"):
        run_report(tmp_path / "nothing", tmp_path / "report.html")


def test_a_page_is_not_written_under_another_suffix(run: Path) -> None:
    from typer.testing import CliRunner

    from leadlight.cli.app import app

    answer = CliRunner().invoke(app, ["report", str(run), "--out", str(run / "report.pdf")])
    assert (answer.exit_code, (run / "report.pdf").exists()) == (2, False)
    assert "accepted: .html" in answer.output


def test_a_model_without_a_run_is_reported_from_an_evaluation(run: Path, tmp_path: Path) -> None:
    out = run_report(
        run / "model", tmp_path / "model.html", evaluations=[run / "evaluation" / "fold-9"], examples=0
    )
    page = out.read_text(encoding="utf-8")
    assert "Measurements on fold 9" in page and "Not a medical device" in page
    assert "Training" not in headings(page)
    with pytest.raises(RunError, match="metrics"):
        run_report(run / "model", out, evaluations=[tmp_path])


def test_other_runs_are_drawn_beside_it_and_one_without_that_fold_is_refused(
    run: Path, tmp_path: Path
) -> None:
    out = run_report(run, tmp_path / "beside.html", examples=0, beside=[run])
    assert "Beside it: run" in out.read_text(encoding="utf-8")
    with pytest.raises(RunError, match="found no evaluation of fold 9"):
        run_report(run, out, examples=0, beside=[tmp_path])


def test_two_runs_of_one_model_are_both_drawn(run: Path, tmp_path: Path) -> None:
    file = run / "evaluation" / "fold-9" / "metrics.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "model": "small"}))
    places = [tmp_path / "seed-1", tmp_path / "seed-2"]
    for place in places:
        shutil.copytree(run, place)
    beside = evaluations_beside(places, "fold-9")
    assert list(beside) == ["small: seed-1", "small: seed-2"]
    again = evaluations_beside([run], "fold-9")
    assert list(again) == ["small"]
    for others, names in ((beside, {"small", *beside}), (again, {"small: this run", "small"})):
        drawn = {one.name: one for one in draw_evaluation(run / "evaluation" / "fold-9", others)}
        (axes,) = drawn["f1-by-class"].figure.axes
        found = {str(line.get_gid()) for line in axes.lines if str(line.get_gid()).startswith("model-")}
        assert found == {f"model-{name}" for name in names}


def test_the_command_writes_page_and_figures(run: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from leadlight.cli.app import app

    answer = CliRunner().invoke(
        app, ["report", str(run), "--examples", "0", "--figures", str(tmp_path / "f"), "--format", "svg"]
    )
    assert answer.exit_code == 0, answer.output
    assert (run / "report.html").is_file()
    made = {path.stem for path in (tmp_path / "f" / "fold-9").iterdir()}
    assert {"roc", "precision-recall", "confusion", "reliability", "thresholds", "subgroups-roc-auc"} <= made
